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
#include "p2p/upgrade/tls.hpp"

namespace oc::p2p {

inline constexpr const char* kYamuxId = "/yamux/1.0.0";

struct UpgradeOptions {
  // Security protocols offered and taken (kTlsId, kNoiseId), best first; the dialer's order
  // decides.
  std::vector<std::string> security{kTlsId, kNoiseId};
};

// Upgrades all connections of one identity. Lifetime: longer than its upgrades; what it is given is
// borrowed. Thread: the network thread.
class Upgrader {
 public:
  Upgrader(const crypto::PrivateKey& identity, Clock& clock, Random& random,
           UpgradeOptions options);

  // Gives a channel whose muxer (always kYamuxId now) is agreed on. `initiator`: the side that
  // dialed. Errors as NoiseContext::secure(), TlsContext::secure() and select_as_dialer(); the raw
  // stream is gone then.
  awaitable<Result<SecureChannel>> upgrade(std::unique_ptr<net::Stream> raw, bool initiator,
                                           std::optional<codec::PeerId> expected);

 private:
  awaitable<Result<SecureChannel>> secure(std::unique_ptr<net::Stream> raw, bool initiator,
                                          std::optional<codec::PeerId> expected);

  UpgradeOptions options_;
  NoiseContext noise_;
  std::unique_ptr<TlsContext> tls_;  // null when TLS is not offered
};

}  // namespace oc::p2p
