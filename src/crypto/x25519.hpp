// X25519 (RFC 7748): Diffie-Hellman for Noise.
#pragma once

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "crypto/secret.hpp"

namespace oc::crypto {

using X25519PublicKey = FixedBytes<32>;

class X25519KeyPair {
 public:
  static X25519KeyPair generate(Random& random);
  static X25519KeyPair from_private(const Secret<32>& scalar);

  const X25519PublicKey& public_key() const { return public_key_; }

  // CryptoErrc::weak_point when the result is all zeros, that is, when `theirs` has a low order.
  Result<Secret<32>> shared_secret(const X25519PublicKey& theirs) const;

 private:
  explicit X25519KeyPair(const Secret<32>& scalar);

  Secret<32> private_key_;
  X25519PublicKey public_key_{};
};

}  // namespace oc::crypto
