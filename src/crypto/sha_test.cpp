#include "crypto/sha.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex;
using test::hex_of;

// FIPS 180-4, the examples "abc".
TEST(Sha, gives_the_digests_of_the_standard) {
  const BytesView abc = as_bytes("abc");
  EXPECT_EQ(to_hex(sha256({abc})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha512({abc})),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

// The same, the examples of more than one block, and a million times "a".
TEST(Sha, gives_the_digests_of_the_standard_for_long_messages) {
  EXPECT_EQ(to_hex(sha256({as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")})),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha512({as_bytes("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                                    "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu")})),
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
            "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
  const std::string million(1'000'000, 'a');
  EXPECT_EQ(to_hex(sha256({as_bytes(million)})),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(to_hex(sha512({as_bytes(million)})),
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
            "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

TEST(Sha, parts_hash_as_one_string) {
  EXPECT_EQ(sha256({as_bytes("a"), {}, as_bytes("bc")}), sha256({as_bytes("abc")}));
  EXPECT_EQ(sha512({as_bytes("a"), {}, as_bytes("bc")}), sha512({as_bytes("abc")}));
  EXPECT_EQ(sha256({}), sha256({BytesView()}));
}

// Counts the cases of a file that it has checked.
template <class Hmac>
std::size_t check_hmac(const std::string& file_name, Hmac hmac) {
  std::size_t checked = 0;
  const nlohmann::json file = test::load_json("wycheproof/" + file_name);
  for (const auto& group : file["testGroups"]) {
    const std::size_t tag_size = group["tagSize"].get<std::size_t>() / 8;
    for (const auto& test : group["tests"]) {
      const auto tag = hmac(hex_of(test, "key"), {hex_of(test, "msg")});
      const bool same = equal(BytesView(tag).first(tag_size), hex_of(test, "tag"));
      EXPECT_EQ(same, test["result"] == "valid") << file_name << ", case " << test["tcId"];
      ++checked;
    }
  }
  return checked;
}

TEST(Hmac, gives_what_wycheproof_expects) {
  EXPECT_EQ(check_hmac("hmac_sha256.json", hmac_sha256), 174u);
  EXPECT_EQ(check_hmac("hmac_sha384.json", hmac_sha384), 174u);
  EXPECT_EQ(check_hmac("hmac_sha512.json", hmac_sha512), 174u);
}

// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
TEST(Hmac, sha512_gives_the_tags_of_the_rfc) {
  EXPECT_EQ(to_hex(hmac_sha512(Bytes(20, 0x0b), {as_bytes("Hi There")})),
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
            "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854");
  EXPECT_EQ(to_hex(hmac_sha512(as_bytes("Jefe"),
                               {as_bytes("what do ya want "), as_bytes("for nothing?")})),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
  EXPECT_EQ(
      to_hex(hmac_sha512(Bytes(131, 0xaa),
                         {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
      "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
}

TEST(Hkdf, gives_what_wycheproof_expects) {
  std::size_t checked = 0;
  const nlohmann::json file = test::load_json("wycheproof/hkdf_sha256.json");
  for (const auto& group : file["testGroups"]) {
    for (const auto& test : group["tests"]) {
      const std::size_t size = test["size"];
      // The invalid cases ask for more than HKDF can give.
      EXPECT_EQ(size <= kMaxHkdfSize, test["result"] == "valid") << test["tcId"];
      if (size > kMaxHkdfSize) continue;
      const Secret<32> key = hkdf_sha256_extract(hex_of(test, "salt"), hex_of(test, "ikm"));
      const SecretBytes out = hkdf_sha256_expand(key.view(), hex_of(test, "info"), size);
      EXPECT_TRUE(equal(out.view(), hex_of(test, "okm"))) << test["tcId"];
      ++checked;
    }
  }
  EXPECT_EQ(checked, 83u);
}

TEST(Hkdf, noise_draws_two_keys_in_the_order_of_its_definition) {
  const Bytes chaining_key(32, 1);
  const Bytes input(32, 2);
  const NoiseKeys keys = noise_hkdf(chaining_key, input);
  const FixedBytes<32> temporary = hmac_sha256(chaining_key, {input});
  const FixedBytes<32> first = hmac_sha256(temporary, {hex("01")});
  const FixedBytes<32> second = hmac_sha256(temporary, {first, hex("02")});
  EXPECT_TRUE(equal(keys.first.view(), first));
  EXPECT_TRUE(equal(keys.second.view(), second));
}

}  // namespace
}  // namespace oc::crypto
