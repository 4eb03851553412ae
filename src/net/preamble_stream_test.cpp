#include "net/preamble_stream.hpp"

#include "net/fake_stream.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::net {
namespace {

// A preamble of four bytes that has to be "okay".
awaitable<Result<void>> read_okay(Stream& below) {
  FixedBytes<2> first, second;
  CO_CHECK(co_await read_exactly(below, first));
  CO_CHECK(co_await read_exactly(below, second));
  if (as_text(first) != "ok" || as_text(second) != "ay") co_return Errc::protocol_violation;
  co_return success();
}

TEST(PreambleStream, bytes_behind_the_preamble_are_the_streams) {
  test::run_async([]() -> awaitable<void> {
    auto [far, near] = make_fake_stream_pair({.largest_read = 1});
    auto stream = with_preamble(std::move(near), read_okay);
    EXPECT_TRUE(co_await far->write(as_bytes("okayhello")));
    FixedBytes<5> hello;
    EXPECT_TRUE(co_await read_exactly(*stream, hello));
    EXPECT_EQ(as_text(hello), "hello");
  });
}

TEST(PreambleStream, writing_does_not_wait_for_it) {
  test::run_async([]() -> awaitable<void> {
    auto [far, near] = make_fake_stream_pair();
    auto stream = with_preamble(std::move(near), read_okay);
    EXPECT_TRUE(co_await write_delimited(*stream, as_bytes("first")));
    EXPECT_TRUE(co_await stream->close_write());
    auto message = co_await read_delimited(*far, 100);
    EXPECT_TRUE(message && as_text(*message) == "first");
    EXPECT_TRUE(co_await far->write(as_bytes("okay!")));
    EXPECT_TRUE(co_await stream->readable());
    FixedBytes<1> byte;
    EXPECT_TRUE(co_await stream->read_some(byte));
    EXPECT_EQ(byte[0], '!');
  });
}

TEST(PreambleStream, a_bad_preamble_goes_to_the_reader_and_ends_both_halves) {
  test::run_async([]() -> awaitable<void> {
    auto [far, near] = make_fake_stream_pair();
    auto stream = with_preamble(std::move(near), read_okay);
    EXPECT_TRUE(co_await far->write(as_bytes("nope")));
    auto chain = co_await stream->read_chain();
    EXPECT_TRUE(!chain && chain.error() == Errc::protocol_violation);
    auto written = co_await stream->write(as_bytes("x"));
    EXPECT_TRUE(!written && written.error() == Errc::closed);
    FixedBytes<1> byte;
    auto seen = co_await far->read_some(byte);
    EXPECT_TRUE(!seen && seen.error() == Errc::reset);
  });
}

TEST(PreambleStream, an_end_inside_the_preamble_is_no_clean_end) {
  test::run_async([]() -> awaitable<void> {
    auto [far, near] = make_fake_stream_pair();
    auto stream = with_preamble(std::move(near), read_okay);
    EXPECT_TRUE(co_await far->write(as_bytes("oka")));
    EXPECT_TRUE(co_await far->close_write());
    FixedBytes<1> byte;
    auto read = co_await stream->read_some(byte);
    EXPECT_TRUE(!read && read.error() == Errc::truncated);
    read = co_await stream->read_some(byte);
    EXPECT_TRUE(!read && read.error() == Errc::closed);
  });
}

TEST(PreambleStream,
     a_reader_cancelled_inside_the_preamble_leaves_a_dead_stream_not_a_shifted_one) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    for (int steps = 0; steps < 12; ++steps) {
      auto [far, near] = make_fake_stream_pair();
      auto stream = with_preamble(std::move(near), read_okay);
      FixedBytes<8> into;
      test::Operation<std::size_t> reading(executor, stream->read_some(into));
      co_await test::turns(2);
      EXPECT_TRUE(co_await far->write(as_bytes("ok")));
      co_await test::turns(steps);
      reading.cancel();
      EXPECT_FALSE(co_await reading.result());
      (void)co_await far->write(as_bytes("ayokay"));
      auto read = co_await stream->read_some(into);
      EXPECT_TRUE(!read && read.error() == Errc::closed) << steps;
    }
  });
}

}  // namespace
}  // namespace oc::net
