// ping (libp2p/specs ping/ping.md), id /ipfs/ping/1.0.0: 32 random bytes, echoed, in a loop on one
// stream.
#pragma once

#include <map>
#include <vector>

#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

inline constexpr const char* kPingId = "/ipfs/ping/1.0.0";
inline constexpr std::size_t kPingSize = 32;
// Ping streams a peer may keep open (spec).
inline constexpr int kMaxPingStreams = 2;
// A ping stream on which nothing comes is closed after this.
inline constexpr Duration kPingIdle = std::chrono::seconds(60);
inline constexpr Duration kPingTimeout = std::chrono::seconds(10);

// Answers pings, and pings. Lifetime: as long as the swarm.
class Ping {
 public:
  Ping(Swarm& swarm, Clock& clock, Random& random);

  // The round-trip times of `count` pings, one after the other. Errc::timed_out when one takes
  // longer than kPingTimeout; Errc::protocol_violation for a wrong echo.
  awaitable<Result<std::vector<Duration>>> measure(ConnectionPtr connection, int count);

 private:
  awaitable<void> answer(ConnectionPtr connection, std::unique_ptr<net::Stream> stream);

  Clock& clock_;
  Random& random_;
  std::map<codec::PeerId, int> streams_;
};

}  // namespace oc::p2p
