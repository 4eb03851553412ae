// The part of OpenSSL that TLS between peers needs.
//
// To read the key of a certificate, OpenSSL 3.0 goes by name through every kind of key, every
// decoder and all else that it has of its provider, which costs more than to verify a signature.
// Here it has the few that can be taken (src/p2p/upgrade/tls_certificate.hpp); a certificate with
// another key is refused before any code for such a key runs.
#pragma once

#include <openssl/types.h>

namespace oc::crypto {

// A library context for SSL_CTX_new_ex, of this process: its algorithms are those of OpenSSL's
// default provider, but keys are only EC, RSA, RSA-PSS, Ed25519, Ed448 and X25519, and are read
// only as SubjectPublicKeyInfo in DER. Lives as long as the process. Throws std::bad_alloc when
// OpenSSL has no memory.
OSSL_LIB_CTX* tls_library();

}  // namespace oc::crypto
