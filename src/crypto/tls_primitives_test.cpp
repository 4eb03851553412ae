// What TLS takes from OpenSSL inside its handshake and for its records, held against
// C2SP/wycheproof: the library that is linked, called as TLS calls it.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

#include "crypto/evp_key.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex_of;

struct Count {
  std::size_t valid = 0;
  std::size_t invalid = 0;
  bool operator==(const Count&) const = default;
};
void PrintTo(const Count& count, std::ostream* out) {
  *out << count.valid << " valid, " << count.invalid << " invalid";
}

// Calls `judge` with every case of a file that is not "acceptable", and its group.
template <class Judge>
Count check(const std::string& file_name, Judge judge) {
  const nlohmann::json file = test::load_json("wycheproof/" + file_name);
  Count count;
  for (const auto& group : file["testGroups"]) {
    for (const auto& test : group["tests"]) {
      if (test["result"] == "acceptable") continue;
      const bool valid = test["result"] == "valid";
      EXPECT_EQ(judge(group, test), valid) << file_name << ", case " << test["tcId"];
      ++(valid ? count.valid : count.invalid);
    }
  }
  return count;
}

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// The key of a group: PKIX DER, or the 32 bytes of Ed25519.
EvpKey key_of(const nlohmann::json& group) {
  const Bytes key = hex_of(group, "key");
  if (key.size() == 32) {
    return EvpKey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  }
  const Byte* at = key.data();
  return EvpKey(d2i_PUBKEY(nullptr, &at, static_cast<long>(key.size())));
}

// A signature as a certificate or a CertificateVerify holds it; with PSS the salt is as long as the
// digest (RFC 8446, section 4.2.3).
bool verifies(const nlohmann::json& group, const nlohmann::json& test, const char* digest,
              bool pss) {
  const EvpKey key = key_of(group);
  EXPECT_NE(key, nullptr);
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  EXPECT_EQ(EVP_DigestVerifyInit_ex(context.get(), &options, digest, nullptr, nullptr, key.get(),
                                    nullptr),
            1);
  if (pss) {
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST), 1);
  }
  const Bytes message = hex_of(test, "msg");
  const Bytes signature = hex_of(test, "sig");
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

Count check_signatures(const std::string& file_name, const char* digest, bool pss = false) {
  return check(file_name, [=](const nlohmann::json& group, const nlohmann::json& test) {
    return verifies(group, test, digest, pss);
  });
}

TEST(TlsPrimitives, ecdsa_with_the_hash_of_the_curve) {
  EXPECT_EQ(check_signatures("ecdsa_secp256r1_sha256.json", "SHA256"), (Count{174, 310}));
  EXPECT_EQ(check_signatures("ecdsa_secp384r1_sha384.json", "SHA384"), (Count{194, 310}));
  EXPECT_EQ(check_signatures("ecdsa_secp521r1_sha512.json", "SHA512"), (Count{232, 310}));
}

TEST(TlsPrimitives, rsa_pkcs1) {
  EXPECT_EQ(check_signatures("rsa_signature_2048_sha256.json", "SHA256"), (Count{9, 249}));
  EXPECT_EQ(check_signatures("rsa_signature_2048_sha384.json", "SHA384"), (Count{7, 250}));
  EXPECT_EQ(check_signatures("rsa_signature_2048_sha512.json", "SHA512"), (Count{8, 250}));
}

TEST(TlsPrimitives, rsa_pss) {
  EXPECT_EQ(check_signatures("rsa_pss_2048_sha256_mgf1_32.json", "SHA256", true), (Count{63, 45}));
  EXPECT_EQ(check_signatures("rsa_pss_2048_sha384_mgf1_48.json", "SHA384", true), (Count{95, 46}));
  EXPECT_EQ(check_signatures("rsa_pss_4096_sha512_mgf1_64.json", "SHA512", true), (Count{132, 47}));
}

TEST(TlsPrimitives, ed25519) {
  EXPECT_EQ(check_signatures("ed25519.json", nullptr), (Count{88, 63}));
}

// Opens a sealed message; nothing when the tag is not its own.
std::optional<Bytes> open(const EVP_CIPHER* cipher, const nlohmann::json& test) {
  const Bytes key = hex_of(test, "key"), iv = hex_of(test, "iv"), aad = hex_of(test, "aad"),
              sealed = hex_of(test, "ct");
  Bytes tag = hex_of(test, "tag");
  const std::unique_ptr<EVP_CIPHER_CTX, Free> context(EVP_CIPHER_CTX_new());
  Bytes opened(sealed.size() + 1);  // never empty, so that there is a pointer to give
  int size = 0;
  EXPECT_EQ(EVP_DecryptInit_ex2(context.get(), cipher, key.data(), iv.data(), nullptr), 1);
  EXPECT_EQ(
      EVP_DecryptUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size())),
      1);
  EXPECT_EQ(EVP_DecryptUpdate(context.get(), opened.data(), &size, sealed.data(),
                              static_cast<int>(sealed.size())),
            1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                                tag.data()),
            1);
  if (EVP_DecryptFinal_ex(context.get(), opened.data() + sealed.size(), &size) != 1) {
    return std::nullopt;
  }
  opened.resize(sealed.size());
  return opened;
}

TEST(TlsPrimitives, aes_gcm_with_both_lengths_of_key) {
  const auto judge = [](const nlohmann::json& group, const nlohmann::json& test) {
    const auto opened = open(group["keySize"] == 128 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(), test);
    return opened && *opened == hex_of(test, "msg");
  };
  EXPECT_EQ(check("aes_gcm.json", judge), (Count{79, 54}));
}

}  // namespace
}  // namespace oc::crypto
