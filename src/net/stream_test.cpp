#include "net/stream.hpp"

#include "net/fake_stream.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::net {
namespace {

// What read_delimited makes of these bytes and the end behind them; `left` bytes then remain.
awaitable<Result<Bytes>> delimited_from(Bytes bytes, std::size_t limit, std::size_t& left) {
  auto [writer, reader] = make_fake_stream_pair({.largest_read = 3});
  CO_CHECK(co_await writer->write(bytes));
  CO_CHECK(co_await writer->close_write());
  auto message = co_await read_delimited(*reader, limit);
  left = 0;
  FixedBytes<64> rest;
  for (;;) {
    auto n = co_await reader->read_some(rest);
    if (!n) break;
    left += *n;
  }
  co_return message;
}

struct Outcome {
  error_code error;
  Bytes message;
  std::size_t left = 0;
};
Outcome delimited(Bytes bytes, std::size_t limit = 1000) {
  Outcome out;
  test::run_async([&bytes, limit, &out] {
    return [](Bytes from, std::size_t most, Outcome& into) -> awaitable<void> {
      auto message = co_await delimited_from(std::move(from), most, into.left);
      if (message) {
        into.message = *message;
      } else {
        into.error = message.error();
      }
    }(bytes, limit, out);
  });
  return out;
}

TEST(ReadDelimited, takes_one_message_and_no_byte_beyond) {
  const Outcome out = delimited({3, 'a', 'b', 'c', 'd', 'e'});
  EXPECT_EQ(as_text(out.message), "abc");
  EXPECT_EQ(out.left, 2u);
  EXPECT_TRUE(delimited({0}).message.empty());
  EXPECT_FALSE(delimited({0}).error);
}

TEST(ReadDelimited, takes_what_write_delimited_writes) {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 16'383u, 16'384u, 200'000u}) {
    test::run_async([size] {
      return [](std::size_t n) -> awaitable<void> {
        auto [writer, reader] = make_fake_stream_pair();
        const Bytes sent(n, Byte{9});
        EXPECT_TRUE(co_await write_delimited(*writer, sent));
        auto got = co_await read_delimited(*reader, n);
        EXPECT_TRUE(got && *got == sent) << n;
      }(size);
    });
  }
}

TEST(ReadDelimited, the_limit_itself_passes_and_one_more_does_not) {
  Bytes fits{10};
  fits.resize(11, 'x');
  EXPECT_EQ(delimited(fits, 10).message.size(), 10u);
  const Outcome over = delimited({11, 'x', 'x', 'x'}, 10);
  EXPECT_EQ(over.error, Errc::limit_exceeded);
  EXPECT_EQ(over.left, 3u) << "nothing of the body was read";
}

TEST(ReadDelimited, a_huge_length_is_refused_before_anything_is_read_or_taken_for_it) {
  const std::vector<Bytes> lengths{
      {0xff, 0xff, 0xff, 0x7f},                                            // 2^28 - 1
      {0x80, 0x80, 0x80, 0x80, 0x01},                                      // 2^28
      {0x80, 0x80, 0x80, 0x80, 0x80, 0x20},                                // 2^40
      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},              // 2^63 - 1
      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},        // ten bytes
      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},  // no end
  };
  for (const Bytes& length : lengths) {
    EXPECT_EQ(delimited(length, 64 * 1024).error, Errc::limit_exceeded) << to_hex(length);
  }
}

TEST(ReadDelimited, a_length_has_one_encoding) {
  for (const Bytes& length : std::vector<Bytes>{{0x80, 0x00}, {0x85, 0x00}, {0x81, 0x80, 0x00}}) {
    EXPECT_EQ(delimited(length).error, Errc::malformed) << to_hex(length);
  }
}

TEST(ReadDelimited, every_cut_is_told_from_a_clean_end) {
  EXPECT_EQ(delimited({}).error, Errc::eof);
  Bytes whole{0xac, 0x02};  // 300
  whole.resize(302, 'y');
  for (std::size_t cut = 1; cut < whole.size(); cut += cut < 4 ? 1 : 37) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    EXPECT_EQ(delimited(part).error, Errc::truncated) << cut;
  }
}

TEST(ReadExactly, tells_a_cut_from_an_end) {
  test::run_async([]() -> awaitable<void> {
    auto [writer, reader] = make_fake_stream_pair();
    const FixedBytes<3> three{1, 2, 3};
    EXPECT_TRUE(co_await writer->write(three));
    EXPECT_TRUE(co_await writer->close_write());
    FixedBytes<2> two;
    EXPECT_TRUE(co_await read_exactly(*reader, two));
    auto cut = co_await read_exactly(*reader, two);
    EXPECT_TRUE(!cut && cut.error() == Errc::truncated);
    auto end = co_await read_exactly(*reader, two);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
  });
}

}  // namespace
}  // namespace oc::net
