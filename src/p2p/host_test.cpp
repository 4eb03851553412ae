#include "p2p/host.hpp"

#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;

struct TestHost {
  TestHost(Executor executor, std::uint64_t seed, bool v6 = false)
      : clock(executor),
        random(seed),
        host(executor, clock, random, crypto::PrivateKey::generate(random), options()) {
    const auto ip = v6 ? asio::ip::address(asio::ip::address_v6::loopback())
                       : asio::ip::address(asio::ip::address_v4::loopback());
    EXPECT_TRUE(host.swarm().listen({ip, 0}));
  }
  IdentifyOptions options() {
    IdentifyOptions o;
    o.agent_version = "open-chat/test";
    o.addresses = [this] { return host.swarm().listen_addresses(); };
    o.record_seq = [] { return std::uint64_t{1}; };
    return o;
  }
  const codec::PeerId& id() { return host.swarm().self(); }
  std::vector<codec::Multiaddr> addresses() { return host.swarm().listen_addresses(); }

  SystemClock clock;
  FakeRandom random;
  Host host;
};

awaitable<void> close_both(TestHost& a, TestHost& b) {
  co_await a.host.swarm().close(1s);
  co_await b.host.swarm().close(1s);
}

TEST(Host, two_hosts_connect_identify_and_ping) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    TestHost a(executor, 1);
    TestHost b(executor, 2);
    auto connection = co_await a.host.swarm().dial(b.id(), b.addresses());
    EXPECT_TRUE(connection) << connection.error().message();
    if (!connection) co_return;
    EXPECT_EQ((*connection)->peer(), b.id());
    auto times = co_await a.host.ping().measure(*connection, 3);
    EXPECT_TRUE(times);
    EXPECT_EQ(times->size(), 3u);
    for (int i = 0; i < 100 && !(*connection)->info(); ++i) (void)co_await a.clock.sleep_for(5ms);
    EXPECT_TRUE((*connection)->info());
    if ((*connection)->info()) {
      EXPECT_EQ((*connection)->info()->agent_version, "open-chat/test");
      EXPECT_EQ((*connection)->info()->listen_addresses, b.addresses());
    }
    co_await close_both(a, b);
    EXPECT_TRUE(a.host.swarm().connections().empty());
    EXPECT_TRUE(b.host.swarm().connections().empty());
  });
}

TEST(Host, hosts_connect_over_ipv6) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    TestHost a(executor, 1, true);
    TestHost b(executor, 2, true);
    auto connection = co_await a.host.swarm().dial(b.id(), b.addresses());
    EXPECT_TRUE(connection);
    co_await close_both(a, b);
  });
}

TEST(Host, a_dial_that_reaches_another_peer_fails) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    TestHost a(executor, 1);
    TestHost b(executor, 2);
    TestHost c(executor, 3);
    auto connection = co_await a.host.swarm().dial(c.id(), b.addresses());
    EXPECT_FALSE(connection);
    EXPECT_EQ(connection.error(), P2pErrc::wrong_peer);
    EXPECT_EQ(a.host.swarm().connection_to(c.id()), nullptr);
    co_await close_both(a, b);
    co_await c.host.swarm().close(1s);
  });
}

TEST(Host, dials_at_the_same_time_to_one_peer_share_a_connection) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    TestHost a(executor, 1);
    TestHost b(executor, 2);
    std::set<ConnectionId> ids;
    auto one = [](TestHost& from, TestHost& to, std::set<ConnectionId>& out) -> awaitable<void> {
      auto connection = co_await from.host.swarm().dial(to.id(), to.addresses());
      EXPECT_TRUE(connection);
      if (connection) out.insert((*connection)->facts().id);
    };
    TaskScope scope(executor);
    for (int i = 0; i < 10; ++i) scope.spawn("dial", one(a, b, ids));
    for (int i = 0; i < 200 && scope.size() != 0; ++i) (void)co_await a.clock.sleep_for(5ms);
    EXPECT_EQ(ids.size(), 1u);
    co_await scope.close();
    co_await close_both(a, b);
  });
}

TEST(Host, a_dead_address_does_not_hold_up_the_next_one) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    TestHost a(executor, 1);
    TestHost b(executor, 2);
    std::vector<codec::Multiaddr> to{*codec::Multiaddr::parse("/ip4/127.0.0.1/tcp/1")};
    for (const auto& address : b.addresses()) to.push_back(address);
    auto connection = co_await a.host.swarm().dial(b.id(), to);
    EXPECT_TRUE(connection);
    co_await close_both(a, b);
  });
}

TEST(Host, an_unknown_protocol_is_answered_and_the_connection_lives_on) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    TestHost a(executor, 1);
    TestHost b(executor, 2);
    auto connection = co_await a.host.swarm().dial(b.id(), b.addresses());
    auto stream = co_await (*connection)->open_stream("/nobody/speaks/this");
    EXPECT_TRUE(stream);
    FixedBytes<1> byte;
    auto read = co_await (*stream)->read_some(byte);
    EXPECT_FALSE(read);
    EXPECT_EQ(read.error(), P2pErrc::negotiation_failed);
    EXPECT_TRUE(co_await a.host.ping().measure(*connection, 1));
    stream->reset();
    co_await close_both(a, b);
  });
}

}  // namespace
}  // namespace oc::p2p
