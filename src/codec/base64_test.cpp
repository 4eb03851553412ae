#include "codec/base64.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace oc::codec {
namespace {

// RFC 4648, section 10.
constexpr std::pair<std::string_view, std::string_view> kRfcVectors[] = {{"", ""},
                                                                         {"f", "Zg=="},
                                                                         {"fo", "Zm8="},
                                                                         {"foo", "Zm9v"},
                                                                         {"foob", "Zm9vYg=="},
                                                                         {"fooba", "Zm9vYmE="},
                                                                         {"foobar", "Zm9vYmFy"}};

TEST(Base64, encodes_the_vectors_of_the_rfc) {
  for (const auto& [plain, text] : kRfcVectors) EXPECT_EQ(base64_encode(as_bytes(plain)), text);
}

TEST(Base64, decodes_with_and_without_padding) {
  for (const auto& [plain, text] : kRfcVectors) {
    EXPECT_EQ(as_text(*base64_decode(text)), plain);
    EXPECT_EQ(as_text(*base64_decode(text.substr(0, text.find('=')))), plain);
  }
}

TEST(Base64, takes_both_alphabets_but_no_mixture) {
  const Bytes bytes = test::hex("fbefbeffff");
  EXPECT_EQ(base64_encode(bytes), "++++//8=");
  EXPECT_EQ(base64url_encode(bytes), "----__8");
  EXPECT_EQ(*base64_decode(base64url_encode(bytes)), bytes);
  EXPECT_EQ(base64_decode("++--").error(), Errc::malformed);
}

TEST(Base64, refuses_what_no_encoder_writes) {
  for (std::string_view text : {"Z", "Zg=", "Zg===", "=", "====", "Zm=v", "Zm9v====", "Zh==",
                                "Zm9=", "Zm9v\n", " Zm9v", "Zm9v!", "Zm8\xc3"}) {
    EXPECT_EQ(base64_decode(text).error(), Errc::malformed) << text;
  }
}

TEST(Base64, round_trips_every_byte_and_length) {
  Bytes bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(*base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(*base64_decode(base64url_encode(bytes)), bytes);
    bytes.push_back(static_cast<Byte>(i * 7));
  }
}

}  // namespace
}  // namespace oc::codec
