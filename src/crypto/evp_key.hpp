// Public keys of the types that OpenSSL verifies, and the checks they must pass first.
#pragma once

#include <openssl/evp.h>

#include <memory>

#include "base/bytes.hpp"

namespace oc::crypto {

struct EvpKeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, EvpKeyFree>;

// None of these hands bytes to OpenSSL's ASN.1 parsers. Errors: as PublicKey::from_raw.
Result<EvpKey> load_rsa_key(BytesView pkix_der);
Result<EvpKey> load_ecdsa_key(BytesView pkix_der);
Result<EvpKey> load_secp256k1_key(BytesView compressed_point);

// A signature over the SHA-256 of the message: RSA PKCS#1 v1.5, or ECDSA in DER.
bool verify_sha256(EVP_PKEY* key, BytesView message, BytesView signature);

}  // namespace oc::crypto
