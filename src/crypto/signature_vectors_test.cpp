// Signatures of C2SP/wycheproof, through the keys of libp2p.
#include <gtest/gtest.h>

#include "crypto/keys.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex_of;

struct Count {
  std::size_t valid = 0;
  std::size_t invalid = 0;
};

// Checks every case of a file; key_of makes the key of a group. "Acceptable" cases may go either
// way and are left out.
template <class KeyOf>
Count check(const std::string& file_name, KeyOf key_of) {
  const nlohmann::json file = test::load_json("wycheproof/" + file_name);
  Count count;
  for (const auto& group : file["testGroups"]) {
    const Result<PublicKey> key = key_of(group);
    EXPECT_TRUE(key.has_value());
    if (!key) continue;
    for (const auto& test : group["tests"]) {
      if (test["result"] == "acceptable") continue;
      const bool valid = test["result"] == "valid";
      EXPECT_EQ(key->verify(hex_of(test, "msg"), hex_of(test, "sig")), valid) << test["tcId"];
      ++(valid ? count.valid : count.invalid);
    }
  }
  return count;
}

TEST(SignatureVectors, ed25519) {
  const Count count = check("ed25519.json", [](const nlohmann::json& group) {
    return PublicKey::from_raw(KeyType::ed25519, hex_of(group, "key"));
  });
  EXPECT_EQ(count.valid, 88u);
  EXPECT_EQ(count.invalid, 63u);
}

TEST(SignatureVectors, ecdsa_p256) {
  const Count count = check("ecdsa_secp256r1_sha256.json", [](const nlohmann::json& group) {
    return PublicKey::from_raw(KeyType::ecdsa, hex_of(group, "key"));
  });
  EXPECT_EQ(count.valid, 174u);
  EXPECT_EQ(count.invalid, 310u);
}

TEST(SignatureVectors, ecdsa_secp256k1) {
  const Count count = check("ecdsa_secp256k1_sha256.json", [](const nlohmann::json& group) {
    const Bytes point = hex_of(group, "point");
    Bytes compressed(point.begin(), point.begin() + 33);
    compressed[0] = point.back() % 2 == 0 ? 0x02 : 0x03;
    return PublicKey::from_raw(KeyType::secp256k1, compressed);
  });
  EXPECT_EQ(count.valid, 168u);
  EXPECT_EQ(count.invalid, 308u);
}

TEST(SignatureVectors, rsa_2048) {
  const Count count = check("rsa_signature_2048_sha256.json", [](const nlohmann::json& group) {
    return PublicKey::from_raw(KeyType::rsa, hex_of(group, "key"));
  });
  EXPECT_EQ(count.valid, 9u);
  EXPECT_EQ(count.invalid, 249u);
}

}  // namespace
}  // namespace oc::crypto
