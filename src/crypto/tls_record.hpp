// Records of TLS 1.3 application data: one direction of a channel whose handshake is done.
//
//   | type (1) = 23 | version (2) = 0303 | length (2) | ciphertext of {content, content type} | tag
//   |
//
// Without I/O. The handshake itself is OpenSSL's; records are sealed and opened here, where the
// bytes lie in the data plane's buffers. Source: RFC 8446, sections 5.2 to 5.5 and 7.1 to 7.3.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

struct evp_cipher_ctx_st;

namespace oc::crypto {

enum class TlsSuite : std::uint16_t {
  aes_128_gcm_sha256 = 0x1301,
  aes_256_gcm_sha384 = 0x1302,
  chacha20_poly1305_sha256 = 0x1303,
};

enum class TlsContent : std::uint8_t { alert = 21, handshake = 22, application_data = 23 };

inline constexpr std::size_t kTlsHeaderSize = 5;
inline constexpr std::size_t kTlsTagSize = 16;
// What follows the content: its type and the tag.
inline constexpr std::size_t kTlsTrailerSize = 1 + kTlsTagSize;
inline constexpr std::size_t kTlsOverhead = kTlsHeaderSize + kTlsTrailerSize;
// Content of one record at most.
inline constexpr std::size_t kMaxTlsContent = 16384;
// What the length field may say: padding may make a record longer than our own ones.
inline constexpr std::size_t kMaxTlsCiphertext = kMaxTlsContent + 256;

// Secret, key and sequence number of one direction. Moves only; one object either seals or opens.
// Thread: one at a time. Throws std::bad_alloc when OpenSSL has no memory.
class TlsTrafficCipher {
 public:
  enum class Use { seal, open };

  // `traffic_secret`: client_ or server_application_traffic_secret_N; 48 bytes for the suite with
  // SHA-384, else 32 (asserted).
  TlsTrafficCipher(TlsSuite suite, Use use, BytesView traffic_secret);

  // Writes one record of at most kMaxTlsContent bytes of content to `out`, which has room for
  // content.size() + kTlsOverhead bytes. The content either lies at out + kTlsHeaderSize, and is
  // sealed in place, or nowhere near. Errors: CryptoErrc::nonce_exhausted.
  Result<void> seal(TlsContent type, BytesView content, Byte* out);

  struct Opened {
    TlsContent type;
    std::size_t size;  // of the content; it lies at the beginning of `out`
  };
  // Opens one record, header included, whose length field says what its size is. `out` has room for
  // record.size() - kTlsHeaderSize - kTlsTagSize bytes, and is either where the ciphertext lies or
  // nowhere near. Errors: CryptoErrc::bad_tag, ::nonce_exhausted; Errc::malformed for what was
  // sealed well but breaks RFC 8446 (no content type, too long, a type that is not of this phase).
  Result<Opened> open(BytesView record, Byte* out);

  // Goes on to the next generation of the key (a KeyUpdate message was sent or received).
  void update();
  // Records sealed or opened with the present generation.
  std::uint64_t records() const { return sequence_; }

 private:
  void set_secret(SecretBytes secret);
  // Starts a record: sets its nonce, feeds its header.
  void begin(const Byte* header);
  void run(const Byte* in, std::size_t size, Byte* out);

  struct Free {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };

  TlsSuite suite_;
  Use use_;
  SecretBytes secret_;
  Secret<12> iv_;
  std::uint64_t sequence_ = 0;
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

// HKDF-Expand-Label of RFC 8446, section 7.1, with an empty context and the suite's hash; `size` is
// at most that of the hash (asserted).
SecretBytes tls_expand_label(TlsSuite suite, BytesView secret, std::string_view label,
                             std::size_t size);

}  // namespace oc::crypto
