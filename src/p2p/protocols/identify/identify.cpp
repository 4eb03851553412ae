#include "p2p/protocols/identify/identify.hpp"

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "crypto/peer_record.hpp"
#include "p2p/identify.pb.h"

namespace oc::p2p {
namespace {

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

}  // namespace

Identify::Identify(Swarm& swarm, Clock& clock, IdentifyOptions options)
    : swarm_(swarm), clock_(clock), options_(std::move(options)) {
  swarm_.handle(kIdentifyId, [this](ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
    return answer(std::move(connection), std::move(stream));
  });
  SwarmEvents events;
  events.connected = [this](const ConnectionPtr& connection) {
    connection->tasks().spawn("identify", ask(connection));
  };
  swarm_.observe(std::move(events));
}

Bytes Identify::message_for(const Connection& connection) const {
  pb::Identify message;
  const auto addresses = options_.addresses();
  message.set_public_key(text_of(swarm_.identity().public_key().marshal()));
  message.set_protocol_version(options_.protocol_version);
  message.set_agent_version(options_.agent_version);
  message.set_observed_addr(text_of(connection.facts().remote_address.bytes()));
  for (const std::string& protocol : swarm_.protocols()) message.add_protocols(protocol);
  const crypto::PeerRecord record{swarm_.self(), options_.record_seq(), addresses};
  message.set_signed_peer_record(text_of(crypto::seal_peer_record(swarm_.identity(), record)));
  for (const codec::Multiaddr& address : addresses) {
    message.add_listen_addrs(text_of(address.bytes()));
    if (message.ByteSizeLong() > kMaxIdentifySent) {
      message.mutable_listen_addrs()->RemoveLast();
      break;
    }
  }
  if (message.ByteSizeLong() > kMaxIdentifySent) message.clear_signed_peer_record();
  return to_bytes(as_bytes(message.SerializeAsString()));
}

awaitable<void> Identify::answer(ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
  const Bytes message = message_for(*connection);
  if (auto done = co_await net::write_delimited(*stream, message); !done) co_return;
  (void)co_await stream->close_write();
}

awaitable<void> Identify::ask(ConnectionPtr connection) {
  auto info = co_await with_deadline<PeerInfo>(clock_, kIdentifyTimeout, query(connection));
  if (!info) {
    log::debug("identify of {} failed: {}", connection->peer().to_string(), info.error().message());
    co_return;
  }
  connection->set_info(*std::move(info));
  options_.identified(connection);
}

awaitable<Result<PeerInfo>> Identify::query(ConnectionPtr connection) {
  CO_TRY(auto stream, co_await connection->open_stream(kIdentifyId));
  CO_CHECK(co_await stream->close_write());
  PeerInfo info;
  for (int i = 0; i < kMaxIdentifyMessages; ++i) {
    auto message = co_await net::read_delimited(*stream, kMaxIdentifyMessage);
    if (!message && message.error() == Errc::eof && i != 0) break;
    if (!message) co_return message.error();
    CO_CHECK(merge_identify(info, *message, connection->peer()));
  }
  co_return info;
}

Result<void> merge_identify(PeerInfo& info, BytesView bytes, const codec::PeerId& peer) {
  pb::Identify message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Errc::malformed;
  if (message.has_public_key()) {
    auto key = crypto::PublicKey::unmarshal(as_bytes(message.public_key()));
    if (!key || key->peer_id() != peer) return Errc::malformed;
  }
  if (message.has_agent_version()) info.agent_version = message.agent_version();
  if (message.has_protocol_version()) info.protocol_version = message.protocol_version();
  for (const std::string& protocol : message.protocols()) {
    if (info.protocols.size() < kMaxIdentifyProtocols) info.protocols.push_back(protocol);
  }
  const auto add = [&info, &peer](const codec::Multiaddr& address) {
    const auto named = address.peer_id();
    if (named && *named != peer) return;
    if (info.listen_addresses.size() >= kMaxIdentifyAddresses) return;
    info.listen_addresses.push_back(address.without_peer());
  };
  if (message.has_signed_peer_record()) {
    auto record = crypto::open_peer_record(as_bytes(message.signed_peer_record()));
    if (record && record->peer == peer) {
      info.listen_addresses.clear();
      for (const codec::Multiaddr& address : record->addresses) add(address);
    }
  } else {
    for (const std::string& raw : message.listen_addrs()) {
      if (auto address = codec::Multiaddr::from_bytes(as_bytes(raw))) add(*address);
    }
  }
  if (message.has_observed_addr()) {
    if (auto seen = codec::Multiaddr::from_bytes(as_bytes(message.observed_addr()))) {
      info.observed_address = *seen;
    }
  }
  return success();
}

}  // namespace oc::p2p
