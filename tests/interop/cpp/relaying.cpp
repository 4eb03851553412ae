#include "relaying.hpp"

namespace oc::interop {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(20);
constexpr Duration kReservedWithin = std::chrono::seconds(10);

p2p::RelayKeeperOptions any_relay() {
  p2p::RelayKeeperOptions options;
  options.may_relay = [](const p2p::Connection&) { return true; };
  return options;
}

// The one there is, once there is one: when identify has shown that the peer is a relay.
awaitable<Verdict<p2p::HeldReservation>> first_of(p2p::RelayKeeper& keeper, Clock& clock) {
  const TimePoint end = clock.now() + kReservedWithin;
  for (;;) {
    const auto held = keeper.reservations();
    if (!held.empty()) co_return held.front();
    if (clock.now() >= end) co_return Failure{"no reservation in time"};
    CO_CHECK(explain("wait", co_await clock.sleep_for(kLookEvery)));
    keeper.look();
  }
}

}  // namespace

Verdict<p2p::RelayOptions> relay_options(const std::map<std::string, double>& options) {
  p2p::RelayOptions out;
  for (const auto& [name, amount] : options) {
    const std::chrono::seconds seconds(static_cast<std::int64_t>(amount));
    if (name == "lifetime") {
      out.reservations.lifetime = seconds;
    } else if (name == "limit-seconds") {
      out.stranger_limit.duration = seconds;
      out.serve_strangers = true;
    } else if (name == "limit-bytes") {
      out.stranger_limit.bytes = static_cast<std::uint64_t>(amount);
      out.serve_strangers = true;
    } else {
      return Failure{"relay has no --" + name};
    }
  }
  return out;
}

void trust_everybody(Peer& peer) {
  p2p::SwarmEvents events;
  events.connected = [](const p2p::ConnectionPtr& connection) { connection->trust(); };
  peer.swarm().observe(std::move(events));
}

Reserved::Reserved(Peer& peer, Clock& clock)
    : peer_(peer),
      clock_(clock),
      keeper_(peer.swarm(), peer.host().relay_client(), clock, any_relay()),
      tasks_(peer.swarm().executor()) {
  // Tests do not wait an hour for a renewal.
  peer.host().relay_client().least_reservation = std::chrono::seconds(1);
}

awaitable<Verdict<Json>> Reserved::start(std::string relay) {
  CO_TRY(codec::Multiaddr address, explain(relay, codec::Multiaddr::parse(relay)));
  const auto id = address.peer_id();
  if (!id) co_return Failure{relay + " does not end in /p2p/<peer id>"};
  std::vector<codec::Multiaddr> addresses{address.without_peer()};
  auto dialed = co_await peer_.swarm().dial(*id, std::move(addresses));
  CO_CHECK(explain("dial the relay", std::move(dialed)));
  keeper_.start();
  CO_TRY(const p2p::HeldReservation first, co_await first_of(keeper_, clock_));
  told_ = first.expires;
  co_return described(first);
}

void Reserved::on_renewal(std::function<void(Json)> tell) {
  tasks_.spawn("watch the reservation", watch(std::move(tell)));
}

awaitable<void> Reserved::watch(std::function<void(Json)> tell) {
  for (;;) {
    if (auto slept = co_await clock_.sleep_for(kLookEvery); !slept) co_return;
    for (const p2p::HeldReservation& held : keeper_.reservations()) {
      if (held.expires == told_) continue;
      told_ = held.expires;
      tell(described(held));
    }
  }
}

std::vector<std::string> Reserved::addresses() const {
  std::vector<std::string> out;
  for (const codec::Multiaddr& circuit : keeper_.addresses()) {
    out.push_back(circuit.with_peer(peer_.swarm().self()).to_string());
  }
  return out;
}

awaitable<void> Reserved::close() {
  co_await tasks_.close();
  co_await keeper_.close();
}

Json Reserved::described(const p2p::HeldReservation& reservation) const {
  const Duration left = reservation.expires - clock_.wall_now();
  Json out;
  out["expires_in_s"] = std::chrono::duration<double>(left).count();
  return out;
}

}  // namespace oc::interop
