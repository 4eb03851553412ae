// Whole overlays in one process: real sockets on loopback, one clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "crypto/sha.hpp"
#include "overlay/overlay.hpp"
#include "support/fake_resolver.hpp"
#include "support/run_async.hpp"

// In a coroutine, where ASSERT_TRUE cannot return.
#define CO_ASSERT_TRUE(condition)               \
  if (!(condition)) {                           \
    ADD_FAILURE() << #condition << " is false"; \
    co_return;                                  \
  }

namespace oc::test {

using namespace std::chrono_literals;

// A network whose secret costs nothing to derive.
inline overlay::Network network_of(const std::string& name, const std::string& password) {
  const overlay::NetworkName parsed = *overlay::parse_network_name(name);
  return {parsed, overlay::network_id(parsed),
          overlay::NetworkSecret(crypto::sha256({as_bytes(password)}))};
}

inline crypto::PrivateKey key_of(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random);
}

// A host with an overlay, listening on loopback.
struct OverlayNode {
  struct Options {
    std::uint64_t seed = 1;
    std::uint16_t port = 0;
    std::vector<overlay::Network> networks = {};
    std::uint64_t last_seq = 0;
    std::vector<codec::Multiaddr> announce = {};
    p2p::RelayOptions relay = {};
  };

  OverlayNode(Executor executor, Clock& clock, Options options)
      : random(options.seed * 1000),
        host(executor, clock, random, key_of(options.seed), identify_options(),
             {.resolver = &resolver}, std::move(options.relay)),
        overlay(host, clock, random,
                {{"node" + std::to_string(options.seed), "test", options.announce, options.last_seq,
                  [this] { return mapped; },
                  [this](const codec::Multiaddr& address) { return address == unreachable; }}},
                events()) {
    for (overlay::Network& network : options.networks) {
      EXPECT_TRUE(overlay.join(std::move(network)));
    }
    const auto listening = host.swarm().listen({asio::ip::address_v4::loopback(), options.port});
    EXPECT_TRUE(listening) << listening.error().message();
  }

  const codec::PeerId& id() const { return host.swarm().self(); }
  std::uint16_t port() const { return host.swarm().listen_port(false).value(); }
  bool knows(const OverlayNode& other) const {
    return overlay.membership().find_record(other.id()) != nullptr;
  }
  bool is_connected_to(const OverlayNode& other) const {
    return overlay.membership().connection_to(other.id()) != nullptr;
  }

  std::optional<codec::Multiaddr> mapped;       // by a router
  std::optional<codec::Multiaddr> unreachable;  // the one that others cannot reach
  std::vector<std::uint64_t> seqs;
  std::vector<std::string> changes;  // "<peer>+<network>" and "<peer>-<network>"
  std::function<void()> on_member_changed = [] {};
  FakeRandom random;
  FakeResolver resolver;
  p2p::Host host;
  overlay::Overlay overlay;

 private:
  p2p::IdentifyOptions identify_options() {
    p2p::IdentifyOptions options;
    options.agent_version = "open-chat/test";
    options.addresses = [this] { return overlay.own_addresses(); };
    options.record_seq = [] { return std::uint64_t{1}; };
    return options;
  }
  overlay::OverlayEvents events() {
    overlay::OverlayEvents events;
    events.seq_used = [this](std::uint64_t seq) { seqs.push_back(seq); };
    events.member_changed = [this](const codec::PeerId& peer, const overlay::NetworkName& network,
                                   bool online) {
      changes.push_back(peer.to_string() + (online ? "+" : "-") + network.value());
      on_member_changed();
    };
    return events;
  }
};

// The nodes of one test. Time passes only in until(), pass() and finish(): kStep of it for each
// turn in which the sockets get a millisecond.
class World {
 public:
  static constexpr Duration kStep = 10ms;
  static constexpr int kMostTurns = 4000;

  explicit World(Executor executor) : executor_(executor) {}

  OverlayNode& add(OverlayNode::Options options) {
    nodes_.push_back(std::make_unique<OverlayNode>(executor_, clock, std::move(options)));
    return *nodes_.back();
  }
  // A started node in one network.
  OverlayNode& member(std::uint64_t seed, const std::string& password = "password") {
    OverlayNode& node = add({.seed = seed, .networks = {network_of("home", password)}});
    node.overlay.start();
    return node;
  }
  void introduce(OverlayNode& to, const OverlayNode& peer) {
    EXPECT_TRUE(to.overlay.add_bootstrap(peer.overlay.own_bootstrap()));
  }

  // Lets time pass until the condition holds; false when it does not come to that.
  awaitable<bool> until(std::function<bool()> condition, Duration step = kStep) {
    for (int turn = 0; turn < kMostTurns; ++turn) {
      if (condition()) co_return true;
      co_await turn_once(step);
    }
    co_return condition();
  }
  // Larger steps are for times in which nothing has to get through.
  awaitable<void> pass(Duration time, Duration step = kStep) {
    const TimePoint end = clock.now() + time;
    while (clock.now() < end) co_await turn_once(step);
  }
  OverlayNode& node(std::size_t index) { return *nodes_.at(index); }
  // Runs a coroutine that waits for the clock.
  awaitable<bool> finish(awaitable<void> task) {
    TaskScope scope(executor_);
    scope.spawn("test", std::move(task));
    const bool done = co_await until([&scope] { return scope.size() == 0; });
    co_await scope.close();
    co_return done;
  }
  template <class T>
  awaitable<T> result_of(awaitable<T> task) {
    std::optional<T> result;
    EXPECT_TRUE(co_await finish(store_result(std::move(task), result)));
    co_return *std::move(result);
  }
  // Ends a node and forgets it.
  awaitable<void> remove(OverlayNode& node) {
    EXPECT_TRUE(co_await finish(close_node(node)));
    std::erase_if(nodes_, [&node](const auto& owned) { return owned.get() == &node; });
  }
  awaitable<void> close() {
    for (const auto& closer : closers_) EXPECT_TRUE(co_await finish(closer()));
    closers_.clear();
    while (!nodes_.empty()) co_await remove(*nodes_.front());
  }
  // What is to be ended before the nodes are.
  void before_close(std::function<awaitable<void>()> closer) {
    closers_.push_back(std::move(closer));
  }

  const Executor& executor() const { return executor_; }
  FakeClock clock;

 private:
  awaitable<void> turn_once(Duration step) {
    clock.advance(step);
    asio::steady_timer turn(executor_, 1ms);
    co_await turn.async_wait(asio::use_awaitable);
  }
  template <class T>
  static awaitable<void> store_result(awaitable<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
  static awaitable<void> close_node(OverlayNode& node) {
    co_await node.overlay.close();
    co_await node.host.swarm().close(1s);
  }

  Executor executor_;
  std::vector<std::unique_ptr<OverlayNode>> nodes_;
  std::vector<std::function<awaitable<void>()>> closers_;
};

// Runs a test's coroutine in a world of its own, and ends the world however the test ended.
template <class OfWorld = World, class Body>
void in_world(Body body) {
  log::configure(log::Level::off, log::Format::text);
  asio::io_context io;
  OfWorld world(io.get_executor());
  run_async(io, [&world, &body] { return body(world); }, std::chrono::seconds(20));
  run_async(io, [&world] { return world.close(); });
}

}  // namespace oc::test
