// Swarms on loopback under a clock that stands still: what waits for time waits until the test
// says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "p2p/swarm/swarm.hpp"
#include "support/fake_resolver.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::test {

struct SwarmRig {
  SwarmRig(Executor executor, std::uint64_t seed, p2p::SwarmOptions options = {})
      : random(seed),
        swarm(executor, clock, random, crypto::PrivateKey::generate(random),
              with_resolver(std::move(options))) {
    EXPECT_TRUE(swarm.listen({asio::ip::address_v4::loopback(), 0}));
    p2p::SwarmEvents events;
    events.connected = [this](const p2p::ConnectionPtr& connection) {
      EXPECT_EQ(swarm.connections_to(connection->peer()).empty(), false);
      ++connected;
    };
    events.disconnected = [this](const p2p::ConnectionPtr&, error_code) { ++disconnected; };
    swarm.observe(std::move(events));
  }

  const codec::PeerId& id() const { return swarm.self(); }
  std::vector<codec::Multiaddr> addresses() const { return swarm.listen_addresses(); }
  net::TcpAddress address() const { return *net::to_tcp_address(addresses().front()); }

  // Closes the swarm, letting its time pass; gives how much that took.
  awaitable<Duration> close() {
    Operation<void> closing(swarm.executor(), close_swarm(swarm));
    const TimePoint start = clock.now();
    for (co_await settle(); !closing.done(); co_await settle())
      clock.advance(std::chrono::milliseconds(50));
    EXPECT_TRUE(co_await closing.result());
    co_return clock.now() - start;
  }

  FakeClock clock;
  FakeRandom random;
  FakeResolver resolver;
  p2p::Swarm swarm;
  int connected = 0;
  int disconnected = 0;

 private:
  p2p::SwarmOptions with_resolver(p2p::SwarmOptions options) {
    options.resolver = &resolver;
    return options;
  }
  static awaitable<Result<void>> close_swarm(p2p::Swarm& swarm) {
    co_await swarm.close();
    co_return success();
  }
};

// A connection from a to b, known to both.
inline awaitable<p2p::ConnectionPtr> connect(SwarmRig& a, SwarmRig& b) {
  auto dialed = co_await a.swarm.dial(b.id(), b.addresses());
  EXPECT_TRUE(dialed);
  co_await settle();
  EXPECT_NE(b.swarm.connection_to(a.id()), nullptr);
  co_return dialed ? *dialed : nullptr;
}

inline awaitable<void> close_all(SwarmRig& a, SwarmRig& b) {
  (void)co_await a.close();
  (void)co_await b.close();
}

}  // namespace oc::test
