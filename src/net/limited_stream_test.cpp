#include "net/limited_stream.hpp"

#include "net/fake_stream.hpp"
#include "support/run_async.hpp"

namespace oc::net {
namespace {

awaitable<std::string> read_all(Stream& stream, bool by_chain) {
  std::string out;
  for (;;) {
    if (by_chain) {
      auto chain = co_await stream.read_chain();
      if (!chain) {
        EXPECT_EQ(chain.error(), Errc::eof);
        co_return out;
      }
      for (const Buffer& buffer : *chain) out += as_text(buffer.bytes());
    } else {
      FixedBytes<3> bytes;
      const auto n = co_await stream.read_some(bytes);
      if (!n) {
        EXPECT_EQ(n.error(), Errc::eof);
        co_return out;
      }
      out += as_text(BytesView(bytes).first(*n));
    }
  }
}

TEST(LimitedStream, ends_after_so_many_bytes_however_it_is_read) {
  test::run_async([]() -> awaitable<void> {
    for (const bool by_chain : {false, true}) {
      for (const std::size_t limit : {1u, 5u, 9u}) {
        auto [far, near] = make_fake_stream_pair();
        auto stream = limit_reads(std::move(near), limit);
        EXPECT_TRUE(co_await far->write(as_bytes("0123")));
        EXPECT_TRUE(co_await far->write(as_bytes("456789")));
        const std::string read = co_await read_all(*stream, by_chain);
        EXPECT_EQ(read, std::string("0123456789").substr(0, limit));
        EXPECT_TRUE(co_await stream->readable()) << "the end is there at once";
      }
    }
  });
}

TEST(LimitedStream, an_earlier_end_is_the_end) {
  test::run_async([]() -> awaitable<void> {
    auto [far, near] = make_fake_stream_pair();
    auto stream = limit_reads(std::move(near), 100);
    EXPECT_TRUE(co_await far->write(as_bytes("short")));
    EXPECT_TRUE(co_await far->close_write());
    const std::string read = co_await read_all(*stream, true);
    EXPECT_EQ(read, "short");
  });
}

TEST(LimitedStream, writing_is_not_limited) {
  test::run_async([]() -> awaitable<void> {
    auto [far, near] = make_fake_stream_pair();
    auto stream = limit_reads(std::move(near), 1);
    EXPECT_TRUE(co_await stream->write(as_bytes("more than one")));
    EXPECT_TRUE(co_await stream->close_write());
    const std::string read = co_await read_all(*far, true);
    EXPECT_EQ(read, "more than one");
  });
}

}  // namespace
}  // namespace oc::net
