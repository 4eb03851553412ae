#include "p2p/upgrade/tls_certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <functional>

#include "crypto/der.hpp"
#include "crypto/tls_library.hpp"
#include "p2p/error.hpp"
#include "support/vectors.hpp"

namespace oc::p2p {
namespace {

using crypto::DerTag;
using X509Ptr = std::unique_ptr<X509, X509Free>;

const WallTime kNow = FakeClock().wall_now();

crypto::PrivateKey identity(std::uint64_t seed = 1) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random);
}

// As a handshake reads it.
X509Ptr from_der(BytesView der) {
  X509* certificate = X509_new_ex(crypto::tls_library(), nullptr);
  const Byte* at = der.data();
  return X509Ptr(d2i_X509(&certificate, &at, static_cast<long>(der.size())));
}

Bytes der_of(const X509Ptr& certificate) {
  Byte* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

// The verdict of somebody who never saw the certificate.
Result<crypto::PublicKey> owner_of(X509* certificate) {
  crypto::ProofCache proofs;
  return verify_tls_certificate(certificate, kNow, proofs);
}

TEST(TlsCertificate, ours_name_us) {
  const TlsCredentials made = make_tls_credentials(identity(), kNow);
  auto key = owner_of(made.certificate.get());
  EXPECT_TRUE(key && *key == identity().public_key());
}

TEST(TlsCertificate, ours_is_valid_from_an_hour_ago_for_a_hundred_years_and_on_p256) {
  using std::chrono::hours;
  using std::chrono::minutes;
  const TlsCredentials made = make_tls_credentials(identity(), kNow);
  const auto valid_at = [&made](WallTime when) {
    crypto::ProofCache proofs;
    return verify_tls_certificate(made.certificate.get(), when, proofs).has_value();
  };
  EXPECT_TRUE(valid_at(kNow - minutes(59)));
  EXPECT_FALSE(valid_at(kNow - minutes(61)));
  EXPECT_TRUE(valid_at(kNow + hours(24 * 365 * 99)));
  EXPECT_FALSE(valid_at(kNow + hours(24 * 365 * 101)));
  char group[32];
  std::size_t size = 0;
  ASSERT_EQ(EVP_PKEY_get_group_name(made.key.get(), group, sizeof group, &size), 1);
  EXPECT_EQ(std::string_view(group, size), "prime256v1");
}

TEST(TlsCertificate, published_certificates_get_their_published_verdict) {
  const auto vectors = test::load_json("libp2p/tls.json");
  for (const auto& vector : vectors.at("certificates")) {
    const X509Ptr certificate = from_der(test::hex_of(vector, "certificate"));
    ASSERT_NE(certificate, nullptr);
    auto key = owner_of(certificate.get());
    EXPECT_EQ(key.has_value(), vector.at("valid").get<bool>()) << vector.at("name");
    if (!key) continue;
    EXPECT_EQ(key->peer_id().to_string(), test::text_of(vector, "peer_id"));
  }
}

// ---- certificates of a forger, each wrong in one place

struct Forgery {
  crypto::EvpKey key{EVP_EC_gen("P-256")};
  std::function<void(X509*)> change = [](X509*) {};
  // The value of the libp2p extension for the subject's key; several make several extensions.
  std::function<std::vector<Bytes>(BytesView spki)> extensions = [](BytesView spki) {
    return std::vector<Bytes>{signed_key(spki)};
  };
  const EVP_MD* digest = EVP_sha256();

  static Bytes signed_key(BytesView spki, std::string_view prefix = "libp2p-tls-handshake:") {
    Bytes text = to_bytes(as_bytes(prefix));
    append(text, spki);
    Bytes fields = crypto::der_element(DerTag::octet_string, identity().public_key().marshal());
    append(fields, crypto::der_element(DerTag::octet_string, identity().sign(text)));
    return crypto::der_element(DerTag::sequence, fields);
  }

  void add_extension(X509* certificate, BytesView value, const char* oid, bool critical) const {
    ASN1_OBJECT* object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(octets, value.data(), static_cast<int>(value.size()));
    X509_EXTENSION* extension =
        X509_EXTENSION_create_by_OBJ(nullptr, object, critical ? 1 : 0, octets);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
  }

  X509Ptr make() const {
    X509Ptr certificate(X509_new());
    X509* x = certificate.get();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    ASN1_TIME_set(X509_getm_notBefore(x), unix_seconds(kNow) - 60);
    ASN1_TIME_set(X509_getm_notAfter(x), unix_seconds(kNow) + 60);
    X509_set_pubkey(x, key.get());
    Byte* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    for (const Bytes& value : extensions({der, static_cast<std::size_t>(size)})) {
      add_extension(x, value, "1.3.6.1.4.1.53594.1.1", false);
    }
    OPENSSL_free(der);
    change(x);
    EXPECT_GT(X509_sign(x, key.get(), digest), 0);
    // As a peer gets it: parsed from its bytes.
    return from_der(der_of(certificate));
  }

  bool accepted() const { return owner_of(make().get()).has_value(); }
};

crypto::EvpKey rsa_key(unsigned bits, unsigned long exponent = RSA_F4) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY_keygen_init(context);
  EVP_PKEY_CTX_set_rsa_keygen_bits(context, static_cast<int>(bits));
  BIGNUM* e = BN_new();
  BN_set_word(e, exponent);
  EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e);
  EVP_PKEY* key = nullptr;
  EXPECT_EQ(EVP_PKEY_keygen(context, &key), 1);
  BN_free(e);
  EVP_PKEY_CTX_free(context);
  return crypto::EvpKey(key);
}

TEST(TlsCertificate, an_honest_one_of_the_forgers_making_is_taken) {
  EXPECT_TRUE(Forgery().accepted());
}

TEST(TlsCertificate, certificate_keys_are_of_known_kinds_and_sizes) {
  const auto with = [](crypto::EvpKey key, const EVP_MD* digest = EVP_sha256()) {
    Forgery forgery;
    forgery.key = std::move(key);
    forgery.digest = digest;
    return forgery.accepted();
  };
  EXPECT_TRUE(with(crypto::EvpKey(EVP_EC_gen("P-384")), EVP_sha384()));
  EXPECT_TRUE(with(crypto::EvpKey(EVP_EC_gen("P-521")), EVP_sha512()));
  EXPECT_TRUE(with(crypto::EvpKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), nullptr));
  EXPECT_TRUE(with(rsa_key(2048)));
  EXPECT_FALSE(with(rsa_key(1024)));
  EXPECT_FALSE(with(rsa_key(2040)));
  EXPECT_FALSE(with(rsa_key(2048, 0x100000001))) << "an exponent of 33 bits";
  EXPECT_FALSE(with(crypto::EvpKey(EVP_EC_gen("secp256k1"))));
  EXPECT_FALSE(with(crypto::EvpKey(EVP_EC_gen("brainpoolP256r1"))));
  EXPECT_FALSE(with(crypto::EvpKey(EVP_EC_gen("P-256")), EVP_sha1()));
}

TEST(TlsCertificate, curves_are_named_never_spelled_out) {
  Forgery forgery;
  EVP_PKEY_set_utf8_string_param(forgery.key.get(), OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
  EXPECT_FALSE(forgery.accepted());
}

TEST(TlsCertificate, validity_is_held_against_the_clock) {
  const auto with = [](long from, long until) {
    Forgery forgery;
    forgery.change = [=](X509* x) {
      ASN1_TIME_set(X509_getm_notBefore(x), unix_seconds(kNow) + from);
      ASN1_TIME_set(X509_getm_notAfter(x), unix_seconds(kNow) + until);
    };
    return forgery.accepted();
  };
  EXPECT_TRUE(with(-60, 60));
  EXPECT_FALSE(with(-60, -30)) << "expired";
  EXPECT_FALSE(with(30, 60)) << "not yet";
}

TEST(TlsCertificate, the_extension_is_there_once) {
  Forgery none, two;
  none.extensions = [](BytesView) { return std::vector<Bytes>(); };
  two.extensions = [](BytesView spki) { return std::vector<Bytes>(2, Forgery::signed_key(spki)); };
  EXPECT_FALSE(none.accepted());
  EXPECT_FALSE(two.accepted());
}

TEST(TlsCertificate, the_extension_of_another_oid_is_none) {
  Forgery forgery;
  forgery.extensions = [](BytesView) { return std::vector<Bytes>(); };
  forgery.change = [&forgery](X509* x) {
    forgery.add_extension(x, test::hex("3000"), "1.3.6.1.4.1.53594.1.2", false);
  };
  EXPECT_FALSE(forgery.accepted());
}

TEST(TlsCertificate, an_unknown_critical_extension_is_refused_and_a_plain_one_is_not) {
  for (const bool critical : {false, true}) {
    Forgery forgery;
    forgery.change = [&forgery, critical](X509* x) {
      forgery.add_extension(x, test::hex("0500"), "1.3.6.1.4.1.53594.9", critical);
    };
    EXPECT_EQ(forgery.accepted(), !critical);
  }
}

TEST(TlsCertificate, a_signed_key_that_is_cut_or_too_long_is_refused) {
  const Bytes whole = Forgery::signed_key(Bytes(91));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Forgery forgery;
    forgery.extensions = [size](BytesView spki) {
      Bytes value = Forgery::signed_key(spki);
      value.resize(size);
      return std::vector<Bytes>{value};
    };
    ASSERT_FALSE(forgery.accepted()) << size;
  }
  Forgery trailing;
  trailing.extensions = [](BytesView spki) {
    Bytes value = Forgery::signed_key(spki);
    value.push_back(0);
    return std::vector<Bytes>{value};
  };
  EXPECT_FALSE(trailing.accepted());
}

TEST(TlsCertificate, the_peers_signature_is_over_this_key_with_the_prefix) {
  Forgery other_key, no_prefix;
  other_key.extensions = [](BytesView spki) {
    Bytes other = to_bytes(spki);
    other.back() ^= 1;
    return std::vector<Bytes>{Forgery::signed_key(other)};
  };
  no_prefix.extensions = [](BytesView spki) {
    return std::vector<Bytes>{Forgery::signed_key(spki, "")};
  };
  EXPECT_FALSE(other_key.accepted());
  EXPECT_FALSE(no_prefix.accepted());
}

TEST(TlsCertificate, it_is_signed_with_its_own_key) {
  Forgery forgery;
  const X509Ptr certificate = forgery.make();
  const crypto::EvpKey another(EVP_EC_gen("P-256"));
  X509_sign(certificate.get(), another.get(), EVP_sha256());
  EXPECT_FALSE(owner_of(certificate.get()));
}

TEST(TlsCertificate, one_that_was_seen_before_is_still_held_to_the_clock) {
  crypto::ProofCache proofs;
  const X509Ptr certificate = Forgery().make();
  EXPECT_TRUE(verify_tls_certificate(certificate.get(), kNow, proofs));
  EXPECT_EQ(proofs.size(), 2u);
  EXPECT_TRUE(verify_tls_certificate(certificate.get(), kNow, proofs));
  EXPECT_EQ(proofs.size(), 2u);
  const auto late =
      verify_tls_certificate(certificate.get(), kNow + std::chrono::seconds(61), proofs);
  EXPECT_EQ(late.error(), P2pErrc::bad_certificate);
}

TEST(TlsCertificate, one_that_was_seen_before_is_refused_with_any_bit_changed) {
  crypto::ProofCache proofs;
  const Bytes der = der_of(Forgery().make());
  ASSERT_TRUE(verify_tls_certificate(from_der(der).get(), kNow, proofs));
  for (std::size_t bit = 0; bit < 8 * der.size(); ++bit) {
    Bytes bent = der;
    bent[bit / 8] ^= static_cast<Byte>(1 << bit % 8);
    const X509Ptr certificate = from_der(bent);
    if (!certificate) continue;
    EXPECT_FALSE(verify_tls_certificate(certificate.get(), kNow, proofs)) << bit;
  }
  EXPECT_EQ(proofs.size(), 2u);
}

// CVE-2023-39533: a huge key must cost no arithmetic.
TEST(TlsCertificate, a_peers_rsa_key_outside_of_the_bounds_is_refused_before_any_arithmetic) {
  Forgery forgery;
  forgery.extensions = [](BytesView) {
    // The marshalled key {RSA, 64 KiB of a modulus}, and a signature that nobody looks at.
    Bytes key{0x08, 0x00, 0x12, 0x80, 0x40};
    key.resize(key.size() + 8192, 0xff);
    Bytes fields = crypto::der_element(DerTag::octet_string, key);
    append(fields, crypto::der_element(DerTag::octet_string, Bytes(64)));
    return std::vector<Bytes>{crypto::der_element(DerTag::sequence, fields)};
  };
  auto result = owner_of(forgery.make().get());
  EXPECT_TRUE(!result && result.error() == Errc::limit_exceeded);
}

}  // namespace
}  // namespace oc::p2p
