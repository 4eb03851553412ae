// From a raw stream to a muxed, authenticated connection: security is negotiated by multistream,
// then the muxer, inside the security handshake where both sides can, else by multistream again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "codec/peer_id.hpp"
#include "p2p/upgrade/noise.hpp"
#include "p2p/upgrade/secure_channel.hpp"

namespace oc::p2p {

inline constexpr const char* kYamuxId = "/yamux/1.0.0";

struct UpgradeOptions {
  // Security protocols offered and taken, best first; the dialer's order decides.
  std::vector<std::string> security{kNoiseId};
};

// Returns a channel whose muxer (always kYamuxId now) is agreed on. `initiator`: the side that
// dialed. Errors as secure_noise() and select_as_dialer(); the raw stream is gone then.
awaitable<Result<SecureChannel>> upgrade(std::unique_ptr<net::Stream> raw, bool initiator,
                                         const crypto::PrivateKey& identity, Random& random,
                                         std::optional<codec::PeerId> expected,
                                         UpgradeOptions options);

}  // namespace oc::p2p
