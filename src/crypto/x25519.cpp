#include "crypto/x25519.hpp"

#include <sodium.h>

#include "crypto/error.hpp"
#include "crypto/sodium.hpp"

namespace oc::crypto {

X25519KeyPair::X25519KeyPair(const Secret<32>& scalar) : private_key_(scalar) {
  init_sodium();
  crypto_scalarmult_base(public_key_.data(), private_key_.data());
}

X25519KeyPair X25519KeyPair::generate(Random& random) {
  Secret<32> scalar;
  random.fill(scalar.mutable_view());
  return X25519KeyPair(scalar);
}

X25519KeyPair X25519KeyPair::from_private(const Secret<32>& scalar) {
  return X25519KeyPair(scalar);
}

Result<Secret<32>> X25519KeyPair::shared_secret(const X25519PublicKey& theirs) const {
  Secret<32> secret;
  if (crypto_scalarmult(secret.data(), private_key_.data(), theirs.data()) != 0) {
    return CryptoErrc::weak_point;
  }
  return secret;
}

}  // namespace oc::crypto
