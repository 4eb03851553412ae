#include "net/splice.hpp"

#include <boost/asio/post.hpp>

#include "base/random.hpp"
#include "crypto/sha.hpp"
#include "net/fake_stream.hpp"
#include "support/run_async.hpp"

namespace oc::net {
namespace {

using StreamPtr = std::unique_ptr<Stream>;

// visitor ═ [outer, inner] ═ service, with the splice in between.
struct Spliced {
  explicit Spliced(FakeStreamOptions left = {}, FakeStreamOptions right = {}) {
    std::tie(visitor, outer) = make_fake_stream_pair(left);
    std::tie(inner, service) = make_fake_stream_pair(right);
  }
  StreamPtr visitor, outer, inner, service;
  std::uint64_t forward = 0, backward = 0;
  FakeClock clock;
  std::optional<Result<void>> result;
};

awaitable<void> run_splice(Spliced& s) {
  const SpliceCounters counters{s.forward, s.backward};
  s.result = co_await splice(*s.outer, *s.inner, counters, s.clock);
}

awaitable<void> turns(Executor executor, int count = 50) {
  for (int i = 0; i < count; ++i) co_await asio::post(executor, asio::use_awaitable);
}

awaitable<std::string> read_all(Stream& stream, error_code& end) {
  std::string out;
  for (;;) {
    FixedBytes<1000> bytes;
    const auto n = co_await stream.read_some(bytes);
    if (!n) {
      end = n.error();
      co_return out;
    }
    out += as_text(BytesView(bytes).first(*n));
  }
}

// A splice under way while the body plays visitor and service.
template <class Body>
void with_splice(Spliced& s, Body body) {
  asio::io_context io;
  auto all = [&]() -> awaitable<void> {
    TaskScope tasks(io.get_executor());
    tasks.spawn("splice", run_splice(s));
    co_await body(s, tasks);
    co_await tasks.close();
  };
  test::run_async(io, [&all] { return all(); });
}

awaitable<void> a_request_and_its_reply(Spliced& s, TaskScope& tasks) {
  error_code end;
  EXPECT_TRUE(co_await s.visitor->write(as_bytes("request")));
  EXPECT_TRUE(co_await s.visitor->close_write());
  EXPECT_EQ(co_await read_all(*s.service, end), "request");
  EXPECT_EQ(end, Errc::eof);
  EXPECT_FALSE(s.result) << "only one half has ended";
  EXPECT_TRUE(co_await s.service->write(as_bytes("a reply after the end of the request")));
  EXPECT_TRUE(co_await s.service->close_write());
  EXPECT_EQ(co_await read_all(*s.visitor, end), "a reply after the end of the request");
  EXPECT_EQ(end, Errc::eof);
  co_await turns(tasks.executor());
  EXPECT_TRUE(s.result && *s.result);
  EXPECT_EQ(s.forward, 7u);
  EXPECT_EQ(s.backward, 36u);
}
TEST(Splice, carries_the_end_of_the_visitors_half_and_then_the_reply) {
  Spliced s;
  with_splice(s, a_request_and_its_reply);
}

awaitable<void> service_ends_first(Spliced& s, TaskScope& tasks) {
  error_code end;
  EXPECT_TRUE(co_await s.service->write(as_bytes("banner")));
  EXPECT_TRUE(co_await s.service->close_write());
  EXPECT_EQ(co_await read_all(*s.visitor, end), "banner");
  EXPECT_EQ(end, Errc::eof);
  EXPECT_TRUE(co_await s.visitor->write(as_bytes("still talking")));
  EXPECT_TRUE(co_await s.visitor->close_write());
  EXPECT_EQ(co_await read_all(*s.service, end), "still talking");
  EXPECT_EQ(end, Errc::eof);
  co_await turns(tasks.executor());
  EXPECT_TRUE(s.result && *s.result);
}
TEST(Splice, carries_the_end_of_the_services_half_first) {
  Spliced s;
  with_splice(s, service_ends_first);
}

awaitable<void> visitor_resets(Spliced& s, TaskScope& tasks) {
  s.visitor->reset();
  error_code end;
  (void)co_await read_all(*s.service, end);
  EXPECT_EQ(end, Errc::reset);
  co_await turns(tasks.executor());
  EXPECT_TRUE(s.result && !*s.result);
}
TEST(Splice, carries_a_reset_of_the_visitor_as_a_reset) {
  Spliced s;
  with_splice(s, visitor_resets);
}

awaitable<void> service_resets(Spliced& s, TaskScope& tasks) {
  s.service->reset();
  error_code end;
  (void)co_await read_all(*s.visitor, end);
  EXPECT_EQ(end, Errc::reset);
  co_await turns(tasks.executor());
  EXPECT_TRUE(s.result && !*s.result);
}
TEST(Splice, carries_a_reset_of_the_service_as_a_reset) {
  Spliced s;
  with_splice(s, service_resets);
}

awaitable<void> reset_after_half_close(Spliced& s, TaskScope& tasks) {
  error_code end;
  EXPECT_TRUE(co_await s.visitor->close_write());
  EXPECT_EQ(co_await read_all(*s.service, end), "");
  s.service->reset();
  (void)co_await read_all(*s.visitor, end);
  EXPECT_EQ(end, Errc::reset);
  co_await turns(tasks.executor());
  EXPECT_TRUE(s.result && !*s.result);
}
TEST(Splice, carries_a_reset_after_one_half_has_ended) {
  Spliced s;
  with_splice(s, reset_after_half_close);
}

awaitable<void> silent_after_half_close(Spliced& s, TaskScope& tasks, Stream& ended, Stream& left) {
  EXPECT_TRUE(co_await ended.close_write());
  for (int i = 0; i < 3; ++i) {
    co_await turns(tasks.executor());
    s.clock.advance(kHalfClosedIdle - std::chrono::seconds(1));
    EXPECT_TRUE(co_await left.write(as_bytes("x"))) << "while something moves, it lives on";
    co_await turns(tasks.executor());
    s.clock.advance(std::chrono::seconds(1));
    co_await turns(tasks.executor());
    EXPECT_FALSE(s.result);
  }
  s.clock.advance(kHalfClosedIdle);
  co_await turns(tasks.executor());
  EXPECT_TRUE(s.result && !*s.result);
  error_code end;
  (void)co_await read_all(ended, end);
  EXPECT_EQ(end, Errc::reset);
}

awaitable<void> silent_service(Spliced& s, TaskScope& tasks) {
  return silent_after_half_close(s, tasks, *s.visitor, *s.service);
}
TEST(Splice, is_given_up_when_the_visitor_has_ended_and_the_service_is_silent) {
  Spliced s;
  with_splice(s, silent_service);
}

awaitable<void> silent_visitor(Spliced& s, TaskScope& tasks) {
  return silent_after_half_close(s, tasks, *s.service, *s.visitor);
}
TEST(Splice, is_given_up_when_the_service_has_ended_and_the_visitor_is_silent) {
  Spliced s;
  with_splice(s, silent_visitor);
}

awaitable<void> silent_but_open(Spliced& s, TaskScope& tasks) {
  co_await turns(tasks.executor());
  s.clock.advance(std::chrono::hours(24));
  co_await turns(tasks.executor());
  EXPECT_FALSE(s.result);
}
TEST(Splice, lives_on_in_silence_while_both_halves_are_open) {
  Spliced s;
  with_splice(s, silent_but_open);
}

awaitable<void> expect_both_reset(Spliced& s) {
  error_code end;
  (void)co_await read_all(*s.visitor, end);
  EXPECT_EQ(end, Errc::reset);
  (void)co_await read_all(*s.service, end);
  EXPECT_EQ(end, Errc::reset);
}

awaitable<void> cancelled_while_idle(Spliced& s, TaskScope& tasks) {
  co_await turns(tasks.executor());
  co_await tasks.close();
  EXPECT_TRUE(s.result && !*s.result);
  co_await expect_both_reset(s);
}
TEST(Splice, resets_both_when_it_is_cancelled) {
  Spliced s;
  with_splice(s, cancelled_while_idle);
}

awaitable<void> cancelled_after_the_visitors_end(Spliced& s, TaskScope& tasks) {
  error_code end;
  EXPECT_TRUE(co_await s.visitor->close_write());
  (void)co_await read_all(*s.service, end);
  co_await turns(tasks.executor());
  co_await tasks.close();
  EXPECT_TRUE(s.result);
  (void)co_await read_all(*s.visitor, end);
  EXPECT_EQ(end, Errc::reset);
}
TEST(Splice, resets_both_when_it_is_cancelled_with_one_half_ended) {
  Spliced s;
  with_splice(s, cancelled_after_the_visitors_end);
}

awaitable<void> cancelled_after_the_services_end(Spliced& s, TaskScope& tasks) {
  error_code end;
  EXPECT_TRUE(co_await s.service->close_write());
  (void)co_await read_all(*s.visitor, end);
  co_await turns(tasks.executor());
  co_await tasks.close();
  EXPECT_TRUE(s.result && !*s.result);
  (void)co_await read_all(*s.service, end);
  EXPECT_EQ(end, Errc::reset);
}
TEST(Splice, resets_both_when_it_is_cancelled_with_the_other_half_ended) {
  Spliced s;
  with_splice(s, cancelled_after_the_services_end);
}

TEST(Splice, ends_when_cancellation_comes_together_with_bytes) {
  // Bytes are there when the cancellation comes; a different number of turns apart each time.
  for (int apart = 0; apart < 12; ++apart) {
    Spliced s;
    auto body = [apart](Spliced& spliced, TaskScope& tasks) -> awaitable<void> {
      co_await turns(tasks.executor());
      EXPECT_TRUE(co_await spliced.visitor->write(as_bytes("x")));
      EXPECT_TRUE(co_await spliced.service->write(as_bytes("y")));
      co_await turns(tasks.executor(), apart);
      co_await tasks.close();
      EXPECT_TRUE(spliced.result) << apart;
    };
    with_splice(s, body);
  }
}

TEST(Splice, ends_when_cancellation_comes_together_with_the_end_of_a_half) {
  for (int apart = 0; apart < 12; ++apart) {
    Spliced s;
    auto body = [apart](Spliced& spliced, TaskScope& tasks) -> awaitable<void> {
      co_await turns(tasks.executor());
      EXPECT_TRUE(co_await spliced.visitor->close_write());
      co_await turns(tasks.executor(), apart);
      co_await tasks.close();
      EXPECT_TRUE(spliced.result) << apart;
    };
    with_splice(s, body);
  }
}

awaitable<void> write_until_stuck(Stream& to, std::size_t& written) {
  const Bytes piece(1000, 'x');
  for (;;) {
    if (!co_await to.write(piece)) co_return;
    written += piece.size();
  }
}

awaitable<void> a_reader_that_does_not_read(Spliced& s, TaskScope& tasks) {
  std::size_t written = 0;
  TaskScope writer(tasks.executor());
  writer.spawn("writer", write_until_stuck(*s.visitor, written));
  co_await turns(tasks.executor(), 3000);
  // Both pipes and one chunk in between are full; nothing more was taken in.
  EXPECT_GE(written, 2 * 64'000u);
  EXPECT_LE(written, 2 * 64'000u + Buffer::kMaxPayload);
  co_await writer.close();
}
TEST(Splice, takes_in_no_more_than_the_other_side_takes) {
  Spliced s({.capacity = 64'000}, {.capacity = 64'000});
  with_splice(s, a_reader_that_does_not_read);
}

// Writes `size` bytes of a sequence in odd pieces, then ends.
awaitable<void> send_sequence(Stream& to, std::uint64_t seed, std::size_t size) {
  FakeRandom random(seed);
  FakeRandom sizes(seed + 1);
  while (size != 0) {
    Bytes piece(std::min<std::size_t>(size, 8 * (1 + sizes.below(12'000))));
    random.fill(piece);
    if (!co_await to.write(piece)) co_return;
    size -= piece.size();
  }
  EXPECT_TRUE(co_await to.close_write());
}

awaitable<void> expect_sequence(Stream& from, std::uint64_t seed, std::size_t size) {
  FakeRandom random(seed);
  while (size != 0) {
    FixedBytes<64> got;
    FixedBytes<64> wanted;
    random.fill(wanted);
    if (auto read = co_await read_exactly(from, got); !read) {
      ADD_FAILURE() << size << " bytes are missing: " << read.error().message();
      co_return;
    }
    if (got != wanted) {
      ADD_FAILURE() << "other bytes, " << size << " before the end";
      co_return;
    }
    size -= got.size();
  }
  FixedBytes<1> more;
  EXPECT_EQ((co_await from.read_some(more)).error(), Errc::eof);
}

constexpr std::size_t kMuch = 16 * 1024 * 1024;

awaitable<void> much_both_ways(Spliced& s, TaskScope& tasks) {
  TaskScope ends(tasks.executor());
  ends.spawn("visitor sends", send_sequence(*s.visitor, 1, kMuch));
  ends.spawn("service sends", send_sequence(*s.service, 2, kMuch));
  ends.spawn("visitor reads", expect_sequence(*s.visitor, 2, kMuch));
  ends.spawn("service reads", expect_sequence(*s.service, 1, kMuch));
  while (ends.size() != 0) co_await asio::post(tasks.executor(), asio::use_awaitable);
  co_await turns(tasks.executor());
  EXPECT_TRUE(s.result && *s.result);
  EXPECT_EQ(s.forward, kMuch);
  EXPECT_EQ(s.backward, kMuch);
}
TEST(Splice, carries_sixteen_mebibytes_both_ways_whatever_the_chunks_are) {
  const std::size_t before = Buffer::blocks_in_use();
  Spliced s({.capacity = 30'011, .largest_read = 4'099},
            {.capacity = 70'001, .largest_read = 8'191});
  with_splice(s, much_both_ways);
  EXPECT_EQ(Buffer::blocks_in_use(), before);
}

}  // namespace
}  // namespace oc::net
