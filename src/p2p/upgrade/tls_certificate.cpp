#include "p2p/upgrade/tls_certificate.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>

#include "crypto/der.hpp"
#include "p2p/error.hpp"

namespace oc::p2p {
namespace {

constexpr const char* kExtensionOid = "1.3.6.1.4.1.53594.1.1";
constexpr std::string_view kSignaturePrefix = "libp2p-tls-handshake:";
constexpr std::chrono::hours kClockSkew{1};
constexpr std::chrono::hours kValidity{24 * 365 * 100};

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* what) const noexcept {
    free_function(what);
  }
};
using Object = std::unique_ptr<ASN1_OBJECT, Free<ASN1_OBJECT_free>>;
using Octets = std::unique_ptr<ASN1_OCTET_STRING, Free<ASN1_OCTET_STRING_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;

void require(bool done) {
  if (!done) throw std::bad_alloc();
}

Object extension_object() {
  Object object(OBJ_txt2obj(kExtensionOid, 1));
  require(object != nullptr);
  return object;
}

// What one of OpenSSL's i2d functions writes; empty when it cannot.
template <auto i2d, class T>
Bytes der_of(const T* what) {
  Byte* der = nullptr;
  const int size = i2d(what, &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Bytes to_sign(const X509* certificate) {
  Bytes text = to_bytes(as_bytes(kSignaturePrefix));
  append(text, der_of<i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(certificate)));
  return text;
}

void add_extension(X509* certificate, const crypto::PrivateKey& identity) {
  Bytes fields = crypto::der_element(crypto::DerTag::octet_string, identity.public_key().marshal());
  append(fields,
         crypto::der_element(crypto::DerTag::octet_string, identity.sign(to_sign(certificate))));
  const Bytes value = crypto::der_element(crypto::DerTag::sequence, fields);
  const Octets octets(ASN1_OCTET_STRING_new());
  require(octets != nullptr &&
          ASN1_OCTET_STRING_set(octets.get(), value.data(), static_cast<int>(value.size())) == 1);
  const Extension extension(
      X509_EXTENSION_create_by_OBJ(nullptr, extension_object().get(), 0, octets.get()));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void set_serial(X509* certificate) {
  const BigNumber serial(BN_new());
  require(serial != nullptr && BN_rand(serial.get(), 63, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
  require(BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void set_validity(X509* certificate, WallTime now) {
  const auto from = static_cast<time_t>(unix_seconds(now - kClockSkew));
  const auto until = static_cast<time_t>(unix_seconds(now + kValidity));
  require(ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr &&
          ASN1_TIME_set(X509_getm_notAfter(certificate), until) != nullptr);
}

bool valid_at(const X509* certificate, WallTime now) {
  time_t at = static_cast<time_t>(unix_seconds(now));
  return X509_cmp_time(X509_get0_notBefore(certificate), &at) == -1 &&
         X509_cmp_time(X509_get0_notAfter(certificate), &at) == 1;
}

bool curve_taken(const EVP_PKEY* key) {
  int from_explicit_parameters = 0;
  if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                             &from_explicit_parameters) == 1 &&
      from_explicit_parameters != 0) {
    return false;
  }
  char name[32];
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name, sizeof name, &size) != 1) return false;
  const std::string_view group(name, size);
  return group == "prime256v1" || group == "P-256" || group == "secp384r1" || group == "P-384" ||
         group == "secp521r1" || group == "P-521";
}

bool rsa_taken(const EVP_PKEY* key) {
  const auto bits = static_cast<std::size_t>(std::max(EVP_PKEY_get_bits(key), 0));
  if (bits < crypto::kMinRsaBits || bits > crypto::kMaxRsaBits) return false;
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return false;
  const BigNumber owned(exponent);
  const int size = BN_num_bits(exponent);
  return size >= 2 && size <= 31 && BN_is_odd(exponent) == 1;
}

bool key_taken(const EVP_PKEY* key) {
  if (key == nullptr) return false;
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC: return curve_taken(key);
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: return rsa_taken(key);
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448: return true;
    default: return false;
  }
}

// The digest of the certificate's signature; Ed25519 and Ed448 have one of their own.
bool digest_taken(X509* certificate) {
  int digest = NID_undef;
  int key = NID_undef;
  if (X509_get_signature_info(certificate, &digest, &key, nullptr, nullptr) != 1) return false;
  const bool edwards = key == NID_ED25519 || key == NID_ED448;
  return edwards || digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
}

// The one extension of libp2p. Another one that is critical and unknown is an error, too.
Result<BytesView> extension_of(const X509* certificate) {
  const Object ours = extension_object();
  std::optional<BytesView> value;
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    if (OBJ_cmp(X509_EXTENSION_get_object(extension), ours.get()) == 0) {
      if (value) return P2pErrc::bad_certificate;
      const ASN1_OCTET_STRING* octets = X509_EXTENSION_get_data(extension);
      value = BytesView(ASN1_STRING_get0_data(octets),
                        static_cast<std::size_t>(ASN1_STRING_length(octets)));
    } else if (X509_EXTENSION_get_critical(extension) != 0 &&
               X509_supported_extension(extension) == 0) {
      return P2pErrc::bad_certificate;
    }
  }
  if (!value) return P2pErrc::bad_certificate;
  return *value;
}

struct SignedKey {
  BytesView public_key;
  BytesView signature;
};

Result<SignedKey> parse_signed_key(BytesView der) {
  const auto parse = [](BytesView in) -> Result<SignedKey> {
    TRY(BytesView fields, crypto::take_der(in, crypto::DerTag::sequence));
    TRY(const BytesView key, crypto::take_der(fields, crypto::DerTag::octet_string));
    TRY(const BytesView signature, crypto::take_der(fields, crypto::DerTag::octet_string));
    if (!in.empty() || !fields.empty()) return Errc::malformed;
    return SignedKey{key, signature};
  };
  auto parsed = parse(der);
  if (!parsed) return P2pErrc::bad_certificate;
  return parsed;
}

}  // namespace

TlsCredentials make_tls_credentials(const crypto::PrivateKey& identity, WallTime now) {
  TlsCredentials made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* certificate = made.certificate.get();
  require(made.key != nullptr && certificate != nullptr);
  require(X509_set_version(certificate, X509_VERSION_3) == 1);
  set_serial(certificate);
  set_validity(certificate, now);
  require(X509_set_pubkey(certificate, made.key.get()) == 1);
  add_extension(certificate, identity);
  require(X509_sign(certificate, made.key.get(), EVP_sha256()) > 0);
  return made;
}

Result<crypto::PublicKey> verify_tls_certificate(X509* certificate, WallTime now,
                                                 crypto::ProofCache& proofs) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  ERR_clear_error();  // of a key that OpenSSL could not read
  if (!key_taken(key) || !digest_taken(certificate) || !valid_at(certificate, now)) {
    return P2pErrc::bad_certificate;
  }
  TRY(const BytesView extension, extension_of(certificate));
  TRY(const SignedKey parts, parse_signed_key(extension));
  TRY(crypto::PublicKey peer, crypto::PublicKey::unmarshal(parts.public_key));
  const bool self_signed = proofs.holds("certificate", {der_of<i2d_X509>(certificate)},
                                        [&] { return X509_verify(certificate, key) == 1; });
  ERR_clear_error();
  if (!self_signed || !proofs.verify(peer, to_sign(certificate), parts.signature)) {
    return P2pErrc::bad_certificate;
  }
  return peer;
}

}  // namespace oc::p2p
