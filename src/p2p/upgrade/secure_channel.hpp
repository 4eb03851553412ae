// What a security handshake gives: an encrypted stream to a peer whose key is proven.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/keys.hpp"
#include "net/stream.hpp"

namespace oc::p2p {

struct SecurityOptions {
  // Fails with P2pErrc::wrong_peer when somebody else answers (or dials).
  std::optional<codec::PeerId> expected;
  // Offered inside the handshake, best first; the initiator's order decides.
  std::span<const std::string> muxers;
};

struct SecureChannel {
  std::unique_ptr<net::Stream> stream;
  crypto::PublicKey remote_key;
  // Names this one channel, equal on both sides and known to nobody else to be chosen (Noise: the
  // handshake hash; TLS: the exporter of RFC 9266). What is proven inside is bound to it.
  Bytes binding;
  // The muxer, when it was agreed on inside the handshake.
  std::optional<std::string> muxer;
  // The security protocol: the constant kNoiseId or kTlsId.
  std::string_view security;
};

}  // namespace oc::p2p
