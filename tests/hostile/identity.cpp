#include "identity.hpp"

#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "codec/varint.hpp"
#include "der.hpp"

namespace oc::hostile {
namespace {

constexpr int kRsaType = 0;
// More than two primes make a large key in a moment.
constexpr int kPrimesOfLargeKeys = 5;
constexpr int kLargeKeyBits = 8192;

// A number of exactly this many bits.
Bytes number_of(std::size_t bits, bool odd, Random& random) {
  Bytes bytes((bits + 7) / 8);
  random.fill(bytes);
  const int spare = static_cast<int>(bytes.size() * 8 - bits);
  bytes.front() = static_cast<Byte>((bytes.front() | 0x80) >> spare);
  bytes.back() = static_cast<Byte>(odd ? bytes.back() | 1 : bytes.back() & 0xfe);
  return bytes;
}

Identity real_rsa(int bits) {
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(),
                                         bits >= kLargeKeyBits ? kPrimesOfLargeKeys : 2) != 1 ||
      EVP_PKEY_keygen(context.get(), &made) != 1) {
    throw std::runtime_error("cannot make an RSA key");
  }
  const std::shared_ptr<EVP_PKEY> key(made, &EVP_PKEY_free);
  Byte* encoded = nullptr;
  const int size = i2d_PUBKEY(key.get(), &encoded);
  const Bytes pkix(encoded, encoded + size);
  OPENSSL_free(encoded);
  return {marshal_key(kRsaType, pkix), [key](BytesView message) {
            std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                           &EVP_MD_CTX_free);
            EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get());
            std::size_t length = 0;
            EVP_DigestSign(digest.get(), nullptr, &length, message.data(), message.size());
            Bytes signature(length);
            EVP_DigestSign(digest.get(), signature.data(), &length, message.data(), message.size());
            signature.resize(length);
            return signature;
          }};
}

}  // namespace

Bytes rsa_pkix(BytesView modulus, BytesView exponent) {
  // rsaEncryption with NULL parameters.
  const Bytes algorithm{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                        0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
  Bytes bits{0};
  append(bits, der_sequence({der_number(modulus), der_number(exponent)}));
  return der_sequence({algorithm, der(kDerBitString, bits)});
}

Bytes marshal_key(int type, BytesView data) {
  Bytes out{0x08, static_cast<Byte>(type), 0x12};
  codec::put_length_prefixed(out, data);
  return out;
}

Identity identity_of(const crypto::PrivateKey& key) {
  return {key.public_key().marshal(), [&key](BytesView message) { return key.sign(message); }};
}

Identity fresh_identity(Random& random) {
  // Shared by the copies of the identity.
  const auto key = std::make_shared<const crypto::PrivateKey>(crypto::PrivateKey::generate(random));
  return {key->public_key().marshal(), [key](BytesView message) { return key->sign(message); }};
}

Identity rsa_identity(const std::string& fault, Random& random) {
  if (fault == "2048" || fault == "8192") return real_rsa(std::stoi(fault));
  Bytes exponent{0x01, 0x00, 0x01};
  std::size_t bits = 2048;
  if (fault == "e1") {
    exponent = {0x01};
  } else if (fault == "e65") {
    exponent = {0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01};
  } else if (fault != "even") {
    bits = std::stoul(fault);
  }
  const Bytes modulus = number_of(bits, fault != "even", random);
  // What it signs does not matter: the key is to be refused before.
  const Bytes signature = number_of(bits, true, random);
  return {marshal_key(kRsaType, rsa_pkix(modulus, exponent)),
          [signature](BytesView) { return signature; }};
}

}  // namespace oc::hostile
