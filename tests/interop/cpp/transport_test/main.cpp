// Our app for the transport test of libp2p/unified-testing: the dialer that measures, or the
// listener that it meets.
//
//   listener   listens ──▶ RPUSH <key> <its multiaddr> ──▶ serves until it is ended
//   dialer     BLPOP <key> ──▶ connects ──▶ pings once ──▶ prints the times, in YAML
//
// The page that describes it says that the listener sets the key and the dialer polls it; the apps
// there use a list, which is what the harness's proxy for older apps knows too.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <stdexcept>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "environment.hpp"
#include "harness/peer.hpp"
#include "harness/redis.hpp"

namespace oc::transport_test {
namespace {

using harness::Peer;
using harness::Redis;

template <class T>
T value_of(Result<T> result, const std::string& doing) {
  if (!result) throw std::runtime_error(doing + ": " + result.error().message());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// The dialer

struct Latency {
  Duration handshake_plus_one_rtt{};  // from the start of the dial to the end of the first ping
  Duration ping_rtt{};
};

awaitable<Result<Latency>> measure(Peer& peer, codec::Multiaddr address) {
  const auto id = address.peer_id();
  if (!id) co_return Errc::malformed;
  const TimePoint began = peer.clock().now();
  std::vector<codec::Multiaddr> addresses{address.without_peer()};
  CO_TRY(auto connection, co_await peer.swarm().dial(*id, std::move(addresses)));
  CO_TRY(const auto times, co_await peer.ping().measure(std::move(connection), 1));
  co_return Latency{peer.clock().now() - began, times.front()};
}

double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

void dial(const Environment& environment, Redis& redis) {
  const std::string text = redis.pop(environment.redis_key, environment.timeout);
  const auto address = value_of(codec::Multiaddr::parse(text), text);
  Peer peer(environment.security);
  const auto latency = value_of(
      peer.run(with_deadline(peer.clock(), environment.timeout, measure(peer, address))), text);
  fmt::print("latency:\n  handshake_plus_one_rtt: {:.3f}\n  ping_rtt: {:.3f}\n  unit: ms\n",
             milliseconds(latency.handshake_plus_one_rtt), milliseconds(latency.ping_rtt));
}

// The listener

awaitable<Result<void>> asked_to_end() {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  auto [error, signal] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
  (void)signal;
  if (error) co_return error;
  co_return success();
}

void listen(const Environment& environment, Redis& redis) {
  Peer peer(environment.security);
  p2p::Swarm& swarm = peer.swarm();
  value_of(swarm.listen({environment.listener_ip, 0}), "listening");
  // Loopback is the last, and where there is another, the dialer has to come by that.
  const auto address = swarm.listen_addresses().at(0).with_peer(swarm.self());
  redis.push(environment.redis_key, address.to_string());
  log::info("listening on {}", address.to_string());
  value_of(peer.run(with_deadline(peer.clock(), environment.timeout, asked_to_end())),
           "waiting for the end of the run");
}

void follow(const Environment& environment) {
  log::configure(environment.debug ? log::Level::debug : log::Level::warn, log::Format::text);
  std::signal(SIGPIPE, SIG_IGN);
  Redis redis(environment.redis);
  environment.is_dialer ? dial(environment, redis) : listen(environment, redis);
}

}  // namespace
}  // namespace oc::transport_test

int main() try {
  oc::transport_test::follow(oc::transport_test::read_environment());
} catch (const std::exception& error) {
  fmt::print(stderr, "transport-test: {}\n", error.what());
  return 1;
}
