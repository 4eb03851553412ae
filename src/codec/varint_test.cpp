#include "codec/varint.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace oc::codec {
namespace {

using test::hex;

Bytes encoded(std::uint64_t v) {
  Bytes out;
  put_uvarint(out, v);
  return out;
}

Result<std::uint64_t> decoded(BytesView bytes) { return take_uvarint(bytes); }

// The examples in the README of multiformats/unsigned-varint.
TEST(Varint, gives_the_published_encodings) {
  const std::pair<std::uint64_t, const char*> examples[] = {
      {1, "01"}, {127, "7f"}, {128, "8001"}, {255, "ff01"}, {300, "ac02"}, {16384, "808001"}};
  for (const auto& [value, bytes] : examples) {
    EXPECT_EQ(to_hex(encoded(value)), bytes);
    EXPECT_EQ(*decoded(hex(bytes)), value);
  }
}

TEST(Varint, round_trips_at_every_length) {
  for (unsigned bit = 0; bit < 63; ++bit) {
    for (std::uint64_t v : {(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit}) {
      EXPECT_EQ(*decoded(encoded(v)), v);
      EXPECT_EQ(encoded(v).size(), uvarint_size(v));
    }
  }
  EXPECT_EQ(*decoded(encoded(kMaxUvarint)), kMaxUvarint);
  EXPECT_EQ(encoded(kMaxUvarint).size(), kMaxUvarintSize);
}

TEST(Varint, takes_only_its_own_bytes) {
  const Bytes bytes = hex("ac02ff");
  BytesView in = bytes;
  EXPECT_EQ(*take_uvarint(in), 300u);
  EXPECT_EQ(in.size(), 1u);
}

TEST(Varint, every_truncated_prefix_is_truncated_and_takes_nothing) {
  const Bytes whole = encoded(kMaxUvarint);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    BytesView in = BytesView(whole).first(n);
    EXPECT_EQ(take_uvarint(in).error(), Errc::truncated);
    EXPECT_EQ(in.size(), n);
  }
}

TEST(Varint, refuses_encodings_that_are_not_the_shortest) {
  EXPECT_EQ(decoded(hex("8000")).error(), Errc::malformed);
  EXPECT_EQ(decoded(hex("8100")).error(), Errc::malformed);
  EXPECT_EQ(decoded(hex("ffffff00")).error(), Errc::malformed);
}

TEST(Varint, refuses_more_than_nine_bytes) {
  EXPECT_EQ(decoded(hex("ffffffffffffffffff01")).error(), Errc::malformed);
  EXPECT_EQ(decoded(hex("80808080808080808001")).error(), Errc::malformed);
  EXPECT_EQ(decoded(hex("ffffffffffffffffff")).error(), Errc::malformed);
}

TEST(Varint, a_length_beyond_the_input_is_truncated) {
  for (const char* text : {"01", "05aabbccdd", "ffffffffffffffff7f", "8080808010ff"}) {
    const Bytes bytes = hex(text);
    BytesView in = bytes;
    EXPECT_EQ(take_length_prefixed(in).error(), Errc::truncated);
    EXPECT_EQ(in.size(), bytes.size());
  }
}

TEST(Varint, length_prefixed_bytes_round_trip) {
  Bytes out;
  put_length_prefixed(out, hex("aabb"));
  put_length_prefixed(out, {});
  EXPECT_EQ(to_hex(out), "02aabb00");
  BytesView in = out;
  EXPECT_EQ(to_hex(*take_length_prefixed(in)), "aabb");
  EXPECT_TRUE(take_length_prefixed(in)->empty());
  EXPECT_TRUE(in.empty());
}

}  // namespace
}  // namespace oc::codec
