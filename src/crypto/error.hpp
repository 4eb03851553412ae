// Errors of the crypto layer, beside base/error.hpp. What is merely malformed is oc::Errc.
#pragma once

#include "base/error.hpp"

namespace oc::crypto {

enum class CryptoErrc {
  bad_signature = 1,  // the signature is not of this key and message
  bad_tag,            // authentication failed: wrong key, nonce or associated data, or tampering
  weak_point,         // a Diffie-Hellman share of low order, which would give a known secret
  weak_key,           // a key whose size or numbers are outside of what is taken
  nonce_exhausted,    // the key has sealed or opened as many messages as it may
  wrong_signer        // signed well, but by another key than the one the contents name
};

const boost::system::error_category& crypto_category() noexcept;

inline error_code make_error_code(CryptoErrc e) noexcept {
  return {static_cast<int>(e), crypto_category()};
}

}  // namespace oc::crypto

template <>
struct boost::system::is_error_code_enum<oc::crypto::CryptoErrc> : std::true_type {};
