#include "p2p/protocols/ping/ping.hpp"

#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using test::close_all;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

struct PingRig : SwarmRig {
  PingRig(Executor executor, std::uint64_t seed)
      : SwarmRig(executor, seed), ping(swarm, clock, random) {}
  Ping ping;
};

TEST(Ping, measures_as_often_as_asked) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto times = co_await a.ping.measure(connection, 5);
    EXPECT_TRUE(times && times->size() == 5u);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Ping, a_payload_in_pieces_is_echoed_whole) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_stream(kPingId);
    FixedBytes<kPingSize> payload;
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<Byte>(i);
    for (int round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < payload.size(); i += 8) {
        EXPECT_TRUE(co_await (*stream)->write(BytesView(payload).subspan(i, 8)));
        co_await test::settle();
      }
      FixedBytes<kPingSize> echoed;
      EXPECT_TRUE(co_await net::read_exactly(**stream, echoed));
      EXPECT_EQ(echoed, payload);
    }
    EXPECT_TRUE(co_await (*stream)->close_write());
    auto end = co_await (*stream)->read_some(payload);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
    stream = Errc::closed;
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Ping, a_peer_may_keep_only_so_many_streams) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    std::vector<StreamPtr> streams;
    FixedBytes<kPingSize> payload{};
    for (int i = 0; i < kMaxPingStreams; ++i) {
      streams.push_back(*co_await connection->open_stream(kPingId));
      EXPECT_TRUE(co_await streams.back()->write(payload));
      EXPECT_TRUE(co_await net::read_exactly(*streams.back(), payload));
    }
    auto one_more = co_await a.ping.measure(connection, 1);
    EXPECT_TRUE(!one_more && one_more.error() == Errc::reset);
    streams.pop_back();
    co_await test::settle();
    EXPECT_TRUE(co_await a.ping.measure(connection, 1)) << "a place is free again";
    streams.clear();
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Ping, a_silent_stream_is_ended_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_stream(kPingId);
    co_await test::settle();
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 1u);
    // Time passes for the far side only, and the keep-alive of its connection with it.
    for (Duration waited{0}; waited < kPingIdle; waited += std::chrono::seconds(1)) {
      b.clock.advance(std::chrono::seconds(1));
      co_await test::settle();
    }
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 0u);
    stream = Errc::closed;
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Ping, a_wrong_echo_and_a_missing_one_are_told_apart) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1);
    SwarmRig b(executor, 2);
    bool answer = true;
    b.swarm.handle(kPingId, [&answer](ConnectionPtr, StreamPtr stream) {
      return [](StreamPtr mine, const bool& answers) -> awaitable<void> {
        FixedBytes<kPingSize> payload;
        while (co_await net::read_exactly(*mine, payload)) {
          payload[31] ^= 1;
          if (answers && !co_await mine->write(payload)) co_return;
        }
      }(std::move(stream), answer);
    });
    auto connection = co_await test::connect(a, b);
    auto wrong = co_await a.ping.measure(connection, 1);
    EXPECT_TRUE(!wrong && wrong.error() == Errc::protocol_violation);
    answer = false;
    test::Operation<std::vector<Duration>> waiting(executor, a.ping.measure(connection, 1));
    co_await test::settle();
    EXPECT_FALSE(waiting.done());
    a.clock.advance(kPingTimeout);
    auto missing = co_await waiting.result();
    EXPECT_TRUE(!missing && missing.error() == Errc::timed_out);
    connection.reset();
    co_await close_all(a, b);
  });
}

}  // namespace
}  // namespace oc::p2p
