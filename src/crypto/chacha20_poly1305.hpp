// ChaCha20-Poly1305 (RFC 8439) as Noise uses it: a 64-bit counter as the nonce.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

struct evp_cipher_ctx_st;

namespace oc::crypto {

// A key, with an OpenSSL context that is keyed once; a message costs setting its nonce and one pass
// over its bytes. In a moved-from object only destruction and assignment are allowed. Throws
// std::bad_alloc when OpenSSL has no memory for the context.
//
// One object may both seal and open. It is used by one thread at a time.
class ChaCha20Poly1305 {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kNonceSize = 12;

  explicit ChaCha20Poly1305(const Secret<kKeySize>& key);

  // Encrypts `size` bytes where they lie, and writes the tag to tag_out, which has kTagSize bytes
  // and may lie right behind them. A nonce is used for one message only. The 12 bytes of RFC 8439
  // are four zeros and the nonce in little-endian order.
  void seal_in_place(std::uint64_t nonce, BytesView ad, Byte* data, std::size_t size,
                     Byte* tag_out);

  // Decrypts `size` bytes of ciphertext (without the tag) where they lie. CryptoErrc::bad_tag when
  // they, the tag, or `ad` are not what was sealed; the bytes are then worthless and must not be
  // used. The object stays usable.
  Result<void> open_in_place(std::uint64_t nonce, BytesView ad, Byte* data, std::size_t size,
                             const Byte* tag);

  // The same with all 12 bytes of the nonce given.
  void seal_in_place(const FixedBytes<kNonceSize>& nonce, BytesView ad, Byte* data,
                     std::size_t size, Byte* tag_out);
  Result<void> open_in_place(const FixedBytes<kNonceSize>& nonce, BytesView ad, Byte* data,
                             std::size_t size, const Byte* tag);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };

  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

}  // namespace oc::crypto
