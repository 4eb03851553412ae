// SHA-2, HMAC and HKDF (FIPS 180-4, RFC 2104, RFC 5869). None of them can fail.
#pragma once

#include <initializer_list>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

namespace oc::crypto {

// Each hashes its parts as if they were one string.
FixedBytes<32> sha256(std::initializer_list<BytesView> parts);
FixedBytes<64> sha512(std::initializer_list<BytesView> parts);
FixedBytes<32> hmac_sha256(BytesView key, std::initializer_list<BytesView> parts);
FixedBytes<48> hmac_sha384(BytesView key, std::initializer_list<BytesView> parts);
FixedBytes<64> hmac_sha512(BytesView key, std::initializer_list<BytesView> parts);

// RFC 5869. expand gives `size` bytes, at most 255 * 32 (asserted).
inline constexpr std::size_t kMaxHkdfSize = std::size_t{255} * 32;
Secret<32> hkdf_sha256_extract(BytesView salt, BytesView input_key);
SecretBytes hkdf_sha256_expand(BytesView pseudo_random_key, BytesView info, std::size_t size);

// The two keys that Noise draws from a chaining key (Noise revision 34, section 4.3, HKDF with two
// outputs).
struct NoiseKeys {
  Secret<32> first;
  Secret<32> second;
};
NoiseKeys noise_hkdf(BytesView chaining_key, BytesView input_key);

}  // namespace oc::crypto
