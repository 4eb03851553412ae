// Noise_XX_25519_ChaChaPoly_SHA256: a handshake in which both sides learn the other's static key.
//
//     initiator                                   responder
//        e                                 ->                    message 1, payload in the clear
//                                          <-     e, ee, s, es   message 2
//        s, se                             ->                    message 3
//
// Without I/O: bytes go in and come out, framing is the caller's. Source: Noise revision 34,
// section 7.5.
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "crypto/noise_symmetric.hpp"
#include "crypto/x25519.hpp"

namespace oc::crypto {

enum class NoiseRole { initiator, responder };

// The two directions of the finished channel.
struct NoiseChannel {
  CipherState send;
  CipherState receive;
};

// Messages are written and read in turn, as above; out of turn is a bug of the caller (asserted).
// After any error the handshake is dead and is to be destroyed.
class NoiseXX {
 public:
  // Both sides need the same prologue (libp2p: empty). The ephemeral key is drawn from `random`
  // here; `random` is not kept.
  NoiseXX(NoiseRole role, X25519KeyPair local_static, Random& random, BytesView prologue = {});

  bool my_turn() const;
  bool done() const { return next_message_ == 3; }

  // The next message, with a payload in it. Errc::limit_exceeded when it would exceed
  // kMaxNoiseMessage; CryptoErrc::weak_point when the other side's key is worthless.
  Result<Bytes> write_message(BytesView payload);

  // Takes a whole message and gives its payload. Errc::truncated when it is too short for its
  // keys, Errc::limit_exceeded above kMaxNoiseMessage, CryptoErrc::bad_tag, ::weak_point.
  Result<Bytes> read_message(BytesView message);

  // The other side's static key: for the initiator from message 2 on, for the responder when done.
  const std::optional<X25519PublicKey>& remote_static() const { return remote_static_; }

  // Both need done(). The hash names this one channel (channel binding).
  const FixedBytes<32>& handshake_hash() const;
  NoiseChannel split() const;

 private:
  Result<void> mix_dh(const X25519KeyPair& ours, const X25519PublicKey& theirs);
  Result<void> write_static(Bytes& message);
  Result<void> read_static(BytesView& message);

  NoiseRole role_;
  X25519KeyPair local_static_;
  X25519KeyPair local_ephemeral_;
  std::optional<X25519PublicKey> remote_static_;
  X25519PublicKey remote_ephemeral_{};
  SymmetricState symmetric_;
  int next_message_ = 0;
};

}  // namespace oc::crypto
