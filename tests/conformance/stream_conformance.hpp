// The suite that every implementation of net::Stream passes: the contract of net/stream.hpp as
// tests.
//
// To put a stream under test, describe how to make a connected pair of it and instantiate:
//
//   INSTANTIATE_TEST_SUITE_P(Fake, StreamConformance, Values(StreamKind{…}), kind_name);
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/stream.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::test {

// What carries a pair of streams, when that is more than the streams themselves.
class StreamWorld {
 public:
  virtual ~StreamWorld() = default;
  // Ends what carries the streams; they are destroyed before.
  virtual awaitable<void> close() = 0;
};

struct StreamPair {
  std::unique_ptr<StreamWorld> world;  // may be null
  std::unique_ptr<net::Stream> a;
  std::unique_ptr<net::Stream> b;
};

struct StreamKind {
  std::string name;
  std::function<awaitable<StreamPair>()> make;
  // The most that one end takes in while the other does not read.
  std::size_t most_buffered;
  // Unix sockets have no reset: the peer sees an end.
  bool shows_reset = true;
};

inline std::string kind_name(const testing::TestParamInfo<StreamKind>& info) {
  return info.param.name;
}
inline void PrintTo(const StreamKind& kind, std::ostream* out) { *out << kind.name; }

class StreamConformance : public testing::TestWithParam<StreamKind> {
 protected:
  using Test = awaitable<void> (*)(StreamPair&, const StreamKind&);

  // Runs `test` on a fresh pair; afterwards no block may be left in use.
  void with_pair(Test test) {
    const std::size_t blocks = Buffer::blocks_in_use();
    run_async([test] { return drive(GetParam(), test); });
    EXPECT_EQ(Buffer::blocks_in_use(), blocks);
  }

 private:
  static awaitable<void> drive(StreamKind kind, Test test) {
    StreamPair pair = co_await kind.make();
    EXPECT_TRUE(pair.a && pair.b) << "no pair to test";
    if (pair.a && pair.b) co_await test(pair, kind);
    pair.a.reset();
    pair.b.reset();
    if (pair.world) co_await pair.world->close();
  }
};

namespace stream_conformance {

// The byte at a position of the test's data: neighbours differ, and so do equal places of blocks.
inline Byte pattern(std::size_t position) {
  return static_cast<Byte>(position * 31 + (position >> 8) * 7 + (position >> 16));
}
inline Bytes patterned(std::size_t from, std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = pattern(from + i);
  return out;
}
inline bool is_patterned(std::size_t from, BytesView bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != pattern(from + i)) return false;
  }
  return true;
}

enum class WriteBy { write, chain, slices };
enum class ReadBy { some, chain };

// A chain with the next bytes of the pattern: blocks of their own, or slices that share one.
inline BufferChain patterned_chain(std::size_t from, std::size_t size, bool shared) {
  BufferChain chain;
  if (!shared) {
    chain.push(Buffer::copy_of(patterned(from, size)));
    return chain;
  }
  const Buffer whole = Buffer::copy_of(patterned(from, size));
  const std::size_t middle = size / 2;
  chain.push(whole.slice(0, middle));
  chain.push(Buffer());
  chain.push(whole.slice(middle, size - middle));
  return chain;
}

inline awaitable<Result<void>> write_pattern(net::Stream& to, std::size_t size, std::size_t chunk,
                                             WriteBy by) {
  for (std::size_t done = 0; done < size;) {
    const std::size_t n = std::min(chunk, size - done);
    if (by == WriteBy::write) {
      const Bytes bytes = patterned(done, n);
      CO_CHECK(co_await to.write(bytes));
    } else {
      CO_CHECK(co_await to.write_chain(patterned_chain(done, n, by == WriteBy::slices)));
    }
    done += n;
  }
  co_return success();
}

// Reads until `size` bytes came (or what ends the stream) and checks them; gives how many came.
inline awaitable<Result<std::size_t>> read_pattern(net::Stream& from, std::size_t size,
                                                   std::size_t room, ReadBy by) {
  Bytes into(room);
  std::size_t have = 0;
  while (have < size) {
    if (by == ReadBy::some) {
      const std::size_t most = std::min(room, size - have);
      CO_TRY(const std::size_t n, co_await from.read_some(MutableBytes(into).first(most)));
      if (n == 0 || n > most || !is_patterned(have, BytesView(into).first(n)))
        co_return Errc::malformed;
      have += n;
      continue;
    }
    CO_TRY(const BufferChain chain, co_await from.read_chain());
    if (chain.empty()) co_return Errc::malformed;
    for (const Buffer& buffer : chain) {
      if (buffer.empty() || !is_patterned(have, buffer.bytes())) co_return Errc::malformed;
      have += buffer.size();
    }
  }
  co_return have;
}

// Writes the pattern and ends the half.
inline awaitable<Result<void>> write_and_end(net::Stream& to, std::size_t size) {
  CO_CHECK(co_await write_pattern(to, size, 50'000, WriteBy::chain));
  co_return co_await to.close_write();
}

// Reads the pattern to the clean end.
inline awaitable<Result<std::size_t>> read_to_end(net::Stream& from) {
  Bytes into(9000);
  for (std::size_t have = 0;;) {
    auto n = co_await from.read_some(into);
    if (!n && n.error() == Errc::eof) co_return have;
    if (!n) co_return n.error();
    if (!is_patterned(have, BytesView(into).first(*n))) co_return Errc::malformed;
    have += *n;
  }
}

// Carries a byte each way, so that nothing of a negotiation is left to come.
inline awaitable<void> greet(StreamPair& pair) {
  FixedBytes<1> byte{42};
  EXPECT_TRUE(co_await pair.a->write(byte));
  EXPECT_TRUE(co_await net::read_exactly(*pair.b, byte));
  EXPECT_TRUE(co_await pair.b->write(byte));
  EXPECT_TRUE(co_await net::read_exactly(*pair.a, byte));
}

// Reads what is left of an aborted stream: gives the error that ends it.
inline awaitable<error_code> drain(net::Stream& from) {
  Bytes into(64 * 1024);
  for (;;) {
    auto n = co_await from.read_some(into);
    if (!n) co_return n.error();
  }
}

inline void expect_aborted(const StreamKind& kind, error_code error) {
  const bool ended = !kind.shows_reset && error == Errc::eof;
  EXPECT_TRUE(error == Errc::reset || ended) << error.message();
}

// Writes without end; counts what was taken.
inline awaitable<Result<void>> write_on(net::Stream& to, std::size_t& taken) {
  for (;;) {
    CO_CHECK(co_await to.write_chain(patterned_chain(taken, 40'000, false)));
    taken += 40'000;
  }
}

inline awaitable<Result<void>> write_one(net::Stream& to, Bytes bytes) {
  co_return co_await to.write(bytes);
}

}  // namespace stream_conformance

TEST_P(StreamConformance, bytes_arrive_in_order_for_every_size_and_chunking) {
  using namespace stream_conformance;
  struct Case {
    std::size_t size, chunk, room;
  };
  static constexpr std::array<Case, 10> kCases{{{1, 1, 1},
                                                {2, 1, 7},
                                                {255, 255, 1},
                                                {4096, 1, 4096},
                                                {65507, 65507, 65507},
                                                {65508, 65508, 1000},
                                                {65536, 65536, 65536},
                                                {131'077, 16'384, 333},
                                                {600'001, 600'001, 300'000},
                                                {3'000'000, 100'003, 70'001}}};
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    for (const Case& c : kCases) {
      for (const WriteBy write_by : {WriteBy::write, WriteBy::chain, WriteBy::slices}) {
        for (const ReadBy read_by : {ReadBy::some, ReadBy::chain}) {
          Operation<void> writing(executor, write_pattern(*pair.a, c.size, c.chunk, write_by));
          auto read = co_await read_pattern(*pair.b, c.size, c.room, read_by);
          EXPECT_TRUE(read && *read == c.size) << "at size " << c.size;
          EXPECT_TRUE(co_await writing.result());
          if (!read) co_return;
        }
      }
    }
  });
}

TEST_P(StreamConformance, both_directions_carry_at_once) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    Operation<void> there(executor, write_and_end(*pair.a, 2'000'000));
    Operation<void> back(executor, write_and_end(*pair.b, 1'500'000));
    Operation<std::size_t> at_b(executor, read_to_end(*pair.b));
    Operation<std::size_t> at_a(executor, read_to_end(*pair.a));
    auto b = co_await at_b.result();
    EXPECT_TRUE(b && *b == 2'000'000u);
    auto a = co_await at_a.result();
    EXPECT_TRUE(a && *a == 1'500'000u);
    EXPECT_TRUE(co_await there.result());
    EXPECT_TRUE(co_await back.result());
  });
}

TEST_P(StreamConformance, an_ended_half_leaves_the_other_flowing) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    EXPECT_TRUE(co_await write_and_end(*pair.a, 10'000));
    auto at_b = co_await read_to_end(*pair.b);
    EXPECT_TRUE(at_b && *at_b == 10'000u);
    Operation<void> back(executor, write_and_end(*pair.b, 1'000'000));
    auto at_a = co_await read_to_end(*pair.a);
    EXPECT_TRUE(at_a && *at_a == 1'000'000u);
    EXPECT_TRUE(co_await back.result());
  });
}

TEST_P(StreamConformance, the_end_is_told_again_to_who_reads_again) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    EXPECT_TRUE(co_await pair.a->close_write());
    FixedBytes<8> into;
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(co_await pair.b->readable());
      auto some = co_await pair.b->read_some(into);
      EXPECT_TRUE(!some && some.error() == Errc::eof);
      auto chain = co_await pair.b->read_chain();
      EXPECT_TRUE(!chain && chain.error() == Errc::eof);
    }
    EXPECT_TRUE(co_await pair.b->write(into));  // the other half is whole
    EXPECT_TRUE(co_await net::read_exactly(*pair.a, into));
  });
}

TEST_P(StreamConformance, nothing_is_written_behind_the_end) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    FixedBytes<8> bytes{1, 2, 3};
    EXPECT_TRUE(co_await pair.a->write(bytes));
    EXPECT_TRUE(co_await pair.a->close_write());
    auto late = co_await pair.a->write(bytes);
    EXPECT_TRUE(!late && late.error() == Errc::closed);
    EXPECT_TRUE(co_await pair.a->close_write()) << "ending twice is no error";
    EXPECT_TRUE(co_await net::read_exactly(*pair.b, bytes));
    auto end = co_await pair.b->read_some(bytes);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
  });
}

TEST_P(StreamConformance, what_was_written_before_the_end_arrives_though_the_writer_is_gone) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    EXPECT_TRUE(co_await write_and_end(*pair.a, 100'000));
    pair.a.reset();
    auto at_b = co_await read_to_end(*pair.b);
    EXPECT_TRUE(at_b && *at_b == 100'000u) << (at_b ? "short" : at_b.error().message());
  });
}

TEST_P(StreamConformance, a_reset_is_a_reset_to_the_peer_and_closed_here) {
  with_pair([](StreamPair& pair, const StreamKind& kind) -> awaitable<void> {
    using namespace stream_conformance;
    co_await greet(pair);
    const Bytes bytes = patterned(0, 1000);
    EXPECT_TRUE(co_await pair.a->write(bytes));
    pair.a->reset();
    pair.a->reset();  // twice is once
    FixedBytes<8> into;
    auto read = co_await pair.a->read_some(into);
    EXPECT_TRUE(!read && read.error() == Errc::closed);
    auto chain = co_await pair.a->read_chain();
    EXPECT_TRUE(!chain && chain.error() == Errc::closed);
    auto written = co_await pair.a->write(bytes);
    EXPECT_TRUE(!written && written.error() == Errc::closed);
    auto ended = co_await pair.a->close_write();
    EXPECT_TRUE(!ended && ended.error() == Errc::closed);
    expect_aborted(kind, co_await drain(*pair.b));
    expect_aborted(kind, co_await drain(*pair.b));  // and not a clean end at the second look
  });
}

TEST_P(StreamConformance, a_reset_is_seen_by_reader_and_writer_in_either_order) {
  with_pair([](StreamPair& pair, const StreamKind& kind) -> awaitable<void> {
    using namespace stream_conformance;
    co_await greet(pair);
    pair.a->reset();
    co_await settle();
    const Bytes bytes = patterned(0, 1000);
    auto written = co_await pair.b->write(bytes);
    EXPECT_TRUE(!written && written.error() == Errc::reset);
    auto again = co_await pair.b->write(bytes);
    EXPECT_TRUE(!again && again.error() == Errc::reset);
    // That the writer was told first does not make it an end for the reader.
    expect_aborted(kind, co_await drain(*pair.b));
  });
}

TEST_P(StreamConformance, a_reset_wakes_a_waiting_reader_on_either_side) {
  with_pair([](StreamPair& pair, const StreamKind& kind) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    FixedBytes<8> here, there;
    Operation<std::size_t> at_a(executor, pair.a->read_some(here));
    Operation<std::size_t> at_b(executor, pair.b->read_some(there));
    co_await settle();
    EXPECT_FALSE(at_a.done() || at_b.done());
    pair.a->reset();
    auto a = co_await at_a.result();
    EXPECT_TRUE(!a && a.error() == Errc::closed);
    auto b = co_await at_b.result();
    EXPECT_FALSE(b);
    if (!b) expect_aborted(kind, b.error());
  });
}

TEST_P(StreamConformance, a_reset_wakes_a_waiting_writer_on_either_side) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    std::size_t from_a = 0, from_b = 0;
    Operation<void> at_a(executor, write_on(*pair.a, from_a));
    Operation<void> at_b(executor, write_on(*pair.b, from_b));
    co_await settle();
    EXPECT_FALSE(at_a.done() || at_b.done());
    pair.a->reset();
    auto a = co_await at_a.result();
    EXPECT_TRUE(!a && a.error() == Errc::closed);
    auto b = co_await at_b.result();
    EXPECT_TRUE(!b && b.error() == Errc::reset) << (b ? "" : b.error().message());
  });
}

TEST_P(StreamConformance, destruction_without_an_end_resets) {
  with_pair([](StreamPair& pair, const StreamKind& kind) -> awaitable<void> {
    using namespace stream_conformance;
    co_await greet(pair);
    const Bytes bytes = patterned(0, 1000);
    EXPECT_TRUE(co_await pair.a->write(bytes));
    EXPECT_TRUE(co_await pair.b->write(bytes));  // left unread
    co_await settle();
    pair.a.reset();
    expect_aborted(kind, co_await drain(*pair.b));
  });
}

TEST_P(StreamConformance, a_writer_waits_for_a_peer_that_does_not_read) {
  with_pair([](StreamPair& pair, const StreamKind& kind) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    const std::size_t blocks = Buffer::blocks_in_use();
    std::size_t taken = 0;
    Operation<void> writing(executor, write_on(*pair.a, taken));
    co_await settle();
    co_await settle();
    EXPECT_FALSE(writing.done());
    EXPECT_LE(taken, kind.most_buffered);
    // At most a quarter of a block is used when it is kept (yamux copies what is less).
    EXPECT_LE(Buffer::blocks_in_use() - blocks, 16 + 4 * kind.most_buffered / Buffer::kBlockSize);
    const std::size_t stuck_at = taken;
    auto read = co_await read_pattern(*pair.b, stuck_at + 400'000, 30'000, ReadBy::some);
    EXPECT_TRUE(read) << read.error().message();
    EXPECT_GT(taken, stuck_at);
    writing.cancel();
    EXPECT_FALSE(co_await writing.result());
    pair.a->reset();
  });
}

TEST_P(StreamConformance, a_cancelled_read_takes_nothing_and_the_stream_goes_on) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    FixedBytes<64> into;
    Operation<std::size_t> some(executor, pair.b->read_some(into));
    co_await settle();
    some.cancel();
    auto got = co_await some.result();
    EXPECT_TRUE(!got && got.error() == Errc::cancelled);
    Operation<BufferChain> chain(executor, pair.b->read_chain());
    co_await settle();
    chain.cancel();
    auto chained = co_await chain.result();
    EXPECT_TRUE(!chained && chained.error() == Errc::cancelled);
    Operation<void> ready(executor, pair.b->readable());
    co_await settle();
    ready.cancel();
    auto waited = co_await ready.result();
    EXPECT_TRUE(!waited && waited.error() == Errc::cancelled);

    EXPECT_TRUE(co_await write_and_end(*pair.a, 10'000));
    auto rest = co_await read_to_end(*pair.b);
    EXPECT_TRUE(rest && *rest == 10'000u);
  });
}

TEST_P(StreamConformance, a_read_cancelled_as_bytes_arrive_loses_none) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    constexpr std::size_t kChunk = 700;
    constexpr int kRounds = 30;
    std::size_t have = 0;
    for (int round = 0; round < kRounds; ++round) {
      FixedBytes<kChunk> into;
      Operation<std::size_t> reading(executor, pair.b->read_some(into));
      co_await turns(5);
      const std::size_t position = static_cast<std::size_t>(round) * kChunk;
      EXPECT_TRUE(co_await pair.a->write(patterned(position, kChunk)));
      co_await turns(round);  // the cancellation meets the bytes at every step of their way
      reading.cancel();
      auto got = co_await reading.result();
      if (got) {
        EXPECT_TRUE(is_patterned(have, BytesView(into).first(*got)));
        have += *got;
      } else {
        EXPECT_EQ(got.error(), Errc::cancelled);
      }
    }
    Bytes rest(kRounds * kChunk - have);
    EXPECT_TRUE(co_await net::read_exactly(*pair.b, rest));
    EXPECT_TRUE(is_patterned(have, rest));
  });
}

TEST_P(StreamConformance, readable_waits_for_bytes_and_takes_none) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    // It may return early, so it is the read behind it that has to wait.
    Operation<std::size_t> reading(executor, [](net::Stream& b) -> awaitable<Result<std::size_t>> {
      CO_CHECK(co_await b.readable());
      co_return co_await read_pattern(b, 5, 5, ReadBy::some);
    }(*pair.b));
    co_await settle();
    EXPECT_FALSE(reading.done());
    EXPECT_TRUE(co_await pair.a->write(patterned(0, 5)));
    auto got = co_await reading.result();
    EXPECT_TRUE(got && *got == 5u);
    EXPECT_TRUE(co_await pair.a->write(patterned(0, 5)));
    EXPECT_TRUE(co_await pair.b->readable());
    EXPECT_TRUE(co_await pair.b->readable());
    got = co_await read_pattern(*pair.b, 5, 5, ReadBy::chain);
    EXPECT_TRUE(got && *got == 5u);
  });
}

TEST_P(StreamConformance, readable_returns_when_the_stream_is_aborted) {
  with_pair([](StreamPair& pair, const StreamKind& kind) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    Operation<void> at_b(executor, pair.b->readable());
    co_await settle();
    pair.a->reset();
    (void)co_await at_b.result();  // ready, or the error itself
    expect_aborted(kind, co_await drain(*pair.b));
  });
}

TEST_P(StreamConformance, an_idle_stream_holds_no_block) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    co_await settle();
    const std::size_t blocks = Buffer::blocks_in_use();
    Operation<void> at_a(executor, pair.a->readable());
    Operation<BufferChain> at_b(executor, pair.b->read_chain());
    co_await settle();
    EXPECT_EQ(Buffer::blocks_in_use(), blocks);
    at_a.cancel();
    at_b.cancel();
    (void)co_await at_a.result();
    (void)co_await at_b.result();
  });
}

TEST_P(StreamConformance, writing_nothing_is_nothing) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    EXPECT_TRUE(co_await pair.a->write({}));
    EXPECT_TRUE(co_await pair.a->write_chain({}));
    EXPECT_TRUE(co_await pair.a->write_chain(BufferChain(Buffer())));
    EXPECT_TRUE(co_await net::read_exactly(*pair.b, {}));
    EXPECT_TRUE(co_await net::write_delimited(*pair.a, {}));
    auto message = co_await net::read_delimited(*pair.b, 10);
    EXPECT_TRUE(message && message->empty());
    EXPECT_TRUE(co_await pair.a->close_write());
    FixedBytes<1> into;
    auto end = co_await pair.b->read_some(into);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
  });
}

TEST_P(StreamConformance, streams_with_bytes_under_way_can_be_destroyed) {
  with_pair([](StreamPair& pair, const StreamKind&) -> awaitable<void> {
    using namespace stream_conformance;
    auto executor = co_await asio::this_coro::executor;
    co_await greet(pair);
    std::size_t taken = 0;
    Operation<void> writing(executor, write_on(*pair.a, taken));
    FixedBytes<100> into;
    EXPECT_TRUE(co_await pair.b->read_some(into));
    pair.b.reset();  // with most of it unread
    auto written = co_await writing.result();
    EXPECT_TRUE(!written && written.error() == Errc::reset);
  });
}

}  // namespace oc::test
