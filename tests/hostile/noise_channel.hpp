// Noise as the dialer: an honest handshake, but for the payload when a forger gives another.
#pragma once

#include <functional>

#include "channel.hpp"
#include "crypto/noise_xx.hpp"
#include "identity.hpp"

namespace oc::hostile {

// Makes the payload of message 3 from our static key.
using Forgery = std::function<Bytes(const crypto::X25519PublicKey&)>;

// The payload that proves the identity and offers yamux.
Bytes honest_payload(const Identity& identity, const crypto::X25519PublicKey& static_key);
// The same from any key and signature, for forgers.
Bytes noise_payload(BytesView public_key, BytesView signature);
// What an identity signs.
Bytes noise_text_to_sign(BytesView static_key);

// Null when the node broke off before the handshake was over on our side.
std::unique_ptr<Channel> dial_noise(Socket socket, Random& random, const Forgery& payload,
                                    TimePoint until);

// The messages of the handshake, each with its two-byte length.
bool send_noise_message(Channel& channel, BytesView message, TimePoint until);
std::optional<Bytes> receive_noise_message(Channel& channel, TimePoint until);

}  // namespace oc::hostile
