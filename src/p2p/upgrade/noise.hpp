// The Noise security protocol of libp2p (libp2p/specs noise/README.md), id /noise.
//
//   initiator                                        responder
//     message 1: e                              ──▶
//                                               ◀──  message 2: e, ee, s, es + payload
//     message 3: s, se + payload                ──▶
//   payload: identity key, its signature over the static key, the muxers that the side speaks
//
// On the wire every message has a two-byte big-endian length in front, at most 65535.
#pragma once

#include "base/random.hpp"
#include "crypto/proof_cache.hpp"
#include "crypto/x25519.hpp"
#include "p2p/error.hpp"
#include "p2p/upgrade/secure_channel.hpp"

namespace oc::p2p {

inline constexpr const char* kNoiseId = "/noise";
// Plaintext of one message: 65535 minus the tag.
inline constexpr std::size_t kMaxNoisePlaintext = 65535 - 16;
// A handshake message is small; a peer that claims more is cut before it sends it.
inline constexpr std::size_t kMaxNoiseHandshakeMessage = 8 * 1024;
// Muxers that a peer may list (go's bound).
inline constexpr int kMaxEarlyMuxers = 100;

// A static key of this process, signed once, for all handshakes of one identity, in either role.
// (Forward secrecy is the ephemeral keys', which are fresh in each.) Lifetime: longer than the
// handshakes; `random` is borrowed. Thread: the network thread.
class NoiseContext {
 public:
  NoiseContext(const crypto::PrivateKey& identity, Random& random);

  // Errors: P2pErrc::handshake_failed, P2pErrc::wrong_peer, and the stream's. Time-outs are the
  // caller's. On error the stream below is destroyed.
  awaitable<Result<SecureChannel>> secure(std::unique_ptr<net::Stream> below, bool initiator,
                                          SecurityOptions options);

 private:
  Bytes make_payload(std::span<const std::string> muxers) const;

  Random& random_;
  crypto::X25519KeyPair static_keys_;
  Bytes identity_key_;         // the public one, as libp2p writes it
  Bytes identity_signature_;   // of the static key
  crypto::ProofCache proofs_;  // of peers' static keys
};

}  // namespace oc::p2p
