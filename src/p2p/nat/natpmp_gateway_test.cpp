#include "p2p/nat/natpmp_gateway.hpp"

#include "support/fake_router.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using test::FakeUdpServer;
using test::run_in_time;
constexpr MappingRequest kAnHour{Port(1985), Port(1985), std::chrono::hours(1)};

// A server that answers so, and a gateway that asks it.
struct Rig {
  Rig(const Executor& executor, FakeUdpServer::Answers answers)
      : server(executor, std::move(answers)), gateway(clock, {server.address()}) {}

  FakeClock clock;
  FakeUdpServer server;
  NatPmpGateway gateway;
};

const Bytes kAddress = *from_hex("0080000000000001cb007105");

TEST(NatPmpGateway, asks_again_when_an_answer_is_lost) {
  test::run_async([]() -> awaitable<void> {
    int lost = 0;
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, [&lost](BytesView) {
      return ++lost < kNatPmpTries ? std::vector<Bytes>{} : std::vector<Bytes>{kAddress};
    });
    auto address = co_await run_in_time(rig.clock, rig.gateway.find());
    EXPECT_TRUE(address && address->to_string() == "203.0.113.5");
    EXPECT_EQ(rig.server.received(), kNatPmpTries);
    co_await rig.server.close();
  });
}

TEST(NatPmpGateway, gives_up_on_silence_within_four_seconds) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, [](BytesView) { return std::vector<Bytes>(); });
    const TimePoint begin = rig.clock.now();
    auto address = co_await run_in_time(rig.clock, rig.gateway.find());
    EXPECT_TRUE(!address && address.error() == NatErrc::no_gateway);
    EXPECT_LE(rig.clock.now() - begin, std::chrono::seconds(4));
    co_await rig.server.close();
  });
}

TEST(NatPmpGateway, a_closed_port_is_known_at_once) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, [](BytesView) { return std::vector<Bytes>(); });
    co_await rig.server.close();
    // The address of a socket that is gone.
    asio::ip::udp::socket gone(executor, {asio::ip::address_v4::loopback(), 0});
    const auto address = gone.local_endpoint();
    gone.close();
    NatPmpGateway gateway(rig.clock, {address});
    auto found = co_await gateway.find();
    EXPECT_TRUE(!found && found.error() == NatErrc::no_gateway);
    EXPECT_EQ(rig.clock.pending(), 0u);
  });
}

TEST(NatPmpGateway, passes_over_what_is_no_answer_to_its_question) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, [](BytesView request) {
      std::vector<Bytes> noise{Bytes(),
                               Bytes{0},
                               Bytes(1100, 0xff),
                               kAddress,
                               *from_hex("008100000000000107c107c100000e10"),   // of UDP
                               *from_hex("008200000000000107c2c35000000e10")};  // another port's
      noise.push_back(request.size() == 2 ? kAddress
                                          : *from_hex("008200000000000107c1c35000000e10"));
      return noise;
    });
    EXPECT_TRUE(co_await run_in_time(rig.clock, rig.gateway.find()));
    auto grant = co_await run_in_time(rig.clock, rig.gateway.map(kAnHour));
    EXPECT_TRUE(grant && grant->external == Port(50000));
    co_await rig.server.close();
  });
}

TEST(NatPmpGateway, a_mapping_of_no_port_or_no_time_is_none) {
  test::run_async([]() -> awaitable<void> {
    for (const char* empty :
         {"008200000000000107c1000000000e10", "008200000000000107c1c35000000000"}) {
      auto executor = co_await asio::this_coro::executor;
      Rig rig(executor, [empty](BytesView request) {
        return std::vector<Bytes>{request.size() == 2 ? kAddress : *from_hex(empty)};
      });
      EXPECT_TRUE(co_await run_in_time(rig.clock, rig.gateway.find()));
      auto grant = co_await run_in_time(rig.clock, rig.gateway.map(kAnHour));
      EXPECT_TRUE(!grant && grant.error() == NatErrc::bad_reply);
      co_await rig.server.close();
    }
  });
}

TEST(NatPmpGateway, is_not_there_without_a_server_found) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, [](BytesView) { return std::vector<Bytes>(); });
    auto grant = co_await rig.gateway.map(kAnHour);
    EXPECT_TRUE(!grant && grant.error() == NatErrc::no_gateway);
    EXPECT_EQ(rig.server.received(), 0);
    co_await rig.server.close();
  });
}

}  // namespace
}  // namespace oc::p2p
