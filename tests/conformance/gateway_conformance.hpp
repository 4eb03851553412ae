// The suite that every implementation of p2p::Gateway passes: the contract of p2p/nat/gateway.hpp
// as tests. Instantiate it with a GatewayKind that shows a FakeRouter to the gateway.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "support/fake_router.hpp"
#include "support/run_async.hpp"

namespace oc::test {

// A gateway, and the router that it talks to.
class GatewayWorld {
 public:
  virtual ~GatewayWorld() = default;
  virtual p2p::Gateway& gateway() = 0;
  virtual awaitable<void> close() { co_return; }

  template <class T>
  awaitable<Result<T>> result_of(awaitable<Result<T>> operation) {
    return run_in_time<T>(clock, std::move(operation));
  }

  FakeClock clock;
  FakeRouter router;
};

struct GatewayKind {
  std::string name;
  std::function<std::unique_ptr<GatewayWorld>(Executor)> make;
};

inline std::string gateway_name(const testing::TestParamInfo<GatewayKind>& info) {
  return info.param.name;
}
inline void PrintTo(const GatewayKind& kind, std::ostream* out) { *out << kind.name; }

inline constexpr Port kInsidePort{1985};
inline constexpr p2p::MappingRequest kAnHour{kInsidePort, Port{1985}, std::chrono::hours(1)};

class GatewayConformance : public testing::TestWithParam<GatewayKind> {
 protected:
  using Test = awaitable<void> (*)(GatewayWorld&);

  void with_gateway(Test test) {
    run_async([test] { return drive(GetParam(), test); });
  }

 private:
  static awaitable<void> drive(GatewayKind kind, Test test) {
    const auto world = kind.make(co_await asio::this_coro::executor);
    co_await test(*world);
    co_await world->close();
  }
};

TEST_P(GatewayConformance, a_mapping_is_made_renewed_and_taken_back) {
  with_gateway([](GatewayWorld& world) -> awaitable<void> {
    auto address = co_await world.result_of(world.gateway().find());
    EXPECT_TRUE(address && *address == world.router.external);
    const std::map<std::uint16_t, std::uint16_t> mapped{{1985, 1985}};
    for (int round = 0; round < 2; ++round) {
      auto grant = co_await world.result_of(world.gateway().map(kAnHour));
      EXPECT_TRUE(grant && grant->external == Port(1985) && grant->lease == kAnHour.lease);
      EXPECT_EQ(world.router.mappings, mapped);
    }
    EXPECT_TRUE(co_await world.result_of(world.gateway().unmap(kInsidePort, Port(1985))));
    EXPECT_TRUE(world.router.mappings.empty());
    EXPECT_TRUE(co_await world.result_of(world.gateway().unmap(kInsidePort, Port(1985))))
        << "there is nothing to take back";
  });
}

TEST_P(GatewayConformance, nobody_is_asked_before_a_router_is_found) {
  with_gateway([](GatewayWorld& world) -> awaitable<void> {
    world.router.mappings[1985] = 1985;
    EXPECT_TRUE(co_await world.result_of(world.gateway().unmap(kInsidePort, Port(1985))));
    EXPECT_EQ(world.router.mappings.size(), 1u);
  });
}

TEST_P(GatewayConformance, the_port_of_somebody_else_is_not_taken_away) {
  with_gateway([](GatewayWorld& world) -> awaitable<void> {
    world.router.taken = {1985};
    EXPECT_TRUE(co_await world.result_of(world.gateway().find()));
    auto grant = co_await world.result_of(world.gateway().map(kAnHour));
    if (grant) {
      EXPECT_NE(grant->external, Port(1985));
      EXPECT_TRUE(world.router.mappings.contains(grant->external.value()));
    } else {
      EXPECT_EQ(grant.error(), p2p::NatErrc::port_taken);
    }
    EXPECT_FALSE(world.router.mappings.contains(1985));
  });
}

TEST_P(GatewayConformance, a_refusal_is_told) {
  with_gateway([](GatewayWorld& world) -> awaitable<void> {
    world.router.refuses = true;
    EXPECT_TRUE(co_await world.result_of(world.gateway().find()));
    auto grant = co_await world.result_of(world.gateway().map(kAnHour));
    EXPECT_TRUE(!grant && grant.error() == p2p::NatErrc::refused);
  });
}

TEST_P(GatewayConformance, a_router_without_an_address_is_of_no_use) {
  with_gateway([](GatewayWorld& world) -> awaitable<void> {
    world.router.external = {};
    auto address = co_await world.result_of(world.gateway().find());
    EXPECT_TRUE(!address && address.error() == p2p::NatErrc::not_connected);
  });
}

TEST_P(GatewayConformance, silence_is_no_gateway_and_one_may_come_later) {
  with_gateway([](GatewayWorld& world) -> awaitable<void> {
    world.router.present = false;
    auto address = co_await world.result_of(world.gateway().find());
    EXPECT_TRUE(!address && address.error() == p2p::NatErrc::no_gateway);
    world.router.present = true;
    EXPECT_TRUE(co_await world.result_of(world.gateway().find()));
  });
}

TEST_P(GatewayConformance, a_cancelled_search_ends_at_once) {
  with_gateway([](GatewayWorld& world) -> awaitable<void> {
    world.router.present = false;
    Operation<asio::ip::address_v4> search(co_await asio::this_coro::executor,
                                           world.gateway().find());
    search.cancel();
    auto address = co_await search.result();
    EXPECT_TRUE(!address && address.error() == Errc::cancelled);
  });
}

}  // namespace oc::test
