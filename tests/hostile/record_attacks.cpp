// Section 1.1: records of peers and members that are not the sender's, or too many.
#include "attack.hpp"
#include "crypto/peer_record.hpp"
#include "identify.hpp"
#include "membership.hpp"
#include "overlay/record.hpp"
#include "overlay/sync.hpp"
#include "p2p/identify.pb.h"

namespace oc::hostile {
namespace {

constexpr std::size_t kMostRecords = 1'000'000;

codec::Multiaddr address_number(std::size_t number) {
  const auto ip = asio::ip::address_v4(0xc6336400u + static_cast<std::uint32_t>(number % 250));
  codec::TcpEndpoint endpoint;
  const auto bytes = ip.to_bytes();
  std::copy(bytes.begin(), bytes.end(), endpoint.address.begin());
  endpoint.port = static_cast<std::uint16_t>(1024 + number / 250);
  return codec::Multiaddr::from_tcp(endpoint);
}

// An identify message with the valid signed record of a key that is not ours.
std::string foreign_record(Random& random, std::size_t number) {
  const auto key = crypto::PrivateKey::generate(random);
  const crypto::PeerRecord record{key.peer_id(), 1, {address_number(number)}};
  p2p::pb::Identify message;
  message.set_signed_peer_record(std::string(as_text(crypto::seal_peer_record(key, record))));
  return message.SerializeAsString();
}

// As many as the node reads of one stream: in the answer to its own question, then pushed.
Json foreign_records(Visit& visit, const Options& options) {
  const std::size_t count = options.number("count", 2000, kMostRecords);
  std::size_t sent = 0, sessions = 0, refused = 0, pushed = 0;
  while (sent < count && refused < kMostMessages) {
    auto session = visit.session();
    if (session == nullptr) {
      ++refused;
      continue;
    }
    ++sessions;
    std::vector<std::string> messages;
    for (std::size_t i = 0; i < kMostMessages; ++i) {
      messages.push_back(foreign_record(visit.random(), sent + i));
    }
    if (answer_identify(*session, messages)) sent += messages.size();
    const std::uint32_t stream = session->open(kIdentifyPush, delimited(messages), kFin);
    session->wait_data(stream, proposal("na").size());
    if (!as_text(session->data(stream)).ends_with("na\n")) {
      sent += messages.size();
      ++pushed;
    }
    (void)serves(*session);
  }
  return {{"sent", sent}, {"sessions", sessions}, {"pushed", pushed}, {"refused", refused}};
}

// An identify answer with thousands of addresses, and then one with a record that has one.
Json many_addresses(Visit& visit, const Options& options) {
  const std::size_t count = options.number("count", 5000, kMostRecords);
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  std::vector<std::string> messages(kMostMessages - 1);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    p2p::pb::Identify message;
    for (std::size_t n = i * count / messages.size(); n < (i + 1) * count / messages.size(); ++n) {
      message.add_listen_addrs(std::string(as_text(address_number(n).bytes())));
    }
    messages[i] = message.SerializeAsString();
  }
  messages.push_back(foreign_record(visit.random(), 0));
  answer_identify(*session, messages);
  return report_of(session.get());
}

Bytes member_record(const crypto::PrivateKey& key, std::uint64_t seq, std::size_t addresses) {
  overlay::NodeRecord record;
  record.peer = key.peer_id();
  record.seq = seq;
  for (std::size_t i = 0; i < addresses; ++i) record.addresses.push_back(address_number(i));
  record.name = "hostile";
  record.issued = std::chrono::system_clock::now();
  return overlay::seal_record(key, std::move(record)).envelope;
}

// A member that tells of members that it invented.
Json member_records(Visit& visit, const Options& options) {
  const std::size_t count = options.number("count", 1000, kMostRecords);
  const auto network = network_of(options.text("network"), options.text("password"));
  const auto self = crypto::PrivateKey::generate(visit.random());
  auto session = join(visit, self, network);
  if (session == nullptr) return report_of(nullptr);
  std::size_t sent = 0;
  while (sent < count && session->alive()) {
    std::vector<Bytes> envelopes;
    while (envelopes.size() < overlay::kMaxPushed && sent + envelopes.size() < count) {
      envelopes.push_back(member_record(crypto::PrivateKey::generate(visit.random()), 1, 1));
    }
    if (!push_records(*session, network, envelopes)) break;
    sent += envelopes.size();
  }
  Json out = report_of(session.get());
  out["sent"] = sent;
  return out;
}

// A member that tells of itself with all the addresses there is room for, then with one.
Json member_addresses(Visit& visit, const Options& options) {
  const auto network = network_of(options.text("network"), options.text("password"));
  const auto self = crypto::PrivateKey::generate(visit.random());
  auto session = join(visit, self, network);
  if (session == nullptr) return report_of(nullptr);
  push_records(*session, network, {member_record(self, 1, overlay::kMaxRecordAddresses)});
  push_records(*session, network, {member_record(self, 2, 1)});
  // Too late: it is older.
  push_records(*session, network, {member_record(self, 1, overlay::kMaxRecordAddresses)});
  Json out = report_of(session.get());
  out["peer_id"] = self.peer_id().to_string();
  return out;
}

constexpr Attack kAttacks[] = {
    {"foreign-records", "--count N", foreign_records},
    {"many-addresses", "--count N", many_addresses},
    {"member-records", "--count N --network NAME --password WORD", member_records},
    {"member-addresses", "--network NAME --password WORD", member_addresses},
};

}  // namespace

std::span<const Attack> record_attacks() { return kAttacks; }

}  // namespace oc::hostile
