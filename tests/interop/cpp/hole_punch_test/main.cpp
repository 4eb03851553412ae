// Our app for the hole-punch test of libp2p/test-plans: one of two peers behind NATs that meet at a
// relay, and then connect directly (DCUtR).
//
//   relay      RPUSH RELAY_TCP_ADDRESS <its multiaddr>, once for each peer
//   listener   BLPOP RELAY_TCP_ADDRESS ──▶ reserves ──▶ RPUSH LISTEN_CLIENT_PEER_ID <its id>
//              ──▶ serves until it is ended; punches as B of src/p2p/protocols/dcutr/dcutr.hpp
//   dialer     BLPOP RELAY_TCP_ADDRESS ──▶ BLPOP LISTEN_CLIENT_PEER_ID ──▶ dials the circuit
//              ──▶ punches as A ──▶ pings once, directly ──▶ prints the time, in JSON
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <future>
#include <stdexcept>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "environment.hpp"
#include "harness/peer.hpp"
#include "harness/redis.hpp"
#include "p2p/swarm/circuit_address.hpp"
#include "p2p/upgrade/upgrade.hpp"

namespace oc::hole_punch_test {
namespace {

using harness::Peer;
using harness::Redis;

constexpr const char* kRelayKey = "RELAY_TCP_ADDRESS";
constexpr const char* kListenerKey = "LISTEN_CLIENT_PEER_ID";
// As long as the harness lets a test run.
constexpr std::chrono::seconds kRunTimeout{180};
// For three tries of DCUtR, and a plain dial before them.
constexpr Duration kDirectWithin = std::chrono::seconds(30);
constexpr Duration kObservedWithin = std::chrono::seconds(10);
constexpr Duration kLookEvery = std::chrono::milliseconds(5);

template <class T>
T value_of(Result<T> result, const std::string& doing) {
  if (!result) throw std::runtime_error(doing + ": " + result.error().message());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

void wait_until(Peer& peer, Duration limit, const std::string& what,
                const std::function<bool()>& holds) {
  const TimePoint end = peer.clock().now() + limit;
  while (!holds()) {
    if (peer.clock().now() >= end) throw std::runtime_error(what + ": not in time");
    value_of(peer.run(peer.clock().sleep_for(kLookEvery)), what);
  }
}

// The peer goes on while Redis is waited for.
std::string pop(Peer& peer, Redis& redis, const char* key) {
  const auto wait = [&redis, key] { return redis.pop(key, kRunTimeout); };
  auto popped = std::async(std::launch::async, wait);
  const auto come = [&popped] {
    return popped.wait_for(Duration::zero()) == std::future_status::ready;
  };
  wait_until(peer, kRunTimeout * 2, key, come);
  return popped.get();
}

struct Relay {
  p2p::ConnectionPtr connection;
  codec::Multiaddr address;  // without /p2p
};

// Connects to the relay, and learns from it where it sees this peer.
Relay meet_relay(Peer& peer, Redis& redis) {
  value_of(peer.swarm().listen({asio::ip::address_v4::any(), 0}), "listening");
  const std::string text = redis.pop(kRelayKey, kRunTimeout);
  const auto address = value_of(codec::Multiaddr::parse(text), text);
  const auto id = address.peer_id();
  if (!id) throw std::runtime_error(text + " does not end in /p2p/<peer id>");
  std::vector<codec::Multiaddr> addresses{address.without_peer()};
  Relay relay{value_of(peer.run(peer.swarm().dial(*id, addresses)), text), addresses.front()};
  wait_until(peer, kObservedWithin, "what the relay says of us",
             [&relay] { return relay.connection->info().has_value(); });
  return relay;
}

awaitable<Result<void>> asked_to_end() {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  auto [error, signal] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
  (void)signal;
  if (error) co_return error;
  co_return success();
}

void listen(Peer& peer, Redis& redis) {
  const Relay relay = meet_relay(peer, redis);
  value_of(peer.run(peer.relay_client().reserve(relay.connection)), "reserving");
  redis.push(kListenerKey, peer.swarm().self().to_string());
  value_of(peer.run(with_deadline(peer.clock(), kRunTimeout, asked_to_end())),
           "waiting for the end of the run");
}

void dial(Peer& peer, Redis& redis) {
  const Relay relay = meet_relay(peer, redis);
  const std::string text = pop(peer, redis, kListenerKey);
  const auto listener = value_of(codec::PeerId::parse(text), text);
  std::vector<codec::Multiaddr> circuit{p2p::make_circuit(relay.address, relay.connection->peer())};
  value_of(peer.run(peer.swarm().dial(listener, std::move(circuit))), "dialing the circuit");
  p2p::ConnectionPtr best;
  wait_until(peer, kDirectWithin, "a direct connection", [&] {
    best = peer.swarm().connection_to(listener);
    return best != nullptr && best->facts().direct();
  });
  const auto times = value_of(peer.run(peer.ping().measure(best, 1)), "ping");
  fmt::print("{{\"rtt_to_holepunched_peer_millis\": {:.3f}}}\n",
             std::chrono::duration<double, std::milli>(times.front()).count());
}

// The internet of the harness has private addresses, which are dialed for those only whom somebody
// vouches for.
void vouch_for_everybody(Peer& peer) {
  p2p::SwarmEvents events;
  events.connected = [](const p2p::ConnectionPtr& connection) { connection->trust(); };
  peer.swarm().observe(std::move(events));
}

void follow(const Environment& environment) {
  log::configure(environment.debug ? log::Level::debug : log::Level::warn, log::Format::text);
  std::signal(SIGPIPE, SIG_IGN);
  Redis redis(environment.redis_host, environment.redis_port);
  Peer peer(p2p::kNoiseId);
  vouch_for_everybody(peer);
  environment.is_dialer ? dial(peer, redis) : listen(peer, redis);
}

}  // namespace
}  // namespace oc::hole_punch_test

int main() try {
  oc::hole_punch_test::follow(oc::hole_punch_test::read_environment());
} catch (const std::exception& error) {
  fmt::print(stderr, "hole-punch-test: {}\n", error.what());
  return 1;
}
