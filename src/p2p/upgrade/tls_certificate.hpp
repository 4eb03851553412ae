// The certificates of libp2p's TLS (libp2p/specs tls/tls.md): self-signed, with an extension that
// binds the certificate's key to the peer's own key.
//
//   extension 1.3.6.1.4.1.53594.1.1:
//     SEQUENCE { OCTET STRING <marshalled public key of the peer>,
//                OCTET STRING <its signature over "libp2p-tls-handshake:" SubjectPublicKeyInfo> }
#pragma once

#include <openssl/x509.h>

#include <memory>

#include "base/clock.hpp"
#include "crypto/evp_key.hpp"
#include "crypto/keys.hpp"
#include "crypto/proof_cache.hpp"

namespace oc::p2p {

struct X509Free {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

// A certificate of our own and the key that it is for: P-256, made for this process, valid from an
// hour ago (clocks differ) for a hundred years, as go's.
struct TlsCredentials {
  std::unique_ptr<X509, X509Free> certificate;
  crypto::EvpKey key;
};
// Throws std::bad_alloc when OpenSSL has no memory.
TlsCredentials make_tls_credentials(const crypto::PrivateKey& identity, WallTime now);

// Whose certificate it is. The order of the checks lets a hostile certificate cost no more than its
// bytes: key type and size, validity, extensions, the peer's key, and only then signatures.
//
// Taken are keys on the named curves P-256, P-384, P-521, Ed25519, Ed448, and RSA of kMinRsaBits to
// kMaxRsaBits, signed over SHA-256 or better. Errors: P2pErrc::bad_certificate, and
// PublicKey::unmarshal's for the peer's key. The two signatures are looked up in `proofs`, and only
// they: all else is checked each time.
Result<crypto::PublicKey> verify_tls_certificate(X509* certificate, WallTime now,
                                                 crypto::ProofCache& proofs);

}  // namespace oc::p2p
