#include "crypto/tls_library.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "crypto/evp_key.hpp"

namespace oc::crypto {
namespace {

// Whether a key that OpenSSL made is read back from its SubjectPublicKeyInfo with our library.
bool reads(EvpKey key) {
  Byte* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  const Byte* at = der;
  const EvpKey read(d2i_PUBKEY_ex(nullptr, &at, size, tls_library(), nullptr));
  OPENSSL_free(der);
  ERR_clear_error();
  return read != nullptr && EVP_PKEY_eq(read.get(), key.get()) == 1;
}

EvpKey made(const char* type) { return EvpKey(EVP_PKEY_Q_keygen(nullptr, nullptr, type)); }

TEST(TlsLibrary, keys_that_a_certificate_may_have_are_read) {
  for (const char* curve : {"P-256", "P-384", "P-521"})
    EXPECT_TRUE(reads(EvpKey(EVP_EC_gen(curve))));
  EXPECT_TRUE(reads(EvpKey(EVP_RSA_gen(2048))));
  EXPECT_TRUE(reads(made("ED25519")));
  EXPECT_TRUE(reads(made("ED448")));
}

TEST(TlsLibrary, keys_that_a_certificate_cannot_have_are_not_read) {
  EXPECT_FALSE(reads(made("X448")));
  EXPECT_FALSE(reads(made("SM2")));
}

TEST(TlsLibrary, it_has_the_suites_and_groups_of_tls_and_nothing_old) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
      SSL_CTX_new_ex(tls_library(), nullptr, TLS_method()), SSL_CTX_free);
  ASSERT_NE(context, nullptr);
  EXPECT_EQ(SSL_CTX_set_ciphersuites(context.get(),
                                     "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                     "TLS_CHACHA20_POLY1305_SHA256"),
            1);
  EXPECT_EQ(SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384:P-521"), 1);
  for (const char* old : {"MD5", "MD5-SHA1", "RIPEMD-160"}) {
    EXPECT_EQ(EVP_MD_fetch(tls_library(), old, nullptr), nullptr) << old;
  }
  EXPECT_EQ(EVP_CIPHER_fetch(tls_library(), "DES-EDE3-CBC", nullptr), nullptr);
  ERR_clear_error();
}

}  // namespace
}  // namespace oc::crypto
