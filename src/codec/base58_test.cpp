#include "codec/base58.hpp"

#include <gtest/gtest.h>

#include "codec/base_radix.hpp"
#include "support/vectors.hpp"

namespace oc::codec {
namespace {

// The examples of draft-msporny-base58.
constexpr std::pair<const char*, const char*> kVectors[] = {
    {"48656c6c6f20576f726c6421", "2NEpo7TZRRrLZSi2U"},
    {"54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e",
     "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z"},
    {"0000287fb4cd", "11233QC4"}};

TEST(Base58, gives_the_published_encodings) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(base58_encode(test::hex(bytes)), text);
    EXPECT_EQ(to_hex(*base58_decode(text)), bytes);
  }
}

TEST(Base58, keeps_leading_zeros) {
  for (std::size_t n = 0; n < 5; ++n) {
    const Bytes zeros(n);
    EXPECT_EQ(base58_encode(zeros), std::string(n, '1'));
    EXPECT_EQ(*base58_decode(std::string(n, '1')), zeros);
  }
}

TEST(Base58, refuses_foreign_characters) {
  for (const char* text : {"0", "O", "I", "l", "2NEpo7TZRRrLZSi2U ", "a b", "\xc3\xa9", "+"}) {
    EXPECT_EQ(base58_decode(text).error(), Errc::malformed) << text;
  }
}

TEST(Base58, refuses_texts_that_would_take_long) {
  EXPECT_TRUE(base58_decode(std::string(kMaxRadixText, 'z')).has_value());
  EXPECT_EQ(base58_decode(std::string(kMaxRadixText + 1, 'z')).error(), Errc::limit_exceeded);
}

}  // namespace
}  // namespace oc::codec
