#include "p2p/protocols/perf/perf.hpp"

#include <limits>

#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::close_all;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

struct PerfPair {
  explicit PerfPair(Executor executor) : client(executor, 1), server(executor, 2) {
    serve_perf(server.swarm);
  }
  awaitable<void> close() { return close_all(client, server); }

  SwarmRig client, server;
};

TEST(Perf, any_number_of_bytes_goes_up_and_comes_down) {
  test::run_async([]() -> awaitable<void> {
    PerfPair pair(co_await asio::this_coro::executor);
    auto connection = co_await test::connect(pair.client, pair.server);
    const std::uint64_t amounts[] = {0, 1, Buffer::kMaxPayload, 3'000'000};
    for (const std::uint64_t upload : amounts) {
      for (const std::uint64_t download : amounts) {
        const auto before = connection->counters();
        auto times = co_await measure_perf(connection, pair.client.clock, upload, download);
        EXPECT_TRUE(times) << upload << " up, " << download << " down";
        EXPECT_GE(connection->counters().bytes_out - before.bytes_out, upload);
        EXPECT_GE(connection->counters().bytes_in - before.bytes_in, download);
      }
    }
    EXPECT_EQ(connection->stream_count(), 0u);
    connection.reset();
    co_await pair.close();
  });
}

TEST(Perf, tells_the_time_of_each_direction) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    // A server under whose hands the client's clock moves on.
    b.swarm.handle(kPerfId, [&a](ConnectionPtr, StreamPtr stream) {
      return [](StreamPtr mine, FakeClock& clock) -> awaitable<void> {
        FixedBytes<9> asked;
        (void)co_await net::read_exactly(*mine, asked);
        clock.advance(1500ms);
        (void)co_await mine->write(as_bytes("x"));
        co_await test::settle();
        clock.advance(20ms);
        (void)co_await mine->close_write();
      }(std::move(stream), a.clock);
    });
    auto connection = co_await test::connect(a, b);
    auto times = co_await measure_perf(connection, a.clock, 1, 1);
    EXPECT_TRUE(times);
    EXPECT_EQ(times->upload, 1500ms);
    EXPECT_EQ(times->download, 20ms);
    connection.reset();
    co_await close_all(a, b);
  });
}

// The bytes of the specification: a client that asks for two bytes and sends three.
TEST(Perf, speaks_as_the_specification_has_it) {
  test::run_async([]() -> awaitable<void> {
    PerfPair pair(co_await asio::this_coro::executor);
    auto connection = co_await test::connect(pair.client, pair.server);
    auto stream = co_await connection->open_stream(kPerfId);
    const Bytes request = *from_hex(
        "0000000000000002"
        "aabbcc");
    EXPECT_TRUE(co_await (*stream)->write(request));
    co_await test::settle();
    Bytes answer(10);
    test::Operation<std::size_t> reading(pair.client.swarm.executor(),
                                         (*stream)->read_some(answer));
    co_await test::settle();
    EXPECT_FALSE(reading.done()) << "nothing comes back before the end of the upload";
    EXPECT_TRUE(co_await (*stream)->close_write());
    auto n = co_await reading.result();
    EXPECT_TRUE(n && *n == 2u);
    auto end = co_await (*stream)->read_some(answer);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
    stream = Errc::closed;
    connection.reset();
    co_await pair.close();
  });
}

TEST(Perf, a_request_that_is_cut_off_is_reset) {
  test::run_async([]() -> awaitable<void> {
    PerfPair pair(co_await asio::this_coro::executor);
    auto connection = co_await test::connect(pair.client, pair.server);
    auto stream = co_await connection->open_stream(kPerfId);
    EXPECT_TRUE(co_await (*stream)->write(as_bytes("1234567")));
    EXPECT_TRUE(co_await (*stream)->close_write());
    FixedBytes<1> byte;
    auto got = co_await (*stream)->read_some(byte);
    EXPECT_TRUE(!got && got.error() == Errc::reset);
    stream = Errc::closed;
    connection.reset();
    co_await pair.close();
  });
}

TEST(Perf, a_server_that_sends_another_number_of_bytes_is_caught) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kPerfId, [](ConnectionPtr, StreamPtr stream) -> awaitable<void> {
      (void)co_await stream->write(as_bytes("four"));
      (void)co_await stream->close_write();
    });
    auto connection = co_await test::connect(a, b);
    for (const std::uint64_t wanted : {3, 5}) {
      auto times = co_await measure_perf(connection, a.clock, 0, wanted);
      EXPECT_TRUE(!times && times.error() == Errc::protocol_violation) << wanted;
    }
    EXPECT_TRUE(co_await measure_perf(connection, a.clock, 0, 4));
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Perf, giving_up_frees_the_stream_at_both_ends) {
  test::run_async([]() -> awaitable<void> {
    PerfPair pair(co_await asio::this_coro::executor);
    auto connection = co_await test::connect(pair.client, pair.server);
    const std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();
    test::Operation<PerfTimes> measuring(pair.client.swarm.executor(),
                                         measure_perf(connection, pair.client.clock, 0, endless));
    co_await test::settle();
    EXPECT_FALSE(measuring.done());
    measuring.cancel();
    EXPECT_FALSE(co_await measuring.result());
    co_await test::settle();
    EXPECT_EQ(connection->stream_count(), 0u);
    EXPECT_EQ(pair.server.swarm.connection_to(pair.client.id())->stream_count(), 0u);
    connection.reset();
    co_await pair.close();
  });
}

}  // namespace
}  // namespace oc::p2p
