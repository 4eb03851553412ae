#include "crypto/sha.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <memory>

#include "base/assert.hpp"

namespace oc::crypto {
namespace {

// libsodium takes no null pointer for a key, not even for an empty one.
const Byte* key_data(BytesView key) {
  static constexpr Byte kNothing = 0;
  return key.empty() ? &kNothing : key.data();
}

}  // namespace

FixedBytes<32> sha256(std::initializer_list<BytesView> parts) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (BytesView part : parts) crypto_hash_sha256_update(&state, part.data(), part.size());
  FixedBytes<32> digest;
  crypto_hash_sha256_final(&state, digest.data());
  return digest;
}

FixedBytes<64> sha512(std::initializer_list<BytesView> parts) {
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  for (BytesView part : parts) crypto_hash_sha512_update(&state, part.data(), part.size());
  FixedBytes<64> digest;
  crypto_hash_sha512_final(&state, digest.data());
  return digest;
}

FixedBytes<32> hmac_sha256(BytesView key, std::initializer_list<BytesView> parts) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key_data(key), key.size());
  for (BytesView part : parts) crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  FixedBytes<32> tag;
  crypto_auth_hmacsha256_final(&state, tag.data());
  return tag;
}

// libsodium has no SHA-384.
FixedBytes<48> hmac_sha384(BytesView key, std::initializer_list<BytesView> parts) {
  static EVP_MAC* const kHmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_new(kHmac),
                                                                          EVP_MAC_CTX_free);
  char digest[] = "SHA384";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  FixedBytes<48> tag;
  bool ok =
      context != nullptr && EVP_MAC_init(context.get(), key_data(key), key.size(), params) == 1;
  for (BytesView part : parts) {
    ok = ok && EVP_MAC_update(context.get(), part.data(), part.size()) == 1;
  }
  std::size_t size = 0;
  ok = ok && EVP_MAC_final(context.get(), tag.data(), &size, tag.size()) == 1;
  ASSERT(ok && size == tag.size());
  return tag;
}

FixedBytes<64> hmac_sha512(BytesView key, std::initializer_list<BytesView> parts) {
  crypto_auth_hmacsha512_state state;
  crypto_auth_hmacsha512_init(&state, key_data(key), key.size());
  for (BytesView part : parts) crypto_auth_hmacsha512_update(&state, part.data(), part.size());
  FixedBytes<64> tag;
  crypto_auth_hmacsha512_final(&state, tag.data());
  return tag;
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
