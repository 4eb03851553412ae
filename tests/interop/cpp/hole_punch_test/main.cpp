// Our app for the hole-punch tests of libp2p/test-plans and libp2p/unified-testing: one of two
// peers behind NATs that meet at a relay, and then connect directly (DCUtR).
//
//   relay      tells its multiaddr, in Redis
//   listener   waits for that ──▶ reserves ──▶ tells its id ──▶ serves until it is ended
//              punches as B of src/p2p/protocols/dcutr/dcutr.hpp
//   dialer     waits for that ──▶ waits for the listener's id ──▶ dials the circuit
//              ──▶ punches as A ──▶ pings once, directly ──▶ prints the times
//
// In test-plans, each name is a list from which every reader takes a value; in unified-testing, a
// value that readers look for again and again.
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

namespace oc::hole_punch_test {
namespace {

using harness::Peer;
using harness::Redis;

// As long as the harness lets a test run.
constexpr std::chrono::seconds kRunTimeout{180};
// For three tries of DCUtR, and a plain dial before them.
constexpr Duration kDirectWithin = std::chrono::seconds(30);
constexpr Duration kObservedWithin = std::chrono::seconds(10);
constexpr Duration kLookEvery = std::chrono::milliseconds(5);
constexpr Duration kAskRedisEvery = std::chrono::milliseconds(100);

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

std::string taken(Peer& peer, Redis& redis, const std::string& list) {
  const auto wait = [&redis, &list] { return redis.pop(list, kRunTimeout); };
  auto popped = std::async(std::launch::async, wait);
  const auto come = [&popped] {
    return popped.wait_for(Duration::zero()) == std::future_status::ready;
  };
  wait_until(peer, kRunTimeout * 2, list, come);
  return popped.get();
}

std::string looked_up(Peer& peer, Redis& redis, const std::string& name) {
  const TimePoint end = peer.clock().now() + kRunTimeout;
  for (;;) {
    if (auto value = redis.get(name)) return *std::move(value);
    if (peer.clock().now() >= end) throw std::runtime_error(name + ": not in time");
    value_of(peer.run(peer.clock().sleep_for(kAskRedisEvery)), name);
  }
}

// A run: who is in it, and how they tell each other of themselves. The peer goes on while Redis is
// waited for.
struct Run {
  const Environment& environment;
  Peer& peer;
  Redis& redis;

  std::string told(const std::string& name) {
    if (environment.harness == Harness::test_plans) return taken(peer, redis, name);
    return looked_up(peer, redis, name);
  }
  void tell(const std::string& name, const std::string& value) {
    if (environment.harness == Harness::test_plans) return redis.push(name, value);
    redis.set(name, value);
  }
};

struct Relay {
  p2p::ConnectionPtr connection;
  codec::Multiaddr address;  // without /p2p
};

// Connects to the relay, and learns from it where it sees this peer.
Relay meet_relay(Run& run) {
  Peer& peer = run.peer;
  value_of(peer.swarm().listen({run.environment.own_ip, 0}), "listening");
  const std::string text = run.told(run.environment.relay_key);
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

void listen(Run& run) {
  Peer& peer = run.peer;
  const Relay relay = meet_relay(run);
  value_of(peer.run(peer.relay_client().reserve(relay.connection)), "reserving");
  run.tell(run.environment.listener_key, peer.swarm().self().to_string());
  value_of(peer.run(with_deadline(peer.clock(), kRunTimeout, asked_to_end())),
           "waiting for the end of the run");
}

double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

void print(Harness harness, Duration all, Duration ping) {
  if (harness == Harness::test_plans) {
    fmt::print("{{\"rtt_to_holepunched_peer_millis\": {:.3f}}}\n", milliseconds(ping));
    return;
  }
  fmt::print("latency:\n  handshake_plus_one_rtt: {:.3f}\n  ping_rtt: {:.3f}\n  unit: ms\n",
             milliseconds(all), milliseconds(ping));
}

void dial(Run& run) {
  Peer& peer = run.peer;
  const Relay relay = meet_relay(run);
  const std::string text = run.told(run.environment.listener_key);
  const auto listener = value_of(codec::PeerId::parse(text), text);
  std::vector<codec::Multiaddr> circuit{p2p::make_circuit(relay.address, relay.connection->peer())};
  const TimePoint began = peer.clock().now();
  value_of(peer.run(peer.swarm().dial(listener, std::move(circuit))), "dialing the circuit");
  p2p::ConnectionPtr best;
  wait_until(peer, kDirectWithin, "a direct connection", [&] {
    best = peer.swarm().connection_to(listener);
    return best != nullptr && best->facts().direct();
  });
  const auto times = value_of(peer.run(peer.ping().measure(best, 1)), "ping");
  print(run.environment.harness, peer.clock().now() - began, times.front());
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
  Redis redis(environment.redis);
  Peer peer(environment.security);
  vouch_for_everybody(peer);
  Run run{environment, peer, redis};
  environment.is_dialer ? dial(run) : listen(run);
}

}  // namespace
}  // namespace oc::hole_punch_test

int main() try {
  oc::hole_punch_test::follow(oc::hole_punch_test::read_environment());
} catch (const std::exception& error) {
  fmt::print(stderr, "hole-punch-test: {}\n", error.what());
  return 1;
}
