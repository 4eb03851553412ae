#include "crypto/chacha20_poly1305.hpp"

#include <gtest/gtest.h>

#include "crypto/error.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex;
using test::hex_fixed;
using test::hex_of;

Secret<32> key_of(std::string_view text) { return Secret<32>(hex_fixed<32>(text)); }

// RFC 8439, section 2.8.2.
TEST(ChaCha20Poly1305, seals_as_the_rfc_does) {
  ChaCha20Poly1305 cipher(
      key_of("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
  Bytes data = to_bytes(as_bytes(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it."));
  FixedBytes<16> tag;
  cipher.seal_in_place(hex_fixed<12>("070000004041424344454647"), hex("50515253c0c1c2c3c4c5c6c7"),
                       data.data(), data.size(), tag.data());
  EXPECT_EQ(to_hex(data),
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
            "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
            "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
            "3ff4def08e4b7a9de576d26586cec64b6116");
  EXPECT_EQ(to_hex(tag), "1ae10b594f09e26a7e902ecbd0600691");
}

TEST(ChaCha20Poly1305, opens_and_seals_what_wycheproof_expects) {
  std::size_t checked = 0;
  const nlohmann::json file = test::load_json("wycheproof/chacha20_poly1305.json");
  for (const auto& group : file["testGroups"]) {
    if (group["ivSize"] != 96) continue;
    for (const auto& test : group["tests"]) {
      ChaCha20Poly1305 cipher(key_of(test::text_of(test, "key")));
      const auto nonce = hex_fixed<12>(test::text_of(test, "iv"));
      const Bytes ad = hex_of(test, "aad");
      const Bytes plain = hex_of(test, "msg");
      Bytes data = hex_of(test, "ct");
      const auto opened =
          cipher.open_in_place(nonce, ad, data.data(), data.size(), hex_of(test, "tag").data());
      ASSERT_EQ(opened.has_value(), test["result"] == "valid") << test["tcId"];
      ++checked;
      if (!opened) continue;
      EXPECT_EQ(data, plain) << test["tcId"];
      FixedBytes<16> tag;
      cipher.seal_in_place(nonce, ad, data.data(), data.size(), tag.data());
      EXPECT_EQ(data, hex_of(test, "ct")) << test["tcId"];
      EXPECT_EQ(to_hex(tag), test::text_of(test, "tag")) << test["tcId"];
    }
  }
  EXPECT_GE(checked, 300u);
}

TEST(ChaCha20Poly1305, a_counter_is_little_endian_behind_four_zeros) {
  const Secret<32> key = key_of(std::string(64, '7'));
  ChaCha20Poly1305 cipher(key);
  Bytes by_counter(100);
  Bytes by_nonce(100);
  FixedBytes<16> first_tag;
  FixedBytes<16> second_tag;
  cipher.seal_in_place(0x0102030405060708, {}, by_counter.data(), 100, first_tag.data());
  cipher.seal_in_place(hex_fixed<12>("000000000807060504030201"), {}, by_nonce.data(), 100,
                       second_tag.data());
  EXPECT_EQ(by_counter, by_nonce);
  EXPECT_EQ(first_tag, second_tag);
}

TEST(ChaCha20Poly1305, one_object_seals_and_opens_in_any_order) {
  ChaCha20Poly1305 cipher(key_of(std::string(64, '1')));
  for (std::size_t size : {0u, 1u, 15u, 16u, 17u, 64u, 65u, 1000u, 8191u, 8192u, 8193u, 65519u}) {
    Bytes frame(size + 16, 0x33);
    cipher.seal_in_place(size, {}, frame.data(), size, frame.data() + size);
    ASSERT_TRUE(
        cipher.open_in_place(size, {}, frame.data(), size, frame.data() + size).has_value());
    EXPECT_TRUE(equal(BytesView(frame).first(size), Bytes(size, 0x33)));
  }
}

// Computed with Python's cryptography package.
TEST(ChaCha20Poly1305, a_frame_of_several_pieces_has_the_tag_of_the_whole) {
  ChaCha20Poly1305 cipher(key_of(std::string(64, '1')));
  Bytes data(65519);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<Byte>(i * 31 >> 3);
  FixedBytes<16> tag;
  cipher.seal_in_place(7, as_bytes("ad"), data.data(), data.size(), tag.data());
  EXPECT_EQ(to_hex(BytesView(data).last(16)), "8f48ea2fb1972a663479338fe9fbb086");
  EXPECT_EQ(to_hex(tag), "5c7fd94a0620156def3e79d262216874");
}

TEST(ChaCha20Poly1305, stays_usable_after_a_bad_tag) {
  ChaCha20Poly1305 cipher(key_of(std::string(64, '1')));
  Bytes frame(48);
  cipher.seal_in_place(0, as_bytes("ad"), frame.data(), 32, frame.data() + 32);
  for (std::size_t i = 0; i < frame.size(); ++i) {
    Bytes bent = frame;
    bent[i] ^= 1;
    EXPECT_EQ(cipher.open_in_place(0, as_bytes("ad"), bent.data(), 32, &bent[32]).error(),
              CryptoErrc::bad_tag);
  }
  Bytes other = frame;
  EXPECT_FALSE(cipher.open_in_place(1, as_bytes("ad"), other.data(), 32, &other[32]).has_value());
  other = frame;
  EXPECT_FALSE(cipher.open_in_place(0, as_bytes("aD"), other.data(), 32, &other[32]).has_value());
  EXPECT_TRUE(cipher.open_in_place(0, as_bytes("ad"), frame.data(), 32, &frame[32]).has_value());
}

TEST(ChaCha20Poly1305, moves) {
  ChaCha20Poly1305 from(key_of(std::string(64, '1')));
  Bytes frame(17);
  from.seal_in_place(0, {}, frame.data(), 1, &frame[1]);
  ChaCha20Poly1305 to(std::move(from));
  EXPECT_TRUE(to.open_in_place(0, {}, frame.data(), 1, &frame[1]).has_value());
}

}  // namespace
}  // namespace oc::crypto
