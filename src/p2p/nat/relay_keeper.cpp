#include "p2p/nat/relay_keeper.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "p2p/swarm/circuit_address.hpp"

namespace oc::p2p {
namespace {

bool offers_relay(const Connection& connection) {
  return connection.info() && std::ranges::find(connection.info()->protocols, kHopId) !=
                                  connection.info()->protocols.end();
}

// Where others reach the relay: as it says, and where we did.
std::vector<codec::Multiaddr> circuits_of(const Connection& relay, const Reservation& reservation) {
  std::vector<codec::Multiaddr> out;
  const auto add = [&](const codec::Multiaddr& address) {
    if (out.size() == kMaxCircuitsOfRelay || !is_plain_tcp(address.without_peer())) return;
    if (address.scope() == codec::AddressScope::loopback && !reservation.addresses.empty() &&
        relay.facts().remote_address.scope() != codec::AddressScope::loopback)
      return;
    codec::Multiaddr circuit = make_circuit(address, relay.peer());
    if (!circuit.empty() && std::ranges::find(out, circuit) == out.end())
      out.push_back(std::move(circuit));
  };
  if (relay.facts().direction == Direction::outbound) add(relay.facts().remote_address);
  for (const codec::Multiaddr& address : reservation.addresses) {
    const auto named = address.peer_id();
    if (!named || *named == relay.peer()) add(address);
  }
  return out;
}

}  // namespace

RelayKeeper::RelayKeeper(Swarm& swarm, RelayClient& client, Clock& clock,
                         RelayKeeperOptions options)
    : swarm_(swarm),
      client_(client),
      clock_(clock),
      options_(std::move(options)),
      tasks_(swarm.executor()) {
  SwarmEvents events;
  events.connected = [this](const ConnectionPtr&) { look(); };
  events.disconnected = [this](const ConnectionPtr&, error_code) { look(); };
  swarm_.observe(std::move(events));
}

void RelayKeeper::start() { tasks_.spawn("relay keeper", run()); }

std::vector<HeldReservation> RelayKeeper::reservations() const {
  std::vector<HeldReservation> out;
  for (const auto& [relay, held] : held_) out.push_back(held.reservation);
  return out;
}

std::vector<codec::Multiaddr> RelayKeeper::addresses() const {
  std::vector<codec::Multiaddr> out;
  for (const auto& [relay, held] : held_) {
    const auto& circuits = held.reservation.circuits;
    out.insert(out.end(), circuits.begin(), circuits.end());
  }
  return out;
}

bool RelayKeeper::is_candidate(const Connection& connection) const {
  return connection.alive() && connection.facts().direct() && offers_relay(connection) &&
         options_.may_relay(connection);
}

ConnectionPtr RelayKeeper::choose() const {
  const TimePoint now = clock_.now();
  const auto waits = [&](const codec::PeerId& relay) {
    const auto found = refused_.find(relay);
    return found != refused_.end() && found->second.until > now;
  };
  ConnectionPtr best;
  for (const ConnectionPtr& connection : swarm_.connections()) {
    if (!is_candidate(*connection) || waits(connection->peer())) continue;
    const auto held = held_.find(connection->peer());
    if (held != held_.end()) {
      if (held->second.renew <= now) return connection;
      continue;
    }
    if (held_.size() >= kWantedRelays) continue;
    const auto round_trip = [](const ConnectionPtr& c) {
      return c->round_trip().value_or(Duration::max());
    };
    if (best == nullptr || round_trip(connection) < round_trip(best)) best = connection;
  }
  return best;
}

bool RelayKeeper::has_stopped(const codec::PeerId& relay) const {
  bool said = false;
  for (const ConnectionPtr& connection : swarm_.connections_to(relay)) {
    if (!connection->alive() || !connection->facts().direct() || !connection->info()) continue;
    if (offers_relay(*connection)) return false;
    said = true;
  }
  return said;
}

void RelayKeeper::forget_lost() {
  const WallTime now = clock_.wall_now();
  const auto lost = std::erase_if(held_, [&](const auto& entry) {
    const auto& [relay, held] = entry;
    if (has_stopped(relay)) client_.release(relay);
    return !client_.reserved(relay) || held.reservation.expires <= now;
  });
  if (lost != 0) options_.changed();
  std::erase_if(refused_, [this](const auto& entry) {
    return entry.second.until + kMaxRelayBackoff < clock_.now();
  });
}

void RelayKeeper::take(const Connection& relay, Reservation reservation) {
  const WallTime now = clock_.wall_now();
  const Duration left = reservation.expires - now;
  Held held;
  held.reservation.relay = relay.peer();
  held.reservation.expires = reservation.expires;
  held.reservation.circuits = circuits_of(relay, reservation);
  held.renew = clock_.now() + left - std::min(kRenewBefore, left / 4);
  refused_.erase(relay.peer());
  const auto old = held_.find(relay.peer());
  const bool moved =
      old == held_.end() || old->second.reservation.circuits != held.reservation.circuits;
  held_[relay.peer()] = std::move(held);
  if (!moved) return;
  log::info("reachable through relay {}", relay.peer().to_string());
  options_.changed();
}

void RelayKeeper::refused(const codec::PeerId& relay) {
  Refused& refusal = refused_[relay];
  refusal.wait = std::clamp(refusal.wait * 2, kRelayBackoff, kMaxRelayBackoff);
  refusal.until = clock_.now() + refusal.wait;
  // Its old promise may still hold, but not for long.
  if (const auto held = held_.find(relay); held != held_.end()) held->second.renew = refusal.until;
}

awaitable<void> RelayKeeper::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    // Cancellation that came between two waits does not interrupt the next one.
    const bool cancelled = co_await was_cancelled();
    if (cancelled) co_return;
    forget_lost();
    const ConnectionPtr relay = options_.needed() ? choose() : nullptr;
    if (relay == nullptr) {
      auto waited = co_await with_deadline<void>(clock_, kRelayTick, wake_.wait());
      if (!waited && waited.error() == Errc::cancelled) co_return;
      continue;
    }
    auto reserved = co_await client_.reserve(relay);
    if (!reserved && reserved.error() == Errc::cancelled) co_return;
    if (reserved) {
      take(*relay, *std::move(reserved));
    } else {
      log::debug("relay {}: {}", relay->peer().to_string(), reserved.error().message());
      refused(relay->peer());
    }
  }
}

}  // namespace oc::p2p
