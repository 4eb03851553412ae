#include "p2p/swarm/swarm.hpp"

#include "support/echo_protocol.hpp"
#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::close_all;
using test::echo;
using test::kEcho;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

awaitable<Result<std::string>> ask_echo(ConnectionPtr connection, std::string text) {
  CO_TRY(auto stream, co_await connection->open_stream(kEcho));
  CO_CHECK(co_await stream->write(as_bytes(text)));
  std::string answer(text.size(), ' ');
  CO_CHECK(
      co_await net::read_exactly(*stream, {reinterpret_cast<Byte*>(answer.data()), answer.size()}));
  (void)co_await stream->close_write();
  co_return answer;
}

TEST(Swarm, streams_are_served_by_the_handler_of_their_protocol) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kEcho, echo);
    auto connection = co_await test::connect(a, b);
    for (const char* text : {"one", "two"}) {
      auto answer = co_await ask_echo(connection, text);
      EXPECT_TRUE(answer && *answer == text);
    }
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Swarm, observers_hear_of_each_connection_once_and_before_its_streams) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    bool known = false;
    b.swarm.handle(kEcho, [&](ConnectionPtr connection, StreamPtr stream) {
      known = b.connected == 1 && b.swarm.connection_to(connection->peer()) == connection;
      return echo(std::move(connection), std::move(stream));
    });
    // The dialer speaks as soon as it can: its first stream comes right behind the handshake.
    SwarmEvents events;
    events.connected = [](const ConnectionPtr& connection) {
      connection->tasks().spawn("early", [](ConnectionPtr to) -> awaitable<void> {
        EXPECT_TRUE(co_await ask_echo(to, "early"));
      }(connection));
    };
    a.swarm.observe(std::move(events));
    (void)co_await test::connect(a, b);
    EXPECT_TRUE(known);
    co_await close_all(a, b);
    for (const SwarmRig* rig : {&a, &b}) {
      EXPECT_EQ(rig->connected, 1);
      EXPECT_EQ(rig->disconnected, 1);
    }
  });
}

TEST(Swarm, a_connection_that_is_being_closed_is_not_handed_out) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto first = co_await test::connect(a, b);
    first->close();
    EXPECT_FALSE(first->alive());
    EXPECT_EQ(a.swarm.connection_to(b.id()), nullptr);
    auto second = co_await a.swarm.dial(b.id(), b.addresses());
    EXPECT_TRUE(second && *second != first);
    co_await close_all(a, b);
  });
}

TEST(Swarm, peers_that_dial_each_other_at_once_can_both_speak) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    a.swarm.handle(kEcho, echo);
    b.swarm.handle(kEcho, echo);
    test::Operation<ConnectionPtr> there(executor, a.swarm.dial(b.id(), b.addresses()));
    test::Operation<ConnectionPtr> back(executor, b.swarm.dial(a.id(), a.addresses()));
    auto from_a = co_await there.result();
    auto from_b = co_await back.result();
    EXPECT_TRUE(from_a && from_b);
    co_await test::settle();
    EXPECT_GE(a.swarm.connections_to(b.id()).size(), 1u);
    EXPECT_EQ(a.swarm.connections_to(b.id()).size(), b.swarm.connections_to(a.id()).size());
    EXPECT_TRUE(co_await ask_echo(*from_a, "a"));
    EXPECT_TRUE(co_await ask_echo(*from_b, "b"));
    from_a = Errc::closed;
    from_b = Errc::closed;
    co_await close_all(a, b);
    EXPECT_EQ(a.connected, a.disconnected);
    EXPECT_EQ(b.connected, b.disconnected);
  });
}

TEST(Swarm, one_peer_gets_no_more_than_its_share_of_connections) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig b(executor, 2);
    std::vector<std::unique_ptr<SwarmRig>> same;  // many hosts with one key
    const std::size_t most = ResourceLimits().peer.connections.all;
    for (std::size_t i = 0; i < most + 2; ++i) {
      same.push_back(std::make_unique<SwarmRig>(executor, 1));
      (void)co_await same.back()->swarm.dial(b.id(), b.addresses());
      co_await test::settle();
    }
    EXPECT_EQ(b.swarm.connections_to(same[0]->id()).size(), most);
    EXPECT_EQ(b.connected, static_cast<int>(most));
    EXPECT_TRUE(same.back()->swarm.connections().empty());
    const Refusal refusal{Scope::peer, Resource::connection_in};
    EXPECT_EQ(b.swarm.refusals().at(refusal), 2u);
    for (auto& rig : same) (void)co_await rig->close();
    (void)co_await b.close();
  });
}

TEST(Swarm, visitors_that_do_not_introduce_themselves_are_bounded_in_number_and_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig b(executor, 2), a(executor, 1);
    std::vector<std::unique_ptr<net::SocketStream>> visitors;
    const std::size_t most = ResourceLimits().transient.connections.in;
    for (std::size_t i = 0; i < most + 3; ++i) {
      auto visitor = co_await net::tcp_connect(b.address());
      if (visitor) visitors.push_back(*std::move(visitor));
    }
    co_await test::settle();
    EXPECT_EQ(b.swarm.counters().refused, 3u);
    EXPECT_EQ(b.swarm.counters().accepted, most);
    const Refusal refusal{Scope::transient, Resource::connection_in};
    EXPECT_EQ(b.swarm.refusals().at(refusal), 3u);
    b.clock.advance(kUpgradeTimeout);
    co_await test::settle();
    EXPECT_EQ(b.swarm.counters().upgrades_failed, most);
    EXPECT_EQ(b.swarm.ledger().usage(Scope::transient).connections_in, 0u);
    EXPECT_NE(co_await test::connect(a, b), nullptr) << "there is room again";
    co_await close_all(a, b);
  });
}

TEST(Swarm, a_stream_that_never_names_its_protocol_is_reset_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kEcho, echo);
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_stream("/nobody/speaks/this");
    EXPECT_TRUE(stream);
    co_await test::settle();
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 1u);
    b.clock.advance(kNegotiationTimeout);
    co_await test::settle();
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 0u);
    EXPECT_TRUE(co_await ask_echo(connection, "still here"));
    stream = Errc::closed;
    co_await close_all(a, b);
  });
}

TEST(Swarm, one_stalled_handshake_does_not_hold_up_others) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto stalled = co_await net::tcp_connect(b.address());
    EXPECT_TRUE(co_await (*stalled)->write(as_bytes("\x13/multi")));
    EXPECT_NE(co_await test::connect(a, b), nullptr);
    co_await close_all(a, b);
  });
}

awaitable<Result<void>> carry(net::Stream& from, net::Stream& to) {
  for (;;) {
    CO_TRY(BufferChain chain, co_await from.read_chain());
    CO_CHECK(co_await to.write_chain(std::move(chain)));
  }
}

TEST(Swarm, when_one_peer_falls_silent_the_others_are_asked_for_a_sign_of_life) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2), c(executor, 3);
    auto wire = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> through_wire{net::to_multiaddr(wire->local())};
    test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(b.id(), through_wire));
    auto near = co_await wire->accept();
    auto far = co_await net::tcp_connect(b.address());
    test::Operation<void> there(executor, carry(*near->stream, **far));
    test::Operation<void> back(executor, carry(**far, *near->stream));
    auto to_b = co_await dialing.result();
    EXPECT_TRUE(to_b);
    auto to_c = co_await test::connect(a, c);
    co_await test::settle();
    const auto pass = [&a](Duration time) -> awaitable<void> {
      for (; time > Duration{0}; time -= 1s) {
        a.clock.advance(1s);
        co_await test::settle();
      }
    };
    co_await pass(3 * yamux::kBusyPing);  // the last busy pings are over
    there.cancel();
    back.cancel();
    (void)co_await there.result();
    (void)co_await back.result();
    const std::uint64_t before = to_c->counters().bytes_out;
    (*to_b)->check();
    co_await pass(yamux::kPingConcern);
    EXPECT_GT(to_c->counters().bytes_out, before) << "long before its idle ping";
    co_await pass(yamux::kPingTimeout);
    EXPECT_FALSE((*to_b)->alive());
    EXPECT_TRUE(to_c->alive()) << "it answered";
    to_b = Errc::closed;
    to_c.reset();
    (void)co_await c.close();
    co_await close_all(a, b);
  });
}

TEST(Swarm, a_peer_that_comes_again_has_its_older_connection_looked_at) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto older = co_await test::connect(a, b);
    co_await test::settle();
    for (int i = 0; i < 3; ++i) {  // the last busy pings are over
      b.clock.advance(yamux::kBusyPing);
      co_await test::settle();
    }
    const std::uint64_t before = b.swarm.connection_to(a.id())->counters().bytes_out;
    auto again = co_await a.swarm.connect_once(b.id(), b.addresses().front(), Direction::outbound,
                                               Origin::dialed, kDialTimeout);
    EXPECT_TRUE(again);
    co_await test::settle();
    EXPECT_GT(b.swarm.connection_to(a.id())->counters().bytes_out, before);
    again = Errc::closed;
    older.reset();
    co_await close_all(a, b);
  });
}

TEST(SwarmDeathTest, an_exception_out_of_a_handler_is_a_bug_that_ends_the_process) {
  const auto throwing = [] {
    test::run_async([]() -> awaitable<void> {
      auto executor = co_await asio::this_coro::executor;
      SwarmRig a(executor, 1), b(executor, 2);
      b.swarm.handle(kEcho, [](ConnectionPtr, StreamPtr) -> awaitable<void> {
        throw std::runtime_error("a bug of the handler");
        co_return;
      });
      auto connection = co_await test::connect(a, b);
      (void)co_await ask_echo(connection, "x");
    });
  };
  EXPECT_DEATH(throwing(), "a bug of the handler");
}

}  // namespace
}  // namespace oc::p2p
