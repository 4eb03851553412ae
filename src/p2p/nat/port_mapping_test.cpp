#include "p2p/nat/port_mapping.hpp"

#include "base/log.hpp"
#include "support/fake_router.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::FakeGateway;
using Step = FakeGateway::Step;
using asio::ip::make_address_v4;

// A mapping with two gateways, each with a router of its own.
struct Rig {
  explicit Rig(Executor executor) {
    log::configure(log::Level::off, log::Format::text);
    auto first = std::make_unique<FakeGateway>(router, "first");
    auto second = std::make_unique<FakeGateway>(other_router, "second");
    gateway = first.get();
    std::vector<std::unique_ptr<Gateway>> gateways;
    gateways.push_back(std::move(first));
    gateways.push_back(std::move(second));
    PortMappingOptions options;
    options.wanted = [this] { return wanted; };
    options.changed = [this] { told.push_back(mapping->external()); };
    mapping.emplace(executor, clock, random, std::move(gateways), std::move(options));
    other_router.present = false;
  }

  awaitable<void> start() {
    mapping->start(Port(1985));
    co_await test::turns(50);
  }
  awaitable<void> pass(Duration time) {
    clock.advance(time);
    co_await test::turns(50);
  }
  std::string external() const {
    const auto address = mapping->external();
    return address ? address->to_string() : "none";
  }
  // Starts closing; the clock does not move.
  awaitable<std::unique_ptr<test::Operation<void>>> closing() {
    auto running =
        std::make_unique<test::Operation<void>>(co_await asio::this_coro::executor, close());
    co_await test::turns(50);
    co_return running;
  }
  awaitable<Result<void>> close() {
    co_await mapping->close();
    co_return success();
  }

  FakeClock clock;
  FakeRandom random{7};
  test::FakeRouter router, other_router;
  FakeGateway* gateway = nullptr;
  bool wanted = true;
  std::vector<std::optional<codec::Multiaddr>> told;
  std::optional<PortMapping> mapping;
};

void in_rig(awaitable<void> (*body)(Rig&)) {
  test::run_async([body]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor);
    co_await body(rig);
    rig.gateway->hangs_at = Step::none;
    co_await rig.mapping->close();
  });
}

TEST(PortMapping, is_made_at_the_start_and_told) {
  in_rig([](Rig& rig) -> awaitable<void> {
    EXPECT_EQ(rig.external(), "none");
    EXPECT_TRUE(rig.mapping->status().protocol.empty());
    co_await rig.start();
    EXPECT_EQ(rig.external(), "/ip4/203.0.113.5/tcp/1985");
    EXPECT_EQ(rig.told, std::vector{rig.mapping->external()});
    const PortMappingStatus status = rig.mapping->status();
    EXPECT_EQ(status.protocol, "first");
    EXPECT_EQ(status.address, rig.router.external);
    EXPECT_EQ(status.port, Port(1985));
    EXPECT_EQ(status.lease_left, 1h);
    EXPECT_TRUE(status.useful);
    EXPECT_FALSE(status.last_error);
  });
}

TEST(PortMapping, is_renewed_at_half_of_its_lease) {
  in_rig([](Rig& rig) -> awaitable<void> {
    co_await rig.start();
    co_await rig.pass(29min + 59s);
    EXPECT_EQ(rig.router.asked, 1);
    co_await rig.pass(1s);
    EXPECT_EQ(rig.router.asked, 2);
    EXPECT_EQ(rig.mapping->status().lease_left, 1h);
    EXPECT_EQ(rig.told.size(), 1u) << "nothing changed";
    rig.router.longest_lease = 60s;
    co_await rig.pass(30min);
    co_await rig.pass(30s);
    EXPECT_EQ(rig.router.asked, 4) << "half of what the router gave";
  });
}

TEST(PortMapping, with_a_lease_of_next_to_nothing_is_none) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.router.longest_lease = 9s;
    co_await rig.start();
    EXPECT_EQ(rig.external(), "none");
    EXPECT_EQ(rig.mapping->status().last_error, NatErrc::bad_reply);
    co_await rig.pass(59s);
    EXPECT_EQ(rig.router.asked, 1);
  });
}

TEST(PortMapping, comes_from_the_next_gateway_when_one_has_none) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.router.present = false;
    rig.other_router.present = true;
    co_await rig.start();
    EXPECT_EQ(rig.mapping->status().protocol, "second");
    co_await rig.pass(30min);
    const auto counters = rig.mapping->counters();
    EXPECT_EQ(counters[0].protocol, "first");
    EXPECT_EQ(counters[0].attempts, 1u);
    EXPECT_EQ(counters[0].failures, 1u);
    EXPECT_EQ(counters[1].attempts, 2u) << "who holds it is asked first";
    EXPECT_EQ(counters[1].failures, 0u);
  });
}

TEST(PortMapping, is_asked_for_ever_less_often_while_nobody_answers) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.router.present = false;
    co_await rig.start();
    EXPECT_EQ(rig.mapping->status().last_error, NatErrc::no_gateway);
    std::uint64_t attempts = 1;
    for (const Duration wait : {1min, 2min, 4min, 8min, 16min, 30min, 30min}) {
      co_await rig.pass(wait - 1s);
      EXPECT_EQ(rig.mapping->counters()[0].attempts, attempts);
      co_await rig.pass(1s);
      EXPECT_EQ(rig.mapping->counters()[0].attempts, ++attempts);
    }
    rig.router.present = true;
    co_await rig.pass(30min);
    EXPECT_EQ(rig.external(), "/ip4/203.0.113.5/tcp/1985");
  });
}

TEST(PortMapping, is_asked_for_at_once_when_interfaces_changed) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.router.present = false;
    co_await rig.start();
    co_await rig.pass(1min);
    rig.router.present = true;
    rig.mapping->interfaces_changed();
    co_await test::turns(50);
    EXPECT_EQ(rig.external(), "/ip4/203.0.113.5/tcp/1985");
  });
}

TEST(PortMapping, takes_another_port_when_somebody_has_the_first) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.router.taken = {1985};
    co_await rig.start();
    EXPECT_EQ(rig.router.asked, 2);
    const Port port = rig.mapping->status().port;
    EXPECT_GE(port.value(), kFirstPrivatePort);
    EXPECT_EQ(rig.external(), "/ip4/203.0.113.5/tcp/" + std::to_string(port.value()));
    EXPECT_EQ(rig.router.mappings.at(port.value()), 1985);
    co_await rig.pass(30min);
    EXPECT_EQ(rig.mapping->status().port, port) << "and keeps it";
    EXPECT_EQ(rig.router.asked, 3);
  });
}

TEST(PortMapping, gives_up_after_some_ports) {
  in_rig([](Rig& rig) -> awaitable<void> {
    for (int port = 0; port < 65536; ++port)
      rig.router.taken.insert(static_cast<std::uint16_t>(port));
    co_await rig.start();
    EXPECT_EQ(rig.router.asked, 1 + kOtherPorts);
    EXPECT_EQ(rig.mapping->status().last_error, NatErrc::port_taken);
  });
}

TEST(PortMapping, follows_the_routers_address) {
  in_rig([](Rig& rig) -> awaitable<void> {
    co_await rig.start();
    rig.router.external = make_address_v4("198.51.100.9");
    co_await rig.pass(30min);
    EXPECT_EQ(rig.external(), "/ip4/198.51.100.9/tcp/1985");
    EXPECT_EQ(rig.told.size(), 2u);
  });
}

TEST(PortMapping, behind_a_second_nat_is_shown_and_not_told) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.router.external = make_address_v4("100.64.0.9");
    co_await rig.start();
    EXPECT_EQ(rig.external(), "none");
    EXPECT_TRUE(rig.told.empty());
    EXPECT_EQ(rig.mapping->status().protocol, "first");
    EXPECT_FALSE(rig.mapping->status().useful);
    for (const char* other : {"10.0.0.2", "192.168.1.2", "169.254.1.1", "127.0.0.1", "224.0.0.1"}) {
      rig.router.external = make_address_v4(other);
      co_await rig.pass(30min);
      EXPECT_EQ(rig.external(), "none") << other;
    }
    rig.router.external = make_address_v4("203.0.113.5");
    co_await rig.pass(30min);
    EXPECT_EQ(rig.external(), "/ip4/203.0.113.5/tcp/1985");
    EXPECT_EQ(rig.told.size(), 1u);
  });
}

TEST(PortMapping, outlasts_silence_to_the_end_of_its_lease) {
  in_rig([](Rig& rig) -> awaitable<void> {
    co_await rig.start();
    rig.router.present = false;
    co_await rig.pass(30min);
    for (int minute = 30; minute < 60; ++minute) {
      EXPECT_EQ(rig.external(), "/ip4/203.0.113.5/tcp/1985") << minute;
      co_await rig.pass(1min);
    }
    EXPECT_EQ(rig.external(), "none");
    EXPECT_EQ(rig.told.back(), std::nullopt);
    EXPECT_EQ(rig.told.size(), 2u);
  });
}

TEST(PortMapping, ends_with_the_routers_refusal_to_renew_it) {
  in_rig([](Rig& rig) -> awaitable<void> {
    co_await rig.start();
    rig.router.refuses = true;
    co_await rig.pass(30min);
    EXPECT_EQ(rig.external(), "none");
    EXPECT_EQ(rig.mapping->status().last_error, NatErrc::refused);
    rig.router.refuses = false;
    co_await rig.pass(1min);
    EXPECT_EQ(rig.external(), "/ip4/203.0.113.5/tcp/1985") << "and may come back";
  });
}

TEST(PortMapping, of_another_network_is_not_believed) {
  in_rig([](Rig& rig) -> awaitable<void> {
    co_await rig.start();
    rig.router.present = false;
    rig.mapping->interfaces_changed();
    co_await test::turns(50);
    EXPECT_EQ(rig.external(), "none");
  });
}

TEST(PortMapping, is_not_asked_for_while_it_is_of_no_use) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.wanted = false;
    co_await rig.start();
    co_await rig.pass(2h);
    EXPECT_EQ(rig.mapping->counters()[0].attempts, 0u);
    rig.wanted = true;
    rig.mapping->interfaces_changed();
    co_await test::turns(50);
    EXPECT_EQ(rig.external(), "/ip4/203.0.113.5/tcp/1985");
    rig.wanted = false;
    rig.mapping->interfaces_changed();
    co_await test::turns(50);
    EXPECT_EQ(rig.external(), "none");
  });
}

TEST(PortMapping, a_gateway_that_hangs_does_not_keep_the_next_from_being_asked) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.gateway->hangs_at = Step::find;
    rig.other_router.present = true;
    co_await rig.start();
    EXPECT_EQ(rig.external(), "none");
    co_await rig.pass(kFindTime);
    EXPECT_EQ(rig.mapping->status().protocol, "second");
  });
}

TEST(PortMapping, a_request_that_hangs_is_given_up) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.gateway->hangs_at = Step::map;
    rig.other_router.present = true;
    co_await rig.start();
    EXPECT_EQ(rig.external(), "none");
    co_await rig.pass(kMapTime);
    EXPECT_EQ(rig.mapping->status().protocol, "second");
  });
}

TEST(PortMapping, is_taken_back_at_the_end) {
  in_rig([](Rig& rig) -> awaitable<void> {
    co_await rig.start();
    EXPECT_EQ(rig.router.mappings.size(), 1u);
    co_await rig.mapping->close();
    EXPECT_TRUE(rig.router.mappings.empty());
    EXPECT_EQ(rig.external(), "none");
    EXPECT_EQ(rig.clock.pending(), 0u);
  });
}

TEST(PortMapping, that_is_just_being_made_is_taken_back_too) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.gateway->hangs_at = Step::map;
    co_await rig.start();
    EXPECT_EQ(rig.gateway->under_way(), Step::map);
    const auto closing = co_await rig.closing();
    EXPECT_FALSE(closing->done());
    rig.gateway->release();
    EXPECT_TRUE(co_await closing->result());
    EXPECT_EQ(rig.router.asked, 1);
    EXPECT_TRUE(rig.router.mappings.empty());
  });
}

TEST(PortMapping, that_is_being_made_after_a_conflict_is_taken_back_too) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.router.taken = {1985};
    rig.gateway->hangs_at = Step::map;
    co_await rig.start();
    rig.gateway->release();
    co_await test::turns(50);
    EXPECT_EQ(rig.router.asked, 1);
    EXPECT_EQ(rig.gateway->under_way(), Step::map);
    const auto closing = co_await rig.closing();
    rig.gateway->release();
    EXPECT_TRUE(co_await closing->result());
    EXPECT_EQ(rig.router.asked, 2);
    EXPECT_TRUE(rig.router.mappings.empty());
  });
}

TEST(PortMapping, the_end_waits_for_no_search) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.gateway->hangs_at = Step::find;
    co_await rig.start();
    EXPECT_EQ(rig.gateway->under_way(), Step::find);
    EXPECT_TRUE((co_await rig.closing())->done());
    EXPECT_EQ(rig.clock.pending(), 0u);
  });
}

TEST(PortMapping, the_end_waits_for_a_request_only_so_long) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.gateway->hangs_at = Step::map;
    co_await rig.start();
    const auto closing = co_await rig.closing();
    co_await rig.pass(kLastRequestTime);
    EXPECT_TRUE(closing->done());
  });
}

TEST(PortMapping, the_end_waits_for_removal_only_so_long) {
  in_rig([](Rig& rig) -> awaitable<void> {
    co_await rig.start();
    rig.gateway->hangs_at = Step::unmap;
    const auto closing = co_await rig.closing();
    EXPECT_EQ(rig.gateway->under_way(), Step::unmap);
    EXPECT_FALSE(closing->done());
    co_await rig.pass(kRemovalTime);
    EXPECT_TRUE(closing->done());
  });
}

TEST(PortMapping, that_was_never_started_can_be_closed) {
  in_rig([](Rig& rig) -> awaitable<void> {
    EXPECT_TRUE((co_await rig.closing())->done());
    EXPECT_EQ(rig.router.asked, 0);
  });
}

}  // namespace
}  // namespace oc::p2p
