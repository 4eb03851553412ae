// How a swarm gets to its peers.
#include "p2p/swarm/swarm.hpp"

#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::close_all;
using test::SwarmRig;

TEST(SwarmDial, a_dial_to_somebody_who_never_answers_ends_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto deaf = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> to{net::to_multiaddr(deaf->local())};
    test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(b.id(), to));
    co_await test::settle();
    EXPECT_FALSE(dialing.done());
    a.clock.advance(kDialTimeout);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(!dialed && dialed.error() == Errc::timed_out);
    EXPECT_EQ(a.swarm.counters().dials_failed, 1u);
    co_await close_all(a, b);
  });
}

TEST(SwarmDial, a_caller_who_gives_up_does_not_end_the_dial_of_the_others) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    test::Operation<ConnectionPtr> first(executor, a.swarm.dial(b.id(), b.addresses()));
    test::Operation<ConnectionPtr> second(executor, a.swarm.dial(b.id(), b.addresses()));
    first.cancel();
    auto given_up = co_await first.result();
    EXPECT_TRUE(!given_up && given_up.error() == Errc::cancelled);
    EXPECT_TRUE(co_await second.result());
    EXPECT_EQ(a.swarm.counters().dials, 1u);
    co_await close_all(a, b);
  });
}

TEST(SwarmDial, dials_that_cannot_be_are_refused) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto self = co_await a.swarm.dial(a.id(), a.addresses());
    EXPECT_TRUE(!self && self.error() == P2pErrc::dial_to_self);
    std::vector<codec::Multiaddr> none;
    auto nowhere = co_await a.swarm.dial(b.id(), none);
    EXPECT_TRUE(!nowhere && nowhere.error() == P2pErrc::no_addresses);
    std::vector<codec::Multiaddr> quic{*codec::Multiaddr::parse("/ip4/127.0.0.1/udp/1/quic-v1")};
    auto unsupported = co_await a.swarm.dial(b.id(), quic);
    EXPECT_TRUE(!unsupported && unsupported.error() == Errc::unsupported);
    co_await close_all(a, b);
  });
}

// The address of a rig under a name.
codec::Multiaddr by_name(const char* name, const SwarmRig& rig) {
  const std::string port = std::to_string(rig.swarm.listen_port(false).value());
  return *codec::Multiaddr::parse("/dns4/" + std::string(name) + "/tcp/" + port);
}

void expect_listens_on_all(const Swarm& swarm) {
  for (const codec::Multiaddr& address : swarm.listen_addresses()) {
    const auto at = address.tcp_endpoint();
    EXPECT_TRUE(swarm.listens_on(false, at->port)) << address.to_string();
    EXPECT_FALSE(swarm.listens_on(true, at->port)) << address.to_string();
  }
}

TEST(SwarmDial, each_port_listened_on_is_known_as_such) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig rig(executor, 1);
    const net::TcpAddress another(asio::ip::address_v4::loopback(), 0);
    EXPECT_TRUE(rig.swarm.listen(another));
    EXPECT_EQ(rig.addresses().size(), 2u);
    expect_listens_on_all(rig.swarm);
    EXPECT_FALSE(rig.swarm.listens_on(false, 1));
    (void)co_await rig.close();
  });
}

TEST(SwarmDial, a_connection_dialed_anew_stands_beside_the_others_and_is_not_handed_out) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto first = co_await test::connect(a, b);
    auto anew = co_await a.swarm.dial_anew(b.id(), b.addresses().front());
    EXPECT_TRUE(anew);
    if (!anew) co_return;
    EXPECT_TRUE((*anew)->facts().probe);
    EXPECT_NE((*anew)->facts().id, first->facts().id);
    EXPECT_EQ(a.swarm.ledger().usage(Scope::system).connections_out, 2u);
    EXPECT_EQ(a.swarm.connection_to(b.id()), first);
    first->close();
    EXPECT_EQ(a.swarm.connection_to(b.id()), nullptr);
    (*anew)->close();
    anew = Errc::closed;
    first.reset();
    co_await close_all(a, b);
  });
}

TEST(SwarmDial, a_dial_anew_tries_though_the_address_failed_a_moment_ago) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    const auto dead = *codec::Multiaddr::parse("/ip4/127.0.0.1/tcp/1");
    for (int i = 0; i < 2; ++i) {
      const auto dialed = co_await a.swarm.dial_anew(b.id(), dead);
      EXPECT_TRUE(!dialed && dialed.error() == boost::system::errc::connection_refused);
    }
    const auto to_self = co_await a.swarm.dial_anew(b.id(), a.addresses().front());
    EXPECT_TRUE(!to_self && to_self.error() == P2pErrc::dial_to_self);
    co_await close_all(a, b);
  });
}

TEST(SwarmDial, a_peer_that_took_itself_for_the_client_too_is_dialed_again_at_once) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1);
    FakeRandom random(2);
    const auto identity = crypto::PrivateKey::generate(random);
    Upgrader other(identity, a.clock, random, {});
    auto wire = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> to{net::to_multiaddr(wire->local())};
    test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(identity.peer_id(), to));
    auto first = co_await wire->accept();
    auto both_clients = co_await other.upgrade(std::move(first->stream), true, a.id());
    EXPECT_FALSE(both_clients);
    auto second = co_await wire->accept();
    EXPECT_TRUE(second);
    auto channel = co_await other.upgrade(std::move(second->stream), false, a.id());
    EXPECT_TRUE(channel);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(dialed);
    dialed = Errc::closed;
    channel = Errc::closed;
    (void)co_await a.close();
  });
}

TEST(SwarmDial, a_peer_is_dialed_by_its_name) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2), c(executor, 3);
    a.resolver.add_host("b.example", {"127.0.0.1"});
    std::vector<codec::Multiaddr> to{by_name("b.example", b)};
    auto dialed = co_await a.swarm.dial(b.id(), to);
    EXPECT_TRUE(dialed && (*dialed)->peer() == b.id());
    std::vector<codec::Multiaddr> nowhere{by_name("gone.example", b)};
    auto unknown = co_await a.swarm.dial(c.id(), nowhere);
    EXPECT_TRUE(!unknown && unknown.error() == P2pErrc::name_not_resolved);
    const Attempt logged = a.swarm.attempts().of(c.id()).at(0);
    EXPECT_EQ(logged.address, by_name("gone.example", b));
    EXPECT_EQ(logged.outcome, P2pErrc::name_not_resolved);
    dialed = Errc::closed;
    co_await close_all(a, b);
    (void)co_await c.close();
  });
}

TEST(SwarmDial, a_name_that_is_never_answered_does_not_hold_up_other_addresses) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    a.resolver.silence("b.example");
    std::vector<codec::Multiaddr> to{by_name("b.example", b), b.addresses().front()};
    auto dialed = co_await a.swarm.dial(b.id(), to);
    EXPECT_TRUE(dialed) << "and no time has passed";
    dialed = Errc::closed;
    co_await close_all(a, b);
  });
}

TEST(SwarmDial, an_address_found_late_is_dialed_while_another_still_hangs) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    a.resolver.add_host("b.example", {"127.0.0.1"});
    auto deaf = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> to{net::to_multiaddr(deaf->local()), by_name("b.example", b)};
    auto dialed = co_await a.swarm.dial(b.id(), to);
    EXPECT_TRUE(dialed);
    dialed = Errc::closed;
    co_await close_all(a, b);
  });
}

TEST(SwarmDial, a_dial_can_be_ended_while_a_name_is_looked_up) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    a.resolver.silence("b.example");
    std::vector<codec::Multiaddr> to{by_name("b.example", b)};
    test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(b.id(), to));
    co_await test::settle();
    EXPECT_FALSE(dialing.done());
    EXPECT_LE(co_await a.close(), 3s);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(!dialed && dialed.error() == Errc::cancelled);
    (void)co_await b.close();
  });
}

}  // namespace
}  // namespace oc::p2p
