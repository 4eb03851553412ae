#include "crypto/sha.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/assert.hpp"

namespace oc::crypto {
namespace {

using Parts = std::initializer_list<BytesView>;

// OpenSSL looks up what it is asked for by name, which costs more than to hash a block; so each
// look-up is made once.

template <std::size_t size>
FixedBytes<size> digest(const EVP_MD* algorithm, Parts parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  bool ok = context != nullptr && EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1;
  for (BytesView part : parts) {
    ok = ok && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  FixedBytes<size> out;
  ok = ok && EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1;
  ASSERT(ok);
  return out;
}

using Mac = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;

// HMAC of a digest, without a key yet.
Mac make_hmac(std::string digest) {
  EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Mac context(EVP_MAC_CTX_new(hmac), EVP_MAC_CTX_free);
  EVP_MAC_free(hmac);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  ASSERT(context != nullptr && EVP_MAC_CTX_set_params(context.get(), params) == 1);
  return context;
}

template <std::size_t size>
FixedBytes<size> hmac(const Mac& keyless, BytesView key, Parts parts) {
  static constexpr Byte kNothing = 0;  // no pointer would mean: keep the key there is
  const Mac context(EVP_MAC_CTX_dup(keyless.get()), EVP_MAC_CTX_free);
  bool ok = context != nullptr && EVP_MAC_init(context.get(), key.empty() ? &kNothing : key.data(),
                                               key.size(), nullptr) == 1;
  for (BytesView part : parts) {
    ok = ok && EVP_MAC_update(context.get(), part.data(), part.size()) == 1;
  }
  FixedBytes<size> tag;
  std::size_t written = 0;
  ok = ok && EVP_MAC_final(context.get(), tag.data(), &written, tag.size()) == 1;
  ASSERT(ok && written == size);
  return tag;
}

}  // namespace

FixedBytes<32> sha256(std::initializer_list<BytesView> parts) {
  static EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return digest<32>(kAlgorithm, parts);
}

FixedBytes<64> sha512(std::initializer_list<BytesView> parts) {
  static EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  return digest<64>(kAlgorithm, parts);
}

FixedBytes<32> hmac_sha256(BytesView key, std::initializer_list<BytesView> parts) {
  static const Mac kKeyless = make_hmac("SHA256");
  return hmac<32>(kKeyless, key, parts);
}

FixedBytes<48> hmac_sha384(BytesView key, std::initializer_list<BytesView> parts) {
  static const Mac kKeyless = make_hmac("SHA384");
  return hmac<48>(kKeyless, key, parts);
}

FixedBytes<64> hmac_sha512(BytesView key, std::initializer_list<BytesView> parts) {
  static const Mac kKeyless = make_hmac("SHA512");
  return hmac<64>(kKeyless, key, parts);
}

Secret<32> hkdf_sha256_extract(BytesView salt, BytesView input_key) {
  return Secret<32>(hmac_sha256(salt, {input_key}));
}

SecretBytes hkdf_sha256_expand(BytesView pseudo_random_key, BytesView info, std::size_t size) {
  ASSERT(size <= kMaxHkdfSize);
  Bytes out(size);
  Secret<32> block;
  BytesView previous;
  Byte counter = 1;
  for (std::size_t done = 0; done < size; ++counter) {
    block = Secret<32>(hmac_sha256(pseudo_random_key, {previous, info, {&counter, 1}}));
    const std::size_t n = std::min(block.size(), size - done);
    std::copy_n(block.data(), n, out.data() + done);
    previous = block.view();
    done += n;
  }
  return SecretBytes(std::move(out));
}

NoiseKeys noise_hkdf(BytesView chaining_key, BytesView input_key) {
  const Secret<32> extracted = hkdf_sha256_extract(chaining_key, input_key);
  const SecretBytes both = hkdf_sha256_expand(extracted.view(), {}, 64);
  NoiseKeys keys;
  std::copy_n(both.view().data(), 32, keys.first.data());
  std::copy_n(both.view().data() + 32, 32, keys.second.data());
  return keys;
}

}  // namespace oc::crypto
