#include "crypto/tls_record.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <new>

#include "base/assert.hpp"
#include "crypto/error.hpp"
#include "crypto/sha.hpp"

namespace oc::crypto {
namespace {

constexpr std::size_t kNonceSize = 12;
// RFC 8446, section 5.3: sequence numbers do not wrap.
constexpr std::uint64_t kLastSequence = ~std::uint64_t{0};

struct SuiteEntry {
  const char* cipher;
  std::size_t key_size;
  std::size_t hash_size;
  // OpenSSL goes over the data twice with this cipher; in pieces of this size the second pass
  // finds them in the first-level cache. The AES ciphers take a record in one pass.
  std::size_t piece;
};

const SuiteEntry& entry_of(TlsSuite suite) {
  static constexpr SuiteEntry kAes128{"AES-128-GCM", 16, 32, kMaxTlsCiphertext};
  static constexpr SuiteEntry kAes256{"AES-256-GCM", 32, 48, kMaxTlsCiphertext};
  static constexpr SuiteEntry kChaCha{"ChaCha20-Poly1305", 32, 32, 8192};
  switch (suite) {
    case TlsSuite::aes_128_gcm_sha256: return kAes128;
    case TlsSuite::aes_256_gcm_sha384: return kAes256;
    case TlsSuite::chacha20_poly1305_sha256: break;
  }
  return kChaCha;
}

// Looked up once: a look-up by name costs more than sealing a small record.
const EVP_CIPHER* cipher_of(TlsSuite suite) {
  static const EVP_CIPHER* const kFetched[] = {
      EVP_CIPHER_fetch(nullptr, entry_of(TlsSuite::aes_128_gcm_sha256).cipher, nullptr),
      EVP_CIPHER_fetch(nullptr, entry_of(TlsSuite::aes_256_gcm_sha384).cipher, nullptr),
      EVP_CIPHER_fetch(nullptr, entry_of(TlsSuite::chacha20_poly1305_sha256).cipher, nullptr)};
  const auto index =
      static_cast<std::size_t>(suite) - static_cast<std::size_t>(TlsSuite::aes_128_gcm_sha256);
  ASSERT(kFetched[index] != nullptr);
  return kFetched[index];
}

}  // namespace

SecretBytes tls_expand_label(TlsSuite suite, BytesView secret, std::string_view label,
                             std::size_t size) {
  ASSERT(size <= entry_of(suite).hash_size);
  const std::string full = "tls13 " + std::string(label);
  Bytes info(2);
  put_be16(info.data(), static_cast<std::uint16_t>(size));
  info.push_back(static_cast<Byte>(full.size()));
  append(info, as_bytes(full));
  info.push_back(0);  // no context
  // HKDF-Expand of at most one block.
  const Byte counter = 1;
  if (entry_of(suite).hash_size == 48) {
    const Secret<48> block(hmac_sha384(secret, {info, {&counter, 1}}));
    return SecretBytes(block.view().first(size));
  }
  const Secret<32> block(hmac_sha256(secret, {info, {&counter, 1}}));
  return SecretBytes(block.view().first(size));
}

void TlsTrafficCipher::Free::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

TlsTrafficCipher::TlsTrafficCipher(TlsSuite suite, Use use, BytesView traffic_secret)
    : suite_(suite), use_(use), context_(EVP_CIPHER_CTX_new()) {
  ASSERT(traffic_secret.size() == entry_of(suite).hash_size);
  if (!context_) throw std::bad_alloc();
  set_secret(SecretBytes(traffic_secret));
}

void TlsTrafficCipher::set_secret(SecretBytes secret) {
  secret_ = std::move(secret);
  const SecretBytes key =
      tls_expand_label(suite_, secret_.view(), "key", entry_of(suite_).key_size);
  const SecretBytes iv = tls_expand_label(suite_, secret_.view(), "iv", kNonceSize);
  std::ranges::copy(iv.view(), iv_.data());
  sequence_ = 0;
  if (EVP_CipherInit_ex2(context_.get(), cipher_of(suite_), key.view().data(), nullptr,
                         use_ == Use::seal ? 1 : 0, nullptr) != 1) {
    throw std::bad_alloc();
  }
}

void TlsTrafficCipher::update() {
  set_secret(tls_expand_label(suite_, secret_.view(), "traffic upd", secret_.size()));
}

void TlsTrafficCipher::begin(const Byte* header) {
  Secret<kNonceSize> nonce = iv_;
  for (std::size_t i = 0; i < 8; ++i) {
    nonce.data()[kNonceSize - 1 - i] ^= static_cast<Byte>(sequence_ >> (8 * i));
  }
  int n = 0;
  const bool ok =
      EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, nonce.data(), -1, nullptr) == 1 &&
      EVP_CipherUpdate(context_.get(), nullptr, &n, header, kTlsHeaderSize) == 1;
  ASSERT(ok);
}

void TlsTrafficCipher::run(const Byte* in, std::size_t size, Byte* out) {
  const std::size_t most = entry_of(suite_).piece;
  for (std::size_t done = 0; done < size;) {
    const std::size_t piece = std::min(most, size - done);
    int n = 0;
    const bool ok =
        EVP_CipherUpdate(context_.get(), out + done, &n, in + done, static_cast<int>(piece)) == 1;
    ASSERT(ok);
    done += piece;
  }
}

Result<void> TlsTrafficCipher::seal(TlsContent type, BytesView content, Byte* out) {
  ASSERT(use_ == Use::seal && content.size() <= kMaxTlsContent);
  if (sequence_ == kLastSequence) return CryptoErrc::nonce_exhausted;
  out[0] = static_cast<Byte>(TlsContent::application_data);
  put_be16(out + 1, 0x0303);
  put_be16(out + 3, static_cast<std::uint16_t>(content.size() + kTlsTrailerSize));
  begin(out);
  Byte* sealed = out + kTlsHeaderSize;
  run(content.data(), content.size(), sealed);
  sealed += content.size();
  *sealed = static_cast<Byte>(type);
  run(sealed, 1, sealed);
  Byte* tag = sealed + 1;
  int n = 0;
  const bool ok = EVP_CipherFinal_ex(context_.get(), tag, &n) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTlsTagSize, tag) == 1;
  ASSERT(ok);
  ++sequence_;
  return success();
}

Result<TlsTrafficCipher::Opened> TlsTrafficCipher::open(BytesView record, Byte* out) {
  ASSERT(use_ == Use::open);
  if (sequence_ == kLastSequence) return CryptoErrc::nonce_exhausted;
  if (record.size() < kTlsOverhead) return CryptoErrc::bad_tag;
  std::size_t size = record.size() - kTlsHeaderSize - kTlsTagSize;
  begin(record.data());
  run(record.data() + kTlsHeaderSize, size, out);
  auto* tag = const_cast<Byte*>(record.data() + record.size() - kTlsTagSize);  // read only
  int n = 0;
  Byte none[1];
  if (EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTlsTagSize, tag) != 1 ||
      EVP_CipherFinal_ex(context_.get(), none, &n) != 1) {
    ERR_clear_error();  // or the next handshake, on the same thread, would find it
    return CryptoErrc::bad_tag;
  }
  ++sequence_;
  while (size != 0 && out[size - 1] == 0) --size;  // padding
  if (size == 0 || size - 1 > kMaxTlsContent) return Errc::malformed;
  const Byte type = out[size - 1];
  if (type < static_cast<Byte>(TlsContent::alert) ||
      type > static_cast<Byte>(TlsContent::application_data)) {
    return Errc::malformed;
  }
  return Opened{static_cast<TlsContent>(type), size - 1};
}

}  // namespace oc::crypto
