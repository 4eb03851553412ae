// Signatures of C2SP/wycheproof, through the keys of libp2p.
#include <gtest/gtest.h>

#include "crypto/keys.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex;
using test::hex_of;

struct Count {
  std::size_t valid = 0;
  std::size_t invalid = 0;
};

bool is_no_exception(const nlohmann::json&) { return false; }

// Checks every case of a file; key_of makes the key of a group. "Acceptable" cases may go either
// way and are left out; those that are an `exception` are valid, whatever the file says.
template <class KeyOf, class Exception = bool (*)(const nlohmann::json&)>
Count check(const std::string& file_name, KeyOf key_of, Exception exception = is_no_exception) {
  const nlohmann::json file = test::load_json("wycheproof/" + file_name);
  Count count;
  for (const auto& group : file["testGroups"]) {
    const Result<PublicKey> key = key_of(group);
    EXPECT_TRUE(key.has_value());
    if (!key) continue;
    for (const auto& test : group["tests"]) {
      if (test["result"] == "acceptable") continue;
      const bool valid = test["result"] == "valid" || exception(test);
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

TEST(SignatureVectors, ecdsa_p384) {
  const Count count = check("ecdsa_secp384r1_sha256.json", [](const nlohmann::json& group) {
    return PublicKey::from_raw(KeyType::ecdsa, hex_of(group, "key"));
  });
  EXPECT_EQ(count.valid, 162u);
  EXPECT_EQ(count.invalid, 310u);
}

// There is no such file for P-521 with SHA-256. RFC 6979, appendix A.2.7.
TEST(SignatureVectors, ecdsa_p521) {
  const auto key = PublicKey::from_raw(
      KeyType::ecdsa,
      hex("30819b301006072a8648ce3d020106052b8104002303818600"
          "0401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d53"
          "70a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a400493101c962cd4d2fddf782285e6458413"
          "9c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea6695"
          "6dfeaa2bfdfcf5"));
  ASSERT_TRUE(key.has_value());
  const std::pair<const char*, const char*> signatures[] = {
      {"sample",
       "308187024201511bb4d675114fe266fc4372b87682baecc01d3cc62cf2303c92b3526012659d16876e25c7c1e5"
       "7648f23b73564d67f61c6f14d527d54972810421e7d87589e1a702414a171143a83163d6df460aaf61522695f2"
       "07a58b95c0644d87e52aa1a347916e4f7a72930b1bc06dbe22ce3f58264afd23704cbb63b29b931f7de6c9d949"
       "a7ecfc"},
      {"test",
       "3081870241"
       "0e871c4a14f993c6c7369501900c4bc1e9c7b0b4ba44e04868b30b41d8071042eb28c4c250411d0ce08cd197e4"
       "188ea4876f279f90b3d8d74a3c76e6f1e4656aa80242"
       "00cd52dbaa33b063c3a6cd8058a1fb0a46a4754b034fcc644766ca14da8ca5ca9fde00e88c1ad60ccba759025"
       "299079d7a427ec3cc5b619bfbc828e7769bcd694e86"}};
  for (const auto& [message, der] : signatures) {
    EXPECT_TRUE(key->verify(as_bytes(message), hex(der))) << message;
    EXPECT_FALSE(key->verify(as_bytes("Sample"), hex(der)));
  }
}

Result<PublicKey> secp256k1_key(const nlohmann::json& group) {
  const Bytes point = hex_of(group, "point");
  Bytes compressed(point.begin(), point.begin() + 33);
  compressed[0] = point.back() % 2 == 0 ? 0x02 : 0x03;
  return PublicKey::from_raw(KeyType::secp256k1, compressed);
}

TEST(SignatureVectors, ecdsa_secp256k1) {
  const Count count = check("ecdsa_secp256k1_sha256.json", secp256k1_key);
  EXPECT_EQ(count.valid, 168u);
  EXPECT_EQ(count.invalid, 308u);
}

// Bitcoin takes one of the two signatures that everybody can make of each other. libp2p takes both,
// as go does: nothing of ours is known by a signature's bytes.
TEST(SignatureVectors, ecdsa_secp256k1_as_bitcoin_has_it_but_for_malleability) {
  std::size_t malleable = 0;
  const auto except = [&malleable](const nlohmann::json& test) {
    if (!test.contains("comment")) return false;  // on malleability, the only ones kept
    ++malleable;
    return true;
  };
  const Count count = check("ecdsa_secp256k1_sha256_bitcoin.json", secp256k1_key, except);
  EXPECT_EQ(count.valid, 164u);
  EXPECT_EQ(count.invalid, 299u);
  EXPECT_EQ(malleable, 2u);
}

Result<PublicKey> rsa_key(const nlohmann::json& group) {
  return PublicKey::from_raw(KeyType::rsa, hex_of(group, "key"));
}

TEST(SignatureVectors, rsa) {
  struct File {
    const char* name;
    std::size_t valid, invalid;
  };
  for (const File& file : {File{"rsa_signature_2048_sha256.json", 9, 249},
                           File{"rsa_signature_3072_sha256.json", 8, 250},
                           File{"rsa_signature_4096_sha256.json", 7, 250},
                           File{"rsa_signature_8192_sha256.json", 7, 250}}) {
    const Count count = check(file.name, rsa_key);
    EXPECT_EQ(count.valid, file.valid) << file.name;
    EXPECT_EQ(count.invalid, file.invalid) << file.name;
  }
}

}  // namespace
}  // namespace oc::crypto
