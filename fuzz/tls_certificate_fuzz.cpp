// Certificates of TLS: as they come; the same signed anew, so that the checks behind the signature
// are reached; and a good one whose libp2p extension is the input.
#include "p2p/upgrade/tls_certificate.hpp"

#include <openssl/err.h>

#include "crypto/der.hpp"
#include "crypto/tls_library.hpp"
#include "fuzzing.hpp"
#include "p2p/upgrade/tls.hpp"

using namespace oc;

namespace {

using X509Ptr = std::unique_ptr<X509, p2p::X509Free>;

const WallTime kNow = FakeClock().wall_now();

const crypto::PrivateKey& identity() {
  static const auto key = crypto::PrivateKey::from_seed(Bytes(32, 7));
  return key;
}

const p2p::TlsCredentials& credentials() {
  static const auto made = p2p::make_tls_credentials(identity(), kNow);
  return made;
}

X509Ptr parse(BytesView der) {
  X509* certificate = X509_new_ex(crypto::tls_library(), nullptr);
  const Byte* at = der.data();
  return X509Ptr(d2i_X509(&certificate, &at, static_cast<long>(der.size())));
}

// As the peer gets it, signed with our key; null when it cannot be written.
X509Ptr signed_anew(X509Ptr certificate) {
  X509* x = certificate.get();
  if (X509_set_pubkey(x, credentials().key.get()) != 1) return nullptr;
  if (X509_sign(x, credentials().key.get(), EVP_sha256()) <= 0) return nullptr;
  Byte* der = nullptr;
  const int size = i2d_X509(x, &der);
  if (size <= 0) return nullptr;
  X509Ptr parsed = parse({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return parsed;
}

std::optional<crypto::PublicKey> owner(const X509Ptr& certificate) {
  if (!certificate) return std::nullopt;
  // Kept for the whole run: what is known must not make a forgery good.
  static crypto::ProofCache proofs;
  auto key = p2p::verify_tls_certificate(certificate.get(), kNow, proofs);
  return key ? std::optional(*key) : std::nullopt;
}

// Nobody signed our key, whatever the certificate says.
void check_stolen(X509Ptr certificate) {
  fuzz::require(!owner(signed_anew(std::move(certificate))));
}

// All of the input's but the key and the extension, which are ours and true.
void check_adorned(X509Ptr certificate) {
  while (X509_EXTENSION* old = X509_delete_ext(certificate.get(), 0)) X509_EXTENSION_free(old);
  if (X509_add_ext(certificate.get(), X509_get_ext(credentials().certificate.get(), 0), -1) != 1) {
    return;
  }
  const auto key = owner(signed_anew(std::move(certificate)));
  fuzz::require(!key || *key == identity().public_key());
}

// Ours but for the value of the extension.
void check_extension(BytesView value) {
  X509Ptr certificate(X509_dup(credentials().certificate.get()));
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(octets, value.data(), static_cast<int>(value.size()));
  X509_EXTENSION_set_data(X509_get_ext(certificate.get(), 0), octets);
  ASN1_OCTET_STRING_free(octets);
  check_stolen(std::move(certificate));
}

Bytes signed_key(BytesView key, BytesView signature) {
  Bytes fields = crypto::der_element(crypto::DerTag::octet_string, key);
  append(fields, crypto::der_element(crypto::DerTag::octet_string, signature));
  return crypto::der_element(crypto::DerTag::sequence, fields);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, std::min<std::size_t>(size, p2p::kMaxTlsCertificateMessage));
  const Byte choice = input.byte();
  if (choice == 1) {
    check_extension(input.rest());
  } else if (choice == 2) {
    const BytesView key = input.bytes(input.two_bytes());
    check_extension(signed_key(key, input.rest()));
  } else if (X509Ptr certificate = parse(input.rest())) {
    (void)owner(certificate);
    check_stolen(X509Ptr(X509_dup(certificate.get())));
    check_adorned(std::move(certificate));
  }
  ERR_clear_error();
  return 0;
}
