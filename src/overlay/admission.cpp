#include "overlay/admission.hpp"

#include "base/deadline.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"

namespace oc::overlay {
namespace {

// Whom failures from an address are counted against: one IPv4 address, or one IPv6 /64, which is
// what a single customer has.
std::string limited_address(const codec::Multiaddr& address) {
  const auto endpoint = address.tcp_endpoint();
  if (!endpoint) return address.to_string();
  return to_hex(BytesView(endpoint->address).first(endpoint->v6 ? 8 : 4));
}

}  // namespace

Admission::Admission(p2p::Swarm& swarm, Members& members, Mesh& mesh, Clock& clock, Random& random,
                     OnProved on_proved, MayStay may_stay)
    : swarm_(swarm),
      members_(members),
      mesh_(mesh),
      clock_(clock),
      random_(random),
      on_proved_(std::move(on_proved)),
      may_stay_(std::move(may_stay)),
      failed_proofs_(kMaxFailedProofs, kFailedProofWindow),
      failed_addresses_(kMaxFailedProofsOfAddress, kFailedProofWindow) {
  swarm_.handle(kNetworkProtocol,
                [this](p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
                  return serve(std::move(connection), std::move(stream));
                },
                {p2p::kUnlimited, kMaxHandshakeStreams});
}

void Admission::begin(const p2p::ConnectionPtr& connection) {
  const bool ours = connection->facts().direction == p2p::Direction::outbound;
  if (ours) connection->tasks().spawn("prove membership", prove_all(connection));
  connection->tasks().spawn("drop stranger", drop_stranger(connection));
}

awaitable<void> Admission::drop_stranger(p2p::ConnectionPtr connection) {
  do {
    if (auto done = co_await clock_.sleep_for(kProofTimeout); !done) co_return;
    if (members_.is_member(*connection)) co_return;
  } while (may_stay_(connection->peer()));
  ++counters_.strangers_dropped;
  connection->close();
}

HandshakeParties Admission::parties(const p2p::Connection& connection) const {
  return {swarm_.self(), connection.peer(), to_bytes(connection.binding())};
}

awaitable<void> Admission::prove_all(p2p::ConnectionPtr connection) {
  std::vector<Network> networks;
  for (const auto& [id, network] : members_.networks()) networks.push_back(network);
  if (networks.empty()) co_return;
  bool any = false;
  error_code last;
  for (Network& network : networks) {
    auto proved = co_await with_deadline<void>(clock_, kProofTimeout, prove(connection, network));
    any = any || proved.has_value();
    if (!proved) last = proved.error();
  }
  if (any) {
    refusals_.erase(connection->peer());
  } else if (connection->alive()) {
    not_accepted(connection, last);
  }
}

void Admission::not_accepted(const p2p::ConnectionPtr& connection, error_code why) {
  const codec::PeerId& peer = connection->peer();
  const bool expected = mesh_.is_expected(peer);
  const bool refused = why.category() == handshake_category();
  if (refused || !expected) mesh_.refused(peer);
  if (refused && expected) refusals_[peer] = why;
  if (expected) {
    const Fault fault(
        handshake_fault(why),
        "node " + peer.to_string() + " does not accept this node as a member: " + why.message());
    log::error("{}", fault.to_string());
  } else {
    log::debug("{} at {} is no member of a network of this node: {}", peer.to_string(),
               connection->facts().remote_address.to_string(), why.message());
  }
  connection->close();
}

awaitable<Result<void>> Admission::prove(p2p::ConnectionPtr connection, Network network) {
  CO_TRY(auto stream, co_await connection->open_stream(kNetworkProtocol));
  const NetworkId id = network.id;
  const std::string name = network.name.value();
  auto proved =
      co_await prove_membership(*stream, parties(*connection), std::move(network), random_);
  if (!proved) {
    ++counters_.proofs_failed;
    stream->reset();
    co_return proved.error();
  }
  (void)co_await stream->close_write();
  ++counters_.proofs_ok;
  log::info("connected to {} in network {} at {}", connection->peer().to_string(), name,
            connection->facts().remote_address.to_string());
  on_proved_(connection, id);
  co_return success();
}

awaitable<void> Admission::serve(p2p::ConnectionPtr connection,
                                 std::unique_ptr<net::Stream> stream) {
  // What was dialed for its caller alone makes nobody a member.
  if (connection->facts().probe) {
    stream->reset();
    co_return;
  }
  const std::string peer = connection->peer().to_string();
  const std::string address = connection->facts().remote_address.to_string();
  const std::string host = limited_address(connection->facts().remote_address);
  Verifier verifier;
  verifier.find = [this](const NetworkId& id) { return members_.find(id); };
  verifier.allowed = [&](const NetworkId& id) {
    const TimePoint now = clock_.now();
    return failed_proofs_.allowed(peer + to_hex(id), now) &&
           failed_proofs_.allowed(host + to_hex(id), now) && failed_addresses_.allowed(host, now);
  };
  verifier.failed = [&](const NetworkId& id) {
    const TimePoint now = clock_.now();
    failed_proofs_.failed(peer + to_hex(id), now);
    failed_proofs_.failed(host + to_hex(id), now);
    failed_addresses_.failed(host, now);
    // Who asks for a network that is not ours only looks for his own.
    if (const Network* network = members_.find(id)) {
      log::warn("{} at {} failed to prove membership in network {}: its password differs", peer,
                address, network->name.value());
    }
  };
  verifier.proved = [&](const NetworkId& id) {
    ++counters_.proofs_ok;
    log::info("{} joined network {} from {}", peer, members_.find(id)->name.value(), address);
    on_proved_(connection, id);
  };
  auto verified = co_await with_deadline<void>(
      clock_, kProofTimeout, verify_membership(*stream, parties(*connection), verifier, random_));
  if (verified) co_return;
  ++counters_.proofs_failed;
  log::debug("{} at {} proved no membership: {}", peer, address, verified.error().message());
}

awaitable<Result<void>> Admission::wait_for_proof(p2p::ConnectionPtr connection,
                                                  std::function<bool()> done) {
  const TimePoint until = clock_.now() + kProofTimeout;
  while (!done()) {
    if (!connection->alive()) {
      if (auto refusal = last_refusal(connection->peer())) co_return *refusal;
      co_return Errc::reset;
    }
    const Duration left = until - clock_.now();
    if (left <= Duration{0}) co_return Errc::timed_out;
    CO_CHECK(co_await with_deadline<void>(clock_, left, members_.wait_for_change()));
  }
  co_return success();
}

std::optional<error_code> Admission::last_refusal(const codec::PeerId& peer) const {
  const auto found = refusals_.find(peer);
  if (found == refusals_.end()) return std::nullopt;
  return found->second;
}

void Admission::forget_unexpected() {
  std::erase_if(refusals_, [this](const auto& entry) { return !mesh_.is_expected(entry.first); });
}

}  // namespace oc::overlay
