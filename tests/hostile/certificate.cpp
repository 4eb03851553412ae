#include "certificate.hpp"

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include <functional>
#include <map>
#include <stdexcept>

#include "der.hpp"
#include "identity.hpp"

namespace oc::hostile {
namespace {

constexpr const char* kExtension = "1.3.6.1.4.1.53594.1.1";
constexpr const char* kOtherExtension = "1.3.6.1.4.1.53594.1.2";
constexpr std::string_view kPrefix = "libp2p-tls-handshake:";
constexpr long kHour = 3600;
constexpr long kYear = 365 * 24 * kHour;

// What is to be in one certificate. An empty extension value: none is written.
struct Plan {
  Key key;
  Bytes extension;
  const char* oid = kExtension;
  int times = 1;  // how often the extension is there
  long from = -kHour;
  long until = 100 * kYear;
  bool authority = false;
  bool odd_critical = false;
  Key signer;                       // null: its own key
  std::function<void(X509*)> bend;  // right before it is signed
};

template <class T>
T* must(T* from_openssl) {
  if (from_openssl == nullptr) throw std::runtime_error("OpenSSL refused to make that");
  return from_openssl;
}

void must(int done) {
  if (done <= 0) throw std::runtime_error("OpenSSL refused to do that");
}

Key make_ec_key(bool explicit_parameters = false) {
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      must(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)), &EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_keygen_init(context.get()));
  must(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), NID_X9_62_prime256v1));
  must(EVP_PKEY_CTX_set_ec_param_enc(
      context.get(), explicit_parameters ? OPENSSL_EC_EXPLICIT_CURVE : OPENSSL_EC_NAMED_CURVE));
  must(EVP_PKEY_keygen(context.get(), &key));
  return Key(key, &EVP_PKEY_free);
}

Key make_rsa_key(unsigned bits) { return Key(must(EVP_RSA_gen(bits)), &EVP_PKEY_free); }

Bytes public_der(EVP_PKEY* key) {
  Byte* encoded = nullptr;
  const int size = i2d_PUBKEY(key, &encoded);
  must(size);
  Bytes out(encoded, encoded + size);
  OPENSSL_free(encoded);
  return out;
}

// SignedKey ::= SEQUENCE { publicKey OCTET STRING, signature OCTET STRING }
Bytes signed_key(const Identity& identity, EVP_PKEY* over, std::string_view prefix = kPrefix) {
  Bytes text = to_bytes(as_bytes(prefix));
  append(text, public_der(over));
  return der_sequence({der(kDerOctets, identity.public_key), der(kDerOctets, identity.sign(text))});
}

void add_extension(X509* certificate, const char* oid, BytesView value, bool critical) {
  std::unique_ptr<ASN1_OBJECT, decltype(&ASN1_OBJECT_free)> object(must(OBJ_txt2obj(oid, 1)),
                                                                   &ASN1_OBJECT_free);
  std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> octets(
      must(ASN1_OCTET_STRING_new()), &ASN1_OCTET_STRING_free);
  must(ASN1_OCTET_STRING_set(octets.get(), value.data(), static_cast<int>(value.size())));
  std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      must(X509_EXTENSION_create_by_OBJ(nullptr, object.get(), critical ? 1 : 0, octets.get())),
      &X509_EXTENSION_free);
  must(X509_add_ext(certificate, extension.get(), -1));
}

void add_authority(X509* certificate) {
  std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      must(X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE")),
      &X509_EXTENSION_free);
  must(X509_add_ext(certificate, extension.get(), -1));
}

Certificate make_certificate(const Plan& plan, Random& random) {
  Certificate out(must(X509_new()), &X509_free);
  X509* x = out.get();
  must(X509_set_version(x, X509_VERSION_3));
  std::uint32_t serial = 0;
  random.fill({reinterpret_cast<Byte*>(&serial), sizeof serial});
  must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial | 1));
  must(X509_gmtime_adj(X509_getm_notBefore(x), plan.from));
  must(X509_gmtime_adj(X509_getm_notAfter(x), plan.until));
  must(X509_set_pubkey(x, plan.key.get()));
  for (int i = 0; i < plan.times; ++i) add_extension(x, plan.oid, plan.extension, false);
  if (plan.authority) add_authority(x);
  if (plan.odd_critical) add_extension(x, kOtherExtension, Bytes{0x05, 0x00}, true);
  if (plan.bend) plan.bend(x);
  must(X509_sign(x, plan.signer ? plan.signer.get() : plan.key.get(), EVP_sha256()));
  return out;
}

// Writes another key into the certificate than the one that OpenSSL holds for it. Both strings are
// given away.
void replace_public_key(X509* certificate, int algorithm, int parameter_kind,
                        const Bytes& parameters, const Bytes& key) {
  ASN1_STRING* text = nullptr;
  if (parameter_kind == V_ASN1_SEQUENCE) {
    text = must(ASN1_STRING_new());
    must(ASN1_STRING_set(text, parameters.data(), static_cast<int>(parameters.size())));
  }
  auto* bits = static_cast<Byte*>(must(OPENSSL_malloc(key.size())));
  std::copy(key.begin(), key.end(), bits);
  must(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate), OBJ_nid2obj(algorithm),
                              parameter_kind, text, bits, static_cast<int>(key.size())));
}

// A curve over the "field" of 697 = 17 * 41 elements, y^2 = x^3 + 23x + 642, with a compressed
// generator at x = 2: the square root of 696 modulo 697 is what the search of CVE-2022-0778 never
// finds.
void write_endless_curve(X509* certificate) {
  const Bytes prime_field{0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01};
  const Bytes prime{0x02, 0xb9}, a{0x00, 0x17}, b{0x02, 0x82}, generator{0x02, 0x00, 0x02};
  const Bytes parameters =
      der_sequence({der_number(Bytes{1}), der_sequence({prime_field, der_number(prime)}),
                    der_sequence({der(kDerOctets, a), der(kDerOctets, b)}),
                    der(kDerOctets, generator), der_number(Bytes{5}), der_number(Bytes{1})});
  replace_public_key(certificate, NID_X9_62_id_ecPublicKey, V_ASN1_SEQUENCE, parameters, generator);
}

void write_rsa_key(X509* certificate, std::size_t bits, Random& random) {
  Bytes modulus(bits / 8);
  random.fill(modulus);
  modulus.front() |= 0x80;
  modulus.back() |= 1;
  const Bytes numbers = der_sequence({der_number(modulus), der_number(Bytes{1, 0, 1})});
  replace_public_key(certificate, NID_rsaEncryption, V_ASN1_NULL, {}, numbers);
}

// The forgeries that change one thing of an honest plan.
const std::map<std::string, std::function<void(Plan&, Random&)>>& simple_forgeries() {
  static const std::map<std::string, std::function<void(Plan&, Random&)>> forgeries{
      {"honest", [](Plan&, Random&) {}},
      {"no-extension", [](Plan& plan, Random&) { plan.times = 0; }},
      {"two-extensions", [](Plan& plan, Random&) { plan.times = 2; }},
      {"wrong-oid", [](Plan& plan, Random&) { plan.oid = kOtherExtension; }},
      {"trailing-bytes", [](Plan& plan, Random&) { append(plan.extension, Bytes{0x05, 0x00}); }},
      {"empty-extension", [](Plan& plan, Random&) { plan.extension.clear(); }},
      {"foreign-signature",
       [](Plan& plan, Random& random) {
         Identity torn = fresh_identity(random);
         torn.sign = fresh_identity(random).sign;
         plan.extension = signed_key(torn, plan.key.get());
       }},
      {"other-certificate",
       [](Plan& plan, Random& random) {
         plan.extension = signed_key(fresh_identity(random), make_ec_key().get());
       }},
      {"no-prefix",
       [](Plan& plan, Random& random) {
         plan.extension = signed_key(fresh_identity(random), plan.key.get(), "");
       }},
      {"authority", [](Plan& plan, Random&) { plan.authority = true; }},
      {"critical-extension", [](Plan& plan, Random&) { plan.odd_critical = true; }},
      {"expired",
       [](Plan& plan, Random&) {
         plan.from = -2 * kYear;
         plan.until = -kYear;
       }},
      {"not-yet-valid", [](Plan& plan, Random&) { plan.from = kYear; }},
      {"other-signer", [](Plan& plan, Random&) { plan.signer = make_ec_key(); }},
      {"endless-curve", [](Plan& plan, Random&) { plan.bend = write_endless_curve; }},
  };
  return forgeries;
}

Plan honest_plan(const Identity& identity, Key key) {
  Plan plan;
  plan.key = std::move(key);
  plan.extension = signed_key(identity, plan.key.get());
  return plan;
}

// The plan of a forgery whose name ends in an argument.
Plan plan_with_argument(const std::string& kind, const std::string& argument,
                        const Identity& identity, Random& random) {
  if (kind == "rsa-certificate") {
    const std::size_t bits = std::stoul(argument);
    // A key that is made in a moment signs; the certificate shows one of the size asked for.
    const bool small = bits <= 2048;
    Plan plan = honest_plan(identity, make_rsa_key(small ? static_cast<unsigned>(bits) : 2048));
    if (!small) plan.bend = [bits, &random](X509* x) { write_rsa_key(x, bits, random); };
    return plan;
  }
  Plan plan = honest_plan(identity, make_ec_key());
  if (kind == "truncated") {
    plan.extension.resize(std::stoul(argument));
  } else if (kind == "rsa") {
    plan.extension = signed_key(rsa_identity(argument, random), plan.key.get());
  } else {
    throw std::invalid_argument("no such forgery: " + kind);
  }
  return plan;
}

Plan plan_of(const std::string& forgery, const Identity& identity, Random& random) {
  if (const auto colon = forgery.find(':'); colon != forgery.npos) {
    return plan_with_argument(forgery.substr(0, colon), forgery.substr(colon + 1), identity,
                              random);
  }
  Plan plan = honest_plan(identity, make_ec_key(forgery == "explicit-curve"));
  if (forgery == "explicit-curve" || forgery == "two-certificates") return plan;
  const auto found = simple_forgeries().find(forgery);
  if (found == simple_forgeries().end()) throw std::invalid_argument("no such forgery: " + forgery);
  found->second(plan, random);
  return plan;
}

}  // namespace

Credentials make_credentials(const std::string& forgery, const Identity& identity, Random& random) {
  if (forgery == "no-certificate") return {};
  const Plan plan = plan_of(forgery, identity, random);
  Credentials out{{make_certificate(plan, random)}, plan.key};
  if (forgery == "two-certificates") {
    out.chain.push_back(make_certificate(honest_plan(identity, make_ec_key()), random));
  }
  return out;
}

std::size_t extension_size(const Identity& identity) {
  return honest_plan(identity, make_ec_key()).extension.size();
}

}  // namespace oc::hostile
