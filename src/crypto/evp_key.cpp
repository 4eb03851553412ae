#include "crypto/evp_key.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include "crypto/der.hpp"
#include "crypto/error.hpp"
#include "crypto/keys.hpp"

namespace oc::crypto {
namespace {

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* what) const noexcept {
    free_function(what);
  }
};
using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;

// What OpenSSL gives, or no memory.
template <class Owner, class T>
Owner own(T* from_openssl) {
  if (from_openssl == nullptr) throw std::bad_alloc();
  return Owner(from_openssl);
}

Result<EvpKey> key_from_params(const char* type, OSSL_PARAM* params) {
  const auto context = own<KeyContext>(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    ERR_clear_error();
    return Errc::malformed;
  }
  return EvpKey(key);
}

// OpenSSL refuses a point that is not on the curve.
Result<EvpKey> load_ec_point(const char* group, BytesView point) {
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<Byte*>(point.data()),
                                        point.size()),
      OSSL_PARAM_construct_end()};
  return key_from_params("EC", params);
}

// rsaEncryption with NULL parameters.
constexpr std::array<Byte, 15> kRsaAlgorithm = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

struct RsaNumbers {
  BytesView modulus;
  BytesView exponent;
};

Result<RsaNumbers> parse_rsa(BytesView der) {
  TRY(BytesView info, take_der(der, DerTag::sequence));
  if (!der.empty()) return Errc::malformed;
  if (info.size() < kRsaAlgorithm.size()) return Errc::truncated;
  if (!equal(info.first(kRsaAlgorithm.size()), kRsaAlgorithm)) return Errc::malformed;
  info = info.subspan(kRsaAlgorithm.size());
  TRY(BytesView bits, take_der(info, DerTag::bit_string));
  if (!info.empty() || bits.empty() || bits[0] != 0) return Errc::malformed;
  bits = bits.subspan(1);
  TRY(BytesView numbers, take_der(bits, DerTag::sequence));
  TRY(const BytesView modulus, take_der_positive(numbers));
  TRY(const BytesView exponent, take_der_positive(numbers));
  if (!bits.empty() || !numbers.empty()) return Errc::malformed;
  return RsaNumbers{modulus, exponent};
}

std::size_t bit_count(BytesView number) {
  return number.size() * 8 - static_cast<std::size_t>(std::countl_zero(number[0]));
}

bool rsa_numbers_sane(const RsaNumbers& rsa) {
  const std::size_t modulus_bits = bit_count(rsa.modulus);
  const std::size_t exponent_bits = bit_count(rsa.exponent);
  return modulus_bits >= kMinRsaBits && modulus_bits <= kMaxRsaBits && exponent_bits >= 2 &&
         exponent_bits <= 31 && rsa.modulus.back() % 2 == 1 && rsa.exponent.back() % 2 == 1;
}

// The bytes of PKIX DER before an uncompressed point on a named curve. There is one encoding only,
// so a comparison takes the place of a parser, and other curves never come near the arithmetic.
struct Curve {
  const char* group;
  BytesView prefix;
  std::size_t point_size;
};

constexpr Byte kP256Prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
constexpr Byte kP384Prefix[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00};
constexpr Byte kP521Prefix[] = {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
                                0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00};
constexpr Curve kCurves[] = {
    {"P-256", kP256Prefix, 65}, {"P-384", kP384Prefix, 97}, {"P-521", kP521Prefix, 133}};

constexpr std::size_t kCompressedPointSize = 33;
constexpr Byte kUncompressed = 0x04;

}  // namespace

Result<EvpKey> load_rsa_key(BytesView pkix_der) {
  TRY(const RsaNumbers rsa, parse_rsa(pkix_der));
  if (!rsa_numbers_sane(rsa)) return CryptoErrc::weak_key;
  const auto number = [](BytesView bytes) {
    return own<BigNumber>(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  };
  const BigNumber modulus = number(rsa.modulus);
  const BigNumber exponent = number(rsa.exponent);
  const auto builder = own<ParamBuilder>(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  const auto params = own<Params>(OSSL_PARAM_BLD_to_param(builder.get()));
  return key_from_params("RSA", params.get());
}

Result<EvpKey> load_ecdsa_key(BytesView pkix_der) {
  for (const Curve& curve : kCurves) {
    if (pkix_der.size() != curve.prefix.size() + curve.point_size) continue;
    if (!equal(pkix_der.first(curve.prefix.size()), curve.prefix)) continue;
    const BytesView point = pkix_der.subspan(curve.prefix.size());
    if (point[0] != kUncompressed) return Errc::malformed;
    return load_ec_point(curve.group, point);
  }
  return Errc::malformed;
}

Result<EvpKey> load_secp256k1_key(BytesView compressed_point) {
  if (compressed_point.size() != kCompressedPointSize) return Errc::malformed;
  if (compressed_point[0] != 0x02 && compressed_point[0] != 0x03) return Errc::malformed;
  return load_ec_point("secp256k1", compressed_point);
}

bool verify_sha256(EVP_PKEY* key, BytesView message, BytesView signature) {
  const auto context = own<DigestContext>(EVP_MD_CTX_new());
  const bool good = EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                     message.data(), message.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace oc::crypto
