// ping (libp2p/specs ping/ping.md), id /ipfs/ping/1.0.0: 32 random bytes, echoed, in a loop on one
// stream.
#pragma once

#include <map>
#include <vector>

#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

inline constexpr const char* kPingId = "/ipfs/ping/1.0.0";
inline constexpr std::size_t kPingSize = 32;
// Ping streams that are answered at once: of a peer as the spec has it, of all as go does.
inline constexpr StreamLimits kPingLimits{.all = 64, .of_peer = 2};
// Within this time the next ping has to have come, and its echo to have been taken, or the stream
// is reset. (Rust pings every 15 s on a stream that stays open.)
inline constexpr Duration kPingIdle = std::chrono::seconds(60);
inline constexpr Duration kPingTimeout = std::chrono::seconds(10);

// Answers pings, and pings. Lifetime: as long as the swarm.
class Ping {
 public:
  Ping(Swarm& swarm, Clock& clock, Random& random);

  // The round-trip times of `count` pings, one after the other. Waits while this peer is being
  // pinged, because it may have one stream of ours only (spec). Errc::timed_out when a ping takes
  // longer than kPingTimeout; Errc::protocol_violation for a wrong echo. When cancelled it resets
  // the stream.
  awaitable<Result<std::vector<Duration>>> measure(ConnectionPtr connection, int count);

 private:
  class Turn;
  // Peers that are being pinged, with those who wait for their turn.
  using Waiters = std::map<codec::PeerId, std::vector<Event*>>;

  awaitable<void> answer(std::unique_ptr<net::Stream> stream);

  Clock& clock_;
  Random& random_;
  Waiters pinging_;
};

}  // namespace oc::p2p
