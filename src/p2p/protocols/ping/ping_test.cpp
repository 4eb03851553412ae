#include "p2p/protocols/ping/ping.hpp"

#include <algorithm>

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
    for (std::size_t i = 0; i < kPingLimits.of_peer; ++i) {
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

TEST(Ping, a_peer_that_does_not_take_its_echoes_is_reset_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_stream(kPingId);
    const Bytes pings(yamux::kInitialWindow + kPingSize);
    EXPECT_TRUE(co_await (*stream)->write(pings));
    const auto& sent = b.swarm.connection_to(a.id())->counters().bytes_out;
    while (sent < yamux::kInitialWindow) co_await test::settle();
    const auto streams = [&] { return b.swarm.connection_to(a.id())->stream_count(); };
    EXPECT_EQ(streams(), 1u);
    b.clock.advance(kPingIdle);
    co_await test::settle();
    EXPECT_EQ(streams(), 0u);
    stream = Errc::closed;
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Ping, half_a_ping_is_not_waited_for_longer_than_none) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_stream(kPingId);
    for (Duration waited{0}; waited < kPingIdle; waited += kPingIdle / 16) {
      EXPECT_TRUE(co_await (*stream)->write(as_bytes("x")));
      co_await test::settle();
      b.clock.advance(kPingIdle / 16);
      co_await test::settle();
    }
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 0u);
    stream = Errc::closed;
    connection.reset();
    co_await close_all(a, b);
  });
}

// A peer that counts the ping streams which are open to it at once.
struct Counting : SwarmRig {
  Counting(Executor executor, std::uint64_t seed) : SwarmRig(executor, seed) {
    swarm.handle(kPingId, [this](ConnectionPtr, StreamPtr stream) {
      return serve(std::move(stream), *this);
    });
  }
  static awaitable<void> serve(StreamPtr stream, Counting& self) {
    self.most = std::max(self.most, ++self.open);
    FixedBytes<kPingSize> payload;
    for (;;) {
      if (auto got = co_await net::read_exactly(*stream, payload); !got) break;
      co_await test::turns(20);
      if (auto sent = co_await stream->write(payload); !sent) break;
    }
    --self.open;
  }
  int open = 0;
  int most = 0;
};

TEST(Ping, keeps_one_stream_to_a_peer_and_lets_the_others_wait) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1);
    Counting b(executor, 2);
    auto connection = co_await test::connect(a, b);
    using Times = std::vector<Duration>;
    std::vector<std::unique_ptr<test::Operation<Times>>> pings;
    for (int i = 0; i < 5; ++i) {
      auto measured = a.ping.measure(connection, 3);
      pings.push_back(std::make_unique<test::Operation<Times>>(executor, std::move(measured)));
    }
    co_await test::turns(30);
    pings[1]->cancel();
    auto given_up = co_await pings[1]->result();
    EXPECT_TRUE(!given_up && given_up.error() == Errc::cancelled);
    for (const std::size_t i : {0, 2, 3, 4}) {
      auto times = co_await pings[i]->result();
      EXPECT_TRUE(times && times->size() == 3u) << i;
    }
    EXPECT_EQ(b.most, 1);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Ping, a_peer_that_is_slow_to_answer_does_not_hold_up_pings_to_another) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    PingRig a(executor, 1), b(executor, 2);
    SwarmRig silent(executor, 3);
    silent.swarm.handle(kPingId, [](ConnectionPtr, StreamPtr stream) -> awaitable<void> {
      const StreamPtr kept = std::move(stream);
      Event never;
      (void)co_await never.wait();
    });
    auto to_silent = co_await test::connect(a, silent);
    auto to_b = co_await test::connect(a, b);
    test::Operation<std::vector<Duration>> waiting(executor, a.ping.measure(to_silent, 1));
    EXPECT_TRUE(co_await a.ping.measure(to_b, 1));
    EXPECT_FALSE(waiting.done());
    a.clock.advance(kPingTimeout);
    auto late = co_await waiting.result();
    EXPECT_TRUE(!late && late.error() == Errc::timed_out);
    EXPECT_EQ(to_silent->stream_count(), 0u);
    to_silent.reset();
    to_b.reset();
    (void)co_await silent.close();
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
