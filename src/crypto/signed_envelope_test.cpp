#include "crypto/signed_envelope.hpp"

#include <gtest/gtest.h>

#include "crypto/error.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

constexpr const char* kDomain = "open-chat-test";

PrivateKey key_of(std::uint64_t seed) {
  FakeRandom random(seed);
  return PrivateKey::generate(random);
}

Bytes sealed(std::string_view payload) {
  return seal_envelope(key_of(1), kDomain, as_bytes("type"), as_bytes(payload));
}

TEST(SignedEnvelope, what_is_sealed_opens) {
  for (const std::string& payload :
       {std::string(), std::string("payload"), std::string(7000, 'x')}) {
    const auto opened = open_envelope(sealed(payload), kDomain);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->key, key_of(1).public_key());
    EXPECT_EQ(as_text(opened->payload_type), "type");
    EXPECT_EQ(as_text(opened->payload), payload);
  }
}

TEST(SignedEnvelope, has_the_fields_of_the_rfc) {
  const Bytes bytes = sealed("p");
  EXPECT_EQ(to_hex(BytesView(bytes).first(6)), "0a2408011220");                   // 1: key
  EXPECT_EQ(to_hex(BytesView(bytes).subspan(38, 11)), "1204747970651a01702a40");  // 2, 3, 5
  EXPECT_EQ(bytes.size(), 38u + 11u + 64u);
}

TEST(SignedEnvelope, does_not_open_for_another_domain) {
  EXPECT_EQ(open_envelope(sealed("p"), "other").error(), CryptoErrc::bad_signature);
  EXPECT_EQ(open_envelope(sealed("p"), "").error(), CryptoErrc::bad_signature);
}

TEST(SignedEnvelope, the_lengths_are_signed_too) {
  // The same bytes in a row, cut elsewhere.
  const Bytes bytes = seal_envelope(key_of(1), "ab", as_bytes("cd"), as_bytes("ef"));
  EXPECT_TRUE(open_envelope(bytes, "ab").has_value());
  Bytes shifted = bytes;
  const Bytes cut = test::hex("1201631a03646566");
  std::copy(cut.begin(), cut.end(), shifted.begin() + 38);
  EXPECT_EQ(open_envelope(shifted, "ab").error(), CryptoErrc::bad_signature);
}

TEST(SignedEnvelope, every_truncated_prefix_is_refused) {
  const Bytes whole = sealed("payload");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(open_envelope(BytesView(whole).first(n), kDomain).has_value()) << n;
  }
}

TEST(SignedEnvelope, every_bent_byte_is_refused) {
  const Bytes whole = sealed("payload");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (Byte bit : Bytes{0x01, 0x08, 0x80}) {
      Bytes bent = whole;
      bent[i] ^= bit;
      EXPECT_FALSE(open_envelope(bent, kDomain).has_value()) << i;
    }
  }
}

TEST(SignedEnvelope, another_key_in_it_is_refused) {
  Bytes bytes = sealed("payload");
  const Bytes other = key_of(2).public_key().marshal();
  std::copy(other.begin(), other.end(), bytes.begin() + 2);
  EXPECT_EQ(open_envelope(bytes, kDomain).error(), CryptoErrc::bad_signature);
}

TEST(SignedEnvelope, is_bounded) {
  EXPECT_EQ(open_envelope(Bytes(kMaxEnvelopeSize + 1), kDomain).error(), Errc::limit_exceeded);
  EXPECT_FALSE(open_envelope({}, kDomain).has_value());
}

}  // namespace
}  // namespace oc::crypto
