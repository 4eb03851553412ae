// What a security handshake gives: an encrypted stream to a peer whose key is proven.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/keys.hpp"
#include "net/stream.hpp"

namespace oc::p2p {

struct SecureChannel {
  std::unique_ptr<net::Stream> stream;
  crypto::PublicKey remote_key;
  // Names this one channel, equal on both sides and known to nobody else to be chosen (Noise: the
  // handshake hash). What is proven inside is bound to it.
  Bytes binding;
  // The muxer, when it was agreed on inside the handshake.
  std::optional<std::string> muxer;
};

}  // namespace oc::p2p
