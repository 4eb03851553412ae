// Certificates of libp2p TLS (libp2p/specs tls/tls.md), good and forged, made with OpenSSL.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "identity.hpp"

namespace oc::hostile {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

struct Credentials {
  std::vector<Certificate> chain;  // our own first; may be empty
  Key key;                         // of the first certificate
};

// The forgeries, by name. All but `honest` break a rule of the specification.
//
//   honest
//   no-extension, two-extensions, wrong-oid, trailing-bytes, empty-extension
//   truncated:N              the extension's value cut after N bytes
//   foreign-signature        signed by another identity than the one it names
//   other-certificate        the signature is over another certificate's key
//   no-prefix                the signature is over the key without its prefix
//   rsa:FAULT                an identity as rsa_identity() makes it (2048 and 8192 are good)
//   authority                basicConstraints says CA; this alone breaks no rule
//   critical-extension       an unknown critical extension
//   expired, not-yet-valid
//   other-signer             not signed with its own key
//   two-certificates, no-certificate
//   explicit-curve           EC parameters spelt out instead of a named curve
//   endless-curve            such parameters that CVE-2022-0778 never comes to an end with
//   rsa-certificate:BITS     the certificate's own key is RSA of that size
//
// Throws std::invalid_argument for another name.
Credentials make_credentials(const std::string& forgery, const Identity& identity, Random& random);

// How many bytes the value of the libp2p extension has in an honest certificate.
std::size_t extension_size(const Identity& identity);

}  // namespace oc::hostile
