// RSA keys with hostile numbers (CVE-2023-39533): refused by their size and form alone.
#include <gtest/gtest.h>

#include "crypto/der.hpp"
#include "crypto/error.hpp"
#include "crypto/keys.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex;

Bytes der(DerTag tag, BytesView contents) {
  Bytes out{static_cast<Byte>(tag)};
  const std::size_t size = contents.size();
  if (size >= 0x100) {
    append(out, Bytes{0x82, static_cast<Byte>(size >> 8), static_cast<Byte>(size)});
  } else if (size >= 0x80) {
    append(out, Bytes{0x81, static_cast<Byte>(size)});
  } else {
    out.push_back(static_cast<Byte>(size));
  }
  append(out, contents);
  return out;
}

Bytes der_number(BytesView magnitude) {
  Bytes contents;
  if (!magnitude.empty() && magnitude[0] >= 0x80) contents.push_back(0);
  append(contents, magnitude);
  return der(DerTag::integer, contents);
}

// PKIX DER of any two numbers.
Bytes rsa_der(BytesView modulus, BytesView exponent) {
  Bytes numbers = der_number(modulus);
  append(numbers, der_number(exponent));
  Bytes bits{0};
  append(bits, der(DerTag::sequence, numbers));
  Bytes info = hex("300d06092a864886f70d0101010500");
  append(info, der(DerTag::bit_string, bits));
  return der(DerTag::sequence, info);
}

// A number of exactly this many bits, odd unless asked otherwise.
Bytes number(std::size_t bits, bool odd = true) {
  Bytes bytes((bits + 7) / 8, 0xa5);
  bytes[0] = static_cast<Byte>(0xff >> (bytes.size() * 8 - bits));
  bytes.back() = odd ? 0xa5 : 0xa4;
  return bytes;
}

Result<PublicKey> rsa(BytesView modulus, BytesView exponent) {
  return PublicKey::from_raw(KeyType::rsa, rsa_der(modulus, exponent));
}

const Bytes kUsualExponent = {0x01, 0x00, 0x01};

TEST(RsaKey, sizes_from_2048_to_8192_bits_are_taken) {
  for (std::size_t bits : {2048u, 2049u, 3072u, 4096u, 8191u, 8192u}) {
    EXPECT_TRUE(rsa(number(bits), kUsualExponent).has_value()) << bits;
  }
}

TEST(RsaKey, other_sizes_are_refused) {
  for (std::size_t bits : {512u, 1024u, 2047u, 8193u}) {
    EXPECT_EQ(rsa(number(bits), kUsualExponent).error(), CryptoErrc::weak_key) << bits;
  }
  EXPECT_EQ(rsa(number(16384), kUsualExponent).error(), Errc::limit_exceeded);
}

TEST(RsaKey, an_even_modulus_is_refused) {
  EXPECT_EQ(rsa(number(2048, false), kUsualExponent).error(), CryptoErrc::weak_key);
}

TEST(RsaKey, exponents_that_are_trivial_even_or_huge_are_refused) {
  for (const char* exponent : {"01", "02", "010000", "0080000001", "010000000000000001"}) {
    const Bytes bytes = hex(exponent[0] == '0' && exponent[1] == '0' ? exponent + 2 : exponent);
    EXPECT_EQ(rsa(number(2048), bytes).error(), CryptoErrc::weak_key) << exponent;
  }
  for (const char* exponent : {"03", "010001", "7fffffff"}) {
    EXPECT_TRUE(rsa(number(2048), hex(exponent)).has_value()) << exponent;
  }
}

TEST(RsaKey, a_hostile_key_is_refused_in_every_envelope_of_it) {
  Bytes data = rsa_der(number(1024), kUsualExponent);
  Bytes protobuf = hex("080012");
  protobuf.push_back(static_cast<Byte>(data.size() & 0x7f) | 0x80);
  protobuf.push_back(static_cast<Byte>(data.size() >> 7));
  append(protobuf, data);
  EXPECT_EQ(PublicKey::unmarshal(protobuf).error(), CryptoErrc::weak_key);
}

TEST(RsaKey, every_truncated_prefix_and_surplus_byte_is_refused) {
  const Bytes whole = rsa_der(number(2048), kUsualExponent);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(PublicKey::from_raw(KeyType::rsa, BytesView(whole).first(n)).has_value()) << n;
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_EQ(PublicKey::from_raw(KeyType::rsa, longer).error(), Errc::malformed);
}

TEST(RsaKey, numbers_that_are_negative_zero_or_padded_are_refused) {
  const Bytes modulus = number(2048);
  const auto with_exponent = [&](const char* exponent_der) {
    Bytes numbers = der_number(modulus);
    append(numbers, hex(exponent_der));
    Bytes bits{0};
    append(bits, der(DerTag::sequence, numbers));
    Bytes info = hex("300d06092a864886f70d0101010500");
    append(info, der(DerTag::bit_string, bits));
    return PublicKey::from_raw(KeyType::rsa, der(DerTag::sequence, info));
  };
  ASSERT_TRUE(with_exponent("0203010001").has_value());
  for (const char* exponent_der : {"0200", "020100", "0201ff", "0203ff0001", "020400010001",
                                   "028103010001", "02820003010001", "0203010001 0203010001"}) {
    EXPECT_FALSE(with_exponent(exponent_der).has_value()) << exponent_der;
  }
}

TEST(Der, lengths_must_be_short_and_whole) {
  for (const char* bytes : {"30", "3080", "308100", "30817f", "30820001", "308200ff", "30830100 00",
                            "3001", "3084ffffffff", "3082ffff00", "0400"}) {
    const Bytes input = hex(bytes);
    BytesView in = input;
    EXPECT_FALSE(take_der(in, DerTag::sequence).has_value()) << bytes;
    EXPECT_EQ(in.size(), input.size());
  }
}

}  // namespace
}  // namespace oc::crypto
