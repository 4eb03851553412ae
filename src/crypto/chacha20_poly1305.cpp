#include "crypto/chacha20_poly1305.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <climits>
#include <new>

#include "base/assert.hpp"
#include "crypto/error.hpp"

namespace oc::crypto {
namespace {

// Looked up once: a look-up by name costs more than sealing a small message.
const EVP_CIPHER* cipher() {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  ASSERT(fetched != nullptr);
  return fetched;
}

FixedBytes<ChaCha20Poly1305::kNonceSize> noise_nonce(std::uint64_t counter) {
  FixedBytes<ChaCha20Poly1305::kNonceSize> nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<Byte>(counter >> (8 * i));
  return nonce;
}

constexpr int kOpen = 0;
constexpr int kSeal = 1;

// OpenSSL goes over the data twice, for the cipher and for the tag. In pieces of this size the
// second pass finds them in the first-level cache: a quarter less time for a whole Noise frame.
constexpr std::size_t kPiece = 8192;

// Sets the nonce, feeds `ad`, and runs over the data; the tag is still to be made or checked.
void run(EVP_CIPHER_CTX* context, int direction, const Byte* nonce, BytesView ad, Byte* data,
         std::size_t size) {
  ASSERT(ad.size() <= INT_MAX);
  int n = 0;
  bool ok = EVP_CipherInit_ex2(context, nullptr, nullptr, nonce, direction, nullptr) == 1;
  if (!ad.empty()) {
    ok = ok && EVP_CipherUpdate(context, nullptr, &n, ad.data(), static_cast<int>(ad.size())) == 1;
  }
  for (std::size_t done = 0; done < size; done += kPiece) {
    const int piece = static_cast<int>(std::min(kPiece, size - done));
    ok = ok && EVP_CipherUpdate(context, data + done, &n, data + done, piece) == 1;
  }
  ASSERT(ok);
}

}  // namespace

void ChaCha20Poly1305::Free::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

ChaCha20Poly1305::ChaCha20Poly1305(const Secret<kKeySize>& key) : context_(EVP_CIPHER_CTX_new()) {
  if (!context_) throw std::bad_alloc();
  if (EVP_CipherInit_ex2(context_.get(), cipher(), key.data(), nullptr, kSeal, nullptr) != 1) {
    throw std::bad_alloc();
  }
}

void ChaCha20Poly1305::seal_in_place(std::uint64_t nonce, BytesView ad, Byte* data,
                                     std::size_t size, Byte* tag_out) {
  seal_in_place(noise_nonce(nonce), ad, data, size, tag_out);
}

Result<void> ChaCha20Poly1305::open_in_place(std::uint64_t nonce, BytesView ad, Byte* data,
                                             std::size_t size, const Byte* tag) {
  return open_in_place(noise_nonce(nonce), ad, data, size, tag);
}

void ChaCha20Poly1305::seal_in_place(const FixedBytes<kNonceSize>& nonce, BytesView ad, Byte* data,
                                     std::size_t size, Byte* tag_out) {
  EVP_CIPHER_CTX* context = context_.get();
  run(context, kSeal, nonce.data(), ad, data, size);
  int n = 0;
  const bool ok = EVP_CipherFinal_ex(context, tag_out, &n) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag_out) == 1;
  ASSERT(ok);
}

Result<void> ChaCha20Poly1305::open_in_place(const FixedBytes<kNonceSize>& nonce, BytesView ad,
                                             Byte* data, std::size_t size, const Byte* tag) {
  EVP_CIPHER_CTX* context = context_.get();
  run(context, kOpen, nonce.data(), ad, data, size);
  // OpenSSL only reads through the pointer.
  const bool ok =
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, const_cast<Byte*>(tag)) == 1;
  ASSERT(ok);
  int n = 0;
  Byte none[1];
  if (EVP_CipherFinal_ex(context, none, &n) == 1) return success();
  ERR_clear_error();  // or TLS, on the same thread, would find it
  return CryptoErrc::bad_tag;
}

}  // namespace oc::crypto
