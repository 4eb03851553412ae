#include "p2p/upgrade/yamux.hpp"

#include "net/fake_stream.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::p2p::yamux {
namespace {

using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<net::Stream>;

// A connection under test; what the peer opens lands in `incoming`.
struct Side {
  Side(StreamPtr channel, Role role, FakeClock& clock)
      : connection(std::move(channel), role, clock, 5,
                   [this](StreamPtr stream) { incoming.push_back(std::move(stream)); }) {}

  // Ends with what ended the connection.
  static awaitable<Result<void>> run(Connection& connection) {
    co_return co_await connection.run();
  }
  void start(Executor executor) { running.emplace(executor, run(connection)); }
  awaitable<error_code> end() { co_return (co_await running->result()).error(); }

  std::vector<StreamPtr> incoming;
  Connection connection;
  std::optional<test::Operation<void>> running;
};

// Two connections that speak to each other.
struct Two {
  explicit Two(Executor executor, net::FakeStreamOptions options = {})
      : Two(executor, make(options)) {}

  awaitable<std::pair<StreamPtr, StreamPtr>> stream() {
    auto opened = co_await client.connection.open_stream();
    EXPECT_TRUE(opened);
    const FixedBytes<1> byte{1};
    EXPECT_TRUE(co_await (*opened)->write(byte));
    co_await test::settle();
    StreamPtr far = std::move(server.incoming.back());
    server.incoming.pop_back();
    FixedBytes<1> got;
    EXPECT_TRUE(co_await net::read_exactly(*far, got));
    std::pair<StreamPtr, StreamPtr> both(*std::move(opened), std::move(far));
    co_return both;
  }
  awaitable<void> close() {
    client.connection.abort(Errc::cancelled);
    server.connection.abort(Errc::cancelled);
    (void)co_await client.end();
    (void)co_await server.end();
  }

  FakeClock clock;
  Side client;
  Side server;

 private:
  using Channels = std::pair<StreamPtr, StreamPtr>;
  static Channels make(net::FakeStreamOptions options) {
    return net::make_fake_stream_pair(options);
  }
  Two(Executor executor, Channels channels)
      : client(std::move(channels.first), Role::client, clock),
        server(std::move(channels.second), Role::server, clock) {
    client.start(executor);
    server.start(executor);
  }
};

// One connection (the server), and the bare channel of its peer.
struct One {
  explicit One(Executor executor) : One(executor, net::make_fake_stream_pair()) {}

  awaitable<void> send(FrameType type, std::uint16_t flags, std::uint32_t stream,
                       std::uint32_t length) {
    FixedBytes<kHeaderSize> header;
    encode_header({type, flags, stream, length}, header.data());
    EXPECT_TRUE(co_await peer->write(header));
  }
  // The next frame's header; its body is dropped.
  awaitable<FrameHeader> next() {
    FixedBytes<kHeaderSize> bytes;
    EXPECT_TRUE(co_await net::read_exactly(*peer, bytes));
    const FrameHeader header = *decode_header(bytes.data());
    Bytes body(header.type == FrameType::data ? header.length : 0);
    EXPECT_TRUE(co_await net::read_exactly(*peer, body));
    co_return header;
  }
  // The next frame that is no ping.
  awaitable<FrameHeader> next_but_ping() {
    FrameHeader header = co_await next();
    while (header.type == FrameType::ping) header = co_await next();
    co_return header;
  }
  awaitable<void> close() {
    side.connection.abort(Errc::cancelled);
    (void)co_await side.end();
  }

  FakeClock clock;
  StreamPtr peer;
  Side side;

 private:
  One(Executor executor, std::pair<StreamPtr, StreamPtr> channels)
      : peer(std::move(channels.second)), side(std::move(channels.first), Role::server, clock) {
    side.start(executor);
  }
};

awaitable<Result<void>> write_all(net::Stream& stream, std::size_t size, Byte value) {
  const Bytes bytes(size, value);
  CO_CHECK(co_await stream.write(bytes));
  co_return co_await stream.close_write();
}

awaitable<Result<std::size_t>> read_all(net::Stream& stream, Byte value) {
  std::size_t total = 0;
  for (;;) {
    auto chain = co_await stream.read_chain();
    if (!chain && chain.error() == Errc::eof) co_return total;
    if (!chain) co_return chain.error();
    for (const Buffer& buffer : *chain) {
      for (const Byte byte : buffer.bytes()) {
        if (byte != value) co_return Errc::malformed;
      }
    }
    total += chain->bytes();
  }
}

TEST(Yamux, many_streams_share_a_channel_and_keep_their_bytes_apart) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Two two(executor, {.capacity = 40'000, .largest_read = 7001});
    constexpr std::size_t kStreams = 64;
    constexpr std::size_t kSize = 300'000;
    std::vector<std::pair<StreamPtr, StreamPtr>> streams;
    for (std::size_t i = 0; i < kStreams; ++i) streams.push_back(co_await two.stream());
    std::vector<std::unique_ptr<test::Operation<void>>> writers;
    std::vector<std::unique_ptr<test::Operation<std::size_t>>> readers;
    for (std::size_t i = 0; i < kStreams; ++i) {
      const auto value = static_cast<Byte>(i);
      writers.push_back(std::make_unique<test::Operation<void>>(
          executor, write_all(*streams[i].first, kSize, value)));
      readers.push_back(std::make_unique<test::Operation<std::size_t>>(
          executor, read_all(*streams[i].second, value)));
    }
    for (auto& reader : readers) {
      auto got = co_await reader->result();
      EXPECT_TRUE(got && *got == kSize);
    }
    for (auto& writer : writers) EXPECT_TRUE(co_await writer->result());
    streams.clear();
    co_await two.close();
  });
}

TEST(Yamux, a_graceful_end_delivers_all_that_was_written) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Two two(executor, {.capacity = 10'000});
    auto [near, far] = co_await two.stream();
    test::Operation<std::size_t> reading(executor, read_all(*far, 7));
    EXPECT_TRUE(co_await write_all(*near, 200'000, 7));
    two.client.connection.shut_down();
    EXPECT_EQ(co_await two.client.end(), Errc::closed);
    auto got = co_await reading.result();
    EXPECT_TRUE(got && *got == 200'000u) << (got ? "short" : got.error().message());
    (void)co_await two.server.end();
    auto late = co_await two.client.connection.open_stream();
    EXPECT_TRUE(!late && late.error() == Errc::closed);
  });
}

TEST(Yamux, the_goodbye_is_the_last_frame) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    co_await one.send(FrameType::window_update, kSyn, 1, 0);
    EXPECT_EQ((co_await one.next_but_ping()).flags, kAck);
    co_await test::settle();
    EXPECT_TRUE(co_await write_all(*one.side.incoming[0], 100'000, 1));
    one.side.connection.shut_down();
    one.side.connection.shut_down();  // twice is once
    std::size_t received = 0;
    for (;;) {
      const FrameHeader frame = co_await one.next_but_ping();
      if (frame.type == FrameType::go_away) break;
      received += frame.length;
    }
    EXPECT_EQ(received, 100'000u);
    FixedBytes<1> rest;
    auto end = co_await one.peer->read_some(rest);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
    // A peer that does not end its half does not hold us up for ever.
    one.clock.advance(5s);
    EXPECT_EQ(co_await one.side.end(), Errc::closed);
  });
}

TEST(Yamux, a_write_that_waits_for_its_window_is_not_cut_in_two_by_a_goodbye) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    co_await one.send(FrameType::window_update, kSyn, 1, 0);
    co_await test::settle();
    net::Stream& stream = *one.side.incoming[0];
    const std::size_t size = kInitialWindow + 1000;
    test::Operation<void> writing(executor, write_all(stream, size, 1));
    std::size_t received = 0;
    while (received < kInitialWindow) received += (co_await one.next_but_ping()).length;
    one.side.connection.shut_down();
    co_await test::settle();
    auto refused = co_await stream.write(as_bytes("too late"));
    EXPECT_EQ(refused.error(), Errc::closed);
    auto opened = co_await one.side.connection.open_stream();
    EXPECT_EQ(opened.error(), Errc::closed);
    co_await one.send(FrameType::window_update, 0, 1, 5000);
    EXPECT_TRUE(co_await writing.result());
    while (received < size) received += (co_await one.next_but_ping()).length;
    EXPECT_EQ((co_await one.next_but_ping()).flags, kFin)
        << "its end still goes before the goodbye";
    EXPECT_EQ((co_await one.next_but_ping()).type, FrameType::go_away);
    co_await one.close();
  });
}

TEST(Yamux, a_goodbye_waits_only_so_long_for_a_write_and_nothing_goes_behind_it) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    co_await one.send(FrameType::window_update, kSyn, 1, 0);
    co_await test::settle();
    net::Stream& stream = *one.side.incoming[0];
    test::Operation<void> writing(executor, write_all(stream, kInitialWindow + 1000, 1));
    for (std::size_t received = 0; received < kInitialWindow;) {
      received += (co_await one.next_but_ping()).length;
    }
    one.side.connection.shut_down();
    co_await test::settle();
    one.clock.advance(kLastWrites);
    EXPECT_EQ((co_await one.next_but_ping()).type, FrameType::go_away);
    auto written = co_await writing.result();
    EXPECT_EQ(written.error(), Errc::closed);
    co_await one.send(FrameType::window_update, 0, 1, 5000);
    co_await one.send(FrameType::ping, kSyn, 0, 1);
    co_await test::settle();
    auto ended = co_await stream.close_write();
    EXPECT_EQ(ended.error(), Errc::closed);
    stream.reset();
    FixedBytes<1> rest;
    auto end = co_await one.peer->read_some(rest);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
    co_await one.close();
  });
}

TEST(Yamux, a_window_is_used_up_to_its_last_byte) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    co_await one.send(FrameType::window_update, kSyn, 1, 0);
    co_await test::settle();
    const std::size_t size = 2 * kInitialWindow;
    test::Operation<void> writing(executor, write_all(*one.side.incoming[0], size, 1));
    // A peer that grants nothing before all it granted is used up.
    std::size_t received = 0;
    for (std::size_t granted = kInitialWindow; received < size; granted += kInitialWindow) {
      while (received < granted) {
        const FrameHeader frame = co_await one.next_but_ping();
        if (frame.type == FrameType::data) received += frame.length;
      }
      EXPECT_EQ(received, granted);
      co_await one.send(FrameType::window_update, 0, 1, kInitialWindow);
    }
    EXPECT_TRUE(co_await writing.result());
    co_await one.close();
  });
}

TEST(Yamux, a_violation_is_answered_by_a_goodbye_and_resets_all_streams) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    co_await one.send(FrameType::window_update, kSyn, 1, 0);
    co_await test::settle();
    FixedBytes<8> into;
    test::Operation<std::size_t> reading(executor, one.side.incoming[0]->read_some(into));
    co_await one.send(FrameType::window_update, kSyn, 2, 0);  // an id of ours
    FrameHeader last = co_await one.next();
    while (last.type != FrameType::go_away) last = co_await one.next();
    EXPECT_EQ(last.length, static_cast<std::uint32_t>(GoAwayReason::protocol_error));
    EXPECT_EQ(co_await one.side.end(), P2pErrc::yamux_violation);
    auto read = co_await reading.result();
    EXPECT_TRUE(!read && read.error() == Errc::reset);
  });
}

TEST(Yamux, a_peer_that_vanishes_is_a_reset_to_everybody_who_waits) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Two two(executor);
    auto [near, far] = co_await two.stream();
    FixedBytes<8> into;
    test::Operation<std::size_t> reading(executor, near->read_some(into));
    test::Operation<void> writing(executor, write_all(*near, 10'000'000, 1));
    co_await test::settle();
    two.server.connection.abort(Errc::reset);
    (void)co_await two.server.end();
    EXPECT_EQ(co_await two.client.end(), Errc::reset);
    auto read = co_await reading.result();
    EXPECT_TRUE(!read && read.error() == Errc::reset);
    auto written = co_await writing.result();
    EXPECT_TRUE(!written && written.error() == Errc::reset);
  });
}

TEST(Yamux, a_peer_that_stops_reading_is_given_up_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    co_await one.send(FrameType::window_update, kSyn, 1, 64 * 1024 * 1024);
    co_await test::settle();
    test::Operation<void> writing(executor, write_all(*one.side.incoming[0], 10'000'000, 1));
    co_await test::settle();
    EXPECT_FALSE(writing.done());
    Duration waited{0};
    for (; !one.side.running->done() && waited < 60s; waited += 1s) {
      one.clock.advance(1s);
      co_await test::settle();
    }
    EXPECT_LE(waited, 45s);
    EXPECT_EQ(co_await one.side.end(), P2pErrc::keep_alive_failed);
    auto written = co_await writing.result();
    EXPECT_TRUE(!written && written.error() == Errc::reset);
  });
}

TEST(Yamux, a_flood_of_pings_that_is_never_read_is_cut) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    Bytes pings;
    for (int i = 0; i < 1000; ++i) {
      FixedBytes<kHeaderSize> ping;
      encode_header({FrameType::ping, kSyn, 0, 1}, ping.data());
      append(pings, ping);
    }
    int sent = 0;
    while (sent < 1000 && co_await one.peer->write(pings)) ++sent;
    EXPECT_LT(sent, 200);
    one.clock.advance(5s);  // its answers are stuck; the tick ends it
    EXPECT_EQ(co_await one.side.end(), P2pErrc::yamux_violation);
  });
}

TEST(Yamux, opening_waits_for_the_peers_acknowledgements) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    std::vector<StreamPtr> streams;
    const FixedBytes<1> byte{1};
    for (std::size_t i = 0; i < kAckBacklog; ++i) {
      auto opened = co_await one.side.connection.open_stream();
      EXPECT_TRUE(opened);
      EXPECT_TRUE(co_await (*opened)->write(byte));
      streams.push_back(*std::move(opened));
    }
    test::Operation<StreamPtr> given_up(executor, one.side.connection.open_stream());
    test::Operation<StreamPtr> next(executor, one.side.connection.open_stream());
    co_await test::settle();
    EXPECT_FALSE(next.done());
    given_up.cancel();
    EXPECT_FALSE(co_await given_up.result());
    co_await one.send(FrameType::window_update, kAck, 2, 0);
    auto opened = co_await next.result();
    EXPECT_TRUE(opened);
    // A stream given up frees its place as well, though it was never spoken of.
    test::Operation<StreamPtr> last(executor, one.side.connection.open_stream());
    co_await test::settle();
    EXPECT_FALSE(last.done());
    opened->reset();
    opened = co_await last.result();
    EXPECT_TRUE(opened);
    opened = Errc::closed;
    streams.clear();
    co_await one.close();
  });
}

TEST(Yamux, writers_that_give_up_do_not_leave_the_others_waiting) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    constexpr std::uint32_t kStreams = 40;
    for (std::uint32_t i = 0; i < kStreams; ++i) {
      co_await one.send(FrameType::window_update, kSyn, 2 * i + 1, 0);
    }
    co_await test::settle();
    EXPECT_EQ(one.side.incoming.size(), kStreams);
    std::vector<std::unique_ptr<test::Operation<void>>> writers;
    for (StreamPtr& stream : one.side.incoming) {
      writers.push_back(
          std::make_unique<test::Operation<void>>(executor, write_all(*stream, 100'000, 1)));
    }
    co_await test::settle();
    // All that wait for room, but the last, give up at the moment that there is some.
    test::Operation<std::size_t> draining(executor,
                                          [](net::Stream& peer) -> awaitable<Result<std::size_t>> {
                                            Bytes into(64 * 1024);
                                            for (;;) CO_CHECK(co_await peer.read_some(into));
                                          }(*one.peer));
    for (std::size_t i = 0; i + 1 < writers.size(); ++i) writers[i]->cancel();
    EXPECT_TRUE(co_await writers.back()->result());
    for (std::size_t i = 0; i + 1 < writers.size(); ++i) (void)co_await writers[i]->result();
    one.side.incoming.clear();
    co_await one.close();
    (void)co_await draining.result();
  });
}

TEST(Yamux, streams_may_outlive_their_connection) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    FakeClock clock;
    auto [a, b] = net::make_fake_stream_pair();
    StreamPtr stream;
    {
      Side side(std::move(a), Role::client, clock);
      side.start(executor);
      auto opened = co_await side.connection.open_stream();
      stream = *std::move(opened);
      side.connection.abort(Errc::reset);
      (void)co_await side.end();
    }
    FixedBytes<4> bytes{};
    auto read = co_await stream->read_some(bytes);
    EXPECT_TRUE(!read && read.error() == Errc::reset);
    auto written = co_await stream->write(bytes);
    EXPECT_TRUE(!written && written.error() == Errc::reset);
    stream.reset();
  });
}

TEST(Yamux, whole_streams_can_be_read_after_the_end_of_the_connection) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Two two(executor);
    auto [near, far] = co_await two.stream();
    EXPECT_TRUE(co_await write_all(*near, 50'000, 3));
    co_await test::settle();
    co_await two.close();
    auto got = co_await read_all(*far, 3);
    EXPECT_TRUE(got && *got == 50'000u);
  });
}

TEST(Yamux, the_connection_may_be_ended_from_inside_its_own_callback) {
  for (const bool gracefully : {true, false}) {
    test::run_async([gracefully] {
      return [](bool graceful) -> awaitable<void> {
        auto executor = co_await asio::this_coro::executor;
        FakeClock clock;
        auto [a, b] = net::make_fake_stream_pair();
        Connection* self = nullptr;
        Connection connection(std::move(a), Role::server, clock, 1, [&self, graceful](StreamPtr) {
          if (graceful) {
            self->shut_down();
          } else {
            self->abort(P2pErrc::go_away);
          }
        });
        self = &connection;
        test::Operation<void> running(executor, Side::run(connection));
        FixedBytes<2 * kHeaderSize> syns;
        encode_header({FrameType::window_update, kSyn, 1, 0}, syns.data());
        encode_header({FrameType::window_update, kSyn, 3, 0}, syns.data() + kHeaderSize);
        EXPECT_TRUE(co_await b->write(syns));
        co_await test::settle();
        EXPECT_TRUE(co_await b->close_write() || !graceful);
        auto why = co_await running.result();
        EXPECT_EQ(why.error(), graceful ? error_code(Errc::closed) : error_code(P2pErrc::go_away));
      }(gracefully);
    });
  }
}

TEST(Yamux, cancelling_its_task_breaks_the_connection) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Two two(executor);
    auto [near, far] = co_await two.stream();
    two.client.running->cancel();
    EXPECT_EQ(co_await two.client.end(), Errc::cancelled);
    EXPECT_EQ(co_await two.server.end(), Errc::reset);
    FixedBytes<4> bytes{};
    auto read = co_await far->read_some(bytes);
    EXPECT_TRUE(!read && read.error() == Errc::reset);
  });
}

TEST(Yamux, a_round_trip_is_known_soon) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Two two(executor);
    co_await test::settle();
    EXPECT_TRUE(two.client.connection.round_trip());
    EXPECT_TRUE(two.server.connection.round_trip());
    co_await two.close();
  });
}

TEST(Yamux, a_goodbye_of_the_peer_ends_the_connection_when_the_last_stream_ends) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    One one(executor);
    co_await one.send(FrameType::window_update, kSyn, 1, 0);
    co_await test::settle();
    co_await one.send(FrameType::go_away, 0, 0, 0);
    co_await test::settle();
    EXPECT_FALSE(one.side.running->done());
    auto opened = co_await one.side.connection.open_stream();
    EXPECT_TRUE(!opened && opened.error() == P2pErrc::go_away);
    EXPECT_TRUE(co_await write_all(*one.side.incoming[0], 10, 1));
    one.side.incoming.clear();
    co_await one.send(FrameType::data, kFin, 1, 0);
    EXPECT_EQ(co_await one.side.end(), P2pErrc::go_away);
  });
}

}  // namespace
}  // namespace oc::p2p::yamux
