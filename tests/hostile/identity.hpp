// Who the hostile peer says it is: a key, real or forged.
#pragma once

#include <openssl/evp.h>

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "crypto/keys.hpp"

namespace oc::hostile {

struct Identity {
  Bytes public_key;  // marshalled, as in peer ids
  std::function<Bytes(BytesView)> sign;
};

// The honest identity of a key, which must live as long.
Identity identity_of(const crypto::PrivateKey& key);

// An honest identity, new each time.
Identity fresh_identity(Random& random);

// An RSA identity by the name of its fault (or merit):
//   2048, 8192                    good ones, whose signatures are right
//   16384, 8193, 2047, 1024       sizes outside the bounds
//   e1, e65, even                 exponent 1, exponent 2^64 + 1, an even modulus (2048 bits)
// Throws std::invalid_argument for another name.
Identity rsa_identity(const std::string& fault, Random& random);

// PKIX DER of RSA numbers, and the libp2p key around it.
Bytes rsa_pkix(BytesView modulus, BytesView exponent);
Bytes marshal_key(int type, BytesView data);

}  // namespace oc::hostile
