// The symmetric part of the Noise protocol framework, for 25519_ChaChaPoly_SHA256.
//
// Source: Noise revision 34, sections 5.1 (CipherState) and 5.2 (SymmetricState).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "crypto/secret.hpp"

namespace oc::crypto {

inline constexpr std::size_t kNoiseTagSize = ChaCha20Poly1305::kTagSize;
inline constexpr std::size_t kMaxNoiseMessage = 65535;

// A key and the nonce of the next message: one direction of a Noise channel. Moves only.
class CipherState {
 public:
  // The nonce 2^64 - 1 is reserved by the framework; a message that would need it is refused.
  static constexpr std::uint64_t kReservedNonce = ~std::uint64_t{0};

  explicit CipherState(const Secret<32>& key) : cipher_(key) {}

  std::uint64_t nonce() const { return nonce_; }
  // The framework's SetNonce; a nonce must never be used twice for sealing.
  void set_nonce(std::uint64_t nonce) { nonce_ = nonce; }

  // As ChaCha20Poly1305, with the next nonce, which then advances. CryptoErrc::nonce_exhausted:
  // nothing was done, and nothing ever will be. CryptoErrc::bad_tag: the nonce did not advance;
  // the channel is to be closed.
  Result<void> seal_in_place(BytesView ad, Byte* data, std::size_t size, Byte* tag_out);
  Result<void> open_in_place(BytesView ad, Byte* data, std::size_t size, const Byte* tag);

 private:
  ChaCha20Poly1305 cipher_;
  std::uint64_t nonce_ = 0;
};

// What a handshake has agreed on so far: chaining key, hash of all that was sent, and, after the
// first mix_key, a cipher.
class SymmetricState {
 public:
  // Errors of encrypt_and_hash and decrypt_and_hash are CipherState's; after one the state is dead.
  explicit SymmetricState(std::string_view protocol_name);

  void mix_key(BytesView input_key);
  void mix_hash(BytesView data);
  // Before the first mix_key the text passes unencrypted, as the framework has it.
  Result<Bytes> encrypt_and_hash(BytesView plaintext);
  Result<Bytes> decrypt_and_hash(BytesView ciphertext);
  bool has_key() const { return cipher_.has_value(); }

  const FixedBytes<32>& handshake_hash() const { return hash_; }
  // First: for messages from the initiator; second: from the responder.
  std::pair<CipherState, CipherState> split() const;

 private:
  Secret<32> chaining_key_;
  FixedBytes<32> hash_{};
  std::optional<CipherState> cipher_;
};

}  // namespace oc::crypto
