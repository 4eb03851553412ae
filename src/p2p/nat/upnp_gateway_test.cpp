#include "p2p/nat/upnp_gateway.hpp"

#include "support/fake_router.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using test::run_in_time;
using Actions = std::vector<std::string>;
constexpr MappingRequest kAnHour{Port(1985), Port(1985), std::chrono::hours(1)};

struct Rig {
  explicit Rig(const Executor& executor)
      : device(executor, router), gateway(clock, {device.search_address()}) {}

  template <class T>
  awaitable<Result<T>> result_of(awaitable<Result<T>> operation) {
    return run_in_time<T>(clock, std::move(operation));
  }

  FakeClock clock;
  test::FakeRouter router;
  test::FakeIgd device;
  UpnpGateway gateway;
};

void in_rig(awaitable<void> (*body)(Rig&)) {
  test::run_async([body]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor);
    co_await body(rig);
    co_await rig.device.close();
  });
}

TEST(UpnpGateway, a_known_device_is_not_searched_for_again) {
  in_rig([](Rig& rig) -> awaitable<void> {
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
    rig.device.location = "http://127.0.0.1:1/";
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
    EXPECT_EQ(rig.device.actions(), (Actions{"GetExternalIPAddress", "GetExternalIPAddress"}));
  });
}

TEST(UpnpGateway, a_device_that_is_gone_is_searched_for_again) {
  in_rig([](Rig& rig) -> awaitable<void> {
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
    rig.device.instead = "";
    EXPECT_FALSE(co_await rig.result_of(rig.gateway.find()));
    rig.device.instead.reset();
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
  });
}

TEST(UpnpGateway, takes_a_mapping_back_though_the_device_was_not_there_meanwhile) {
  in_rig([](Rig& rig) -> awaitable<void> {
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.map(kAnHour)));
    rig.device.instead = "";
    EXPECT_FALSE(co_await rig.result_of(rig.gateway.find()));
    rig.device.instead.reset();
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.unmap(Port(1985), Port(1985))));
    EXPECT_TRUE(rig.router.mappings.empty());
  });
}

TEST(UpnpGateway, a_router_that_knows_no_leases_maps_for_good) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.device.only_permanent = true;
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
    auto grant = co_await rig.result_of(rig.gateway.map(kAnHour));
    EXPECT_TRUE(grant && !grant->lease);
    EXPECT_EQ(rig.router.mappings.size(), 1u);
  });
}

TEST(UpnpGateway, a_conflict_with_ones_own_mapping_is_resolved) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.device.renewal_is_conflict = true;
    rig.router.mappings[1985] = 1985;  // of this machine, before a crash
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.map(kAnHour)));
    EXPECT_EQ(rig.device.actions(),
              (Actions{"GetExternalIPAddress", "AddPortMapping", "GetSpecificPortMappingEntry",
                       "DeletePortMapping", "AddPortMapping"}));
    rig.router.mappings = {{1985, 22}};  // of another program here
    auto grant = co_await rig.result_of(rig.gateway.map(kAnHour));
    EXPECT_TRUE(!grant && grant.error() == NatErrc::port_taken);
    EXPECT_EQ(rig.router.mappings.at(1985), 22);
  });
}

TEST(UpnpGateway, a_device_that_points_elsewhere_is_not_followed) {
  in_rig([](Rig& rig) -> awaitable<void> {
    rig.device.location = "http://127.0.0.2:80/";
    auto address = co_await rig.result_of(rig.gateway.find());
    EXPECT_TRUE(!address && address.error() == NatErrc::no_gateway);
    rig.device.location.replace(7, 9, "127.0.0.1");
    rig.device.control_url = "http://127.0.0.2:80/ctl";
    EXPECT_FALSE(co_await rig.result_of(rig.gateway.find()));
    EXPECT_TRUE(rig.device.actions().empty());
  });
}

TEST(UpnpGateway, nonsense_and_floods_end_as_errors) {
  in_rig([](Rig& rig) -> awaitable<void> {
    for (const std::string& body :
         {std::string("<"), std::string(kMaxUpnpBody + 1, 'x'), std::string(1000, '<')}) {
      rig.device.instead = body;
      auto address = co_await rig.result_of(rig.gateway.find());
      EXPECT_TRUE(!address && address.error() == NatErrc::no_gateway);
    }
  });
}

TEST(UpnpGateway, an_external_address_that_is_none_is_no_address) {
  in_rig([](Rig& rig) -> awaitable<void> {
    EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
    for (const char* text : {"203.0.113", "::1", "router", "203.0.113.5; rm"}) {
      rig.device.instead =
          "<x><NewExternalIPAddress>" + std::string(text) + "</NewExternalIPAddress></x>";
      EXPECT_FALSE(co_await rig.result_of(rig.gateway.find())) << text;
      rig.device.instead.reset();
      EXPECT_TRUE(co_await rig.result_of(rig.gateway.find()));
    }
  });
}

// A device that takes the connection and says nothing.
TEST(UpnpGateway, a_device_that_hangs_costs_its_time_and_no_more) {
  in_rig([](Rig& rig) -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto silent = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    rig.device.location = "http://" + net::to_text(silent->local()) + "/";
    const TimePoint begin = rig.clock.now();
    auto address = co_await rig.result_of(rig.gateway.find());
    EXPECT_TRUE(!address && address.error() == NatErrc::no_gateway);
    EXPECT_LE(rig.clock.now() - begin, kSsdpWait + kUpnpTime + std::chrono::seconds(1));
    silent->close();
  });
}

TEST(UpnpGateway, is_not_there_without_a_device_found) {
  in_rig([](Rig& rig) -> awaitable<void> {
    auto grant = co_await rig.gateway.map(kAnHour);
    EXPECT_TRUE(!grant && grant.error() == NatErrc::no_gateway);
  });
}

}  // namespace
}  // namespace oc::p2p
