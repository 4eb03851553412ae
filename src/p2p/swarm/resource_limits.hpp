// ResourceLimits: how much everybody together, a peer, a connection and a source address may have.
//
// The scopes are those of go-libp2p's resource manager, whose figures are for a node of a public
// network with a few hundred connections. Ours serve private networks: a public node may have more
// than a thousand members, who are trusted, and any number of strangers, who are not.
#pragma once

#include <cstddef>
#include <limits>

#include "base/clock.hpp"

namespace oc::p2p {

// When all places are taken an inbound connection is cut for each that comes: the oldest of the
// source that has most, if that has two more than the newcomer's; else the oldest of those sources
// that have as many as the newcomer's, once it had this time for its handshake, or to prove itself.
// So a few hosts keep nobody out, whatever they do, and many only those who do not come a second
// time.
inline constexpr Duration kHandshakePatience = std::chrono::seconds(2);
inline constexpr Duration kStrangerPatience = std::chrono::seconds(5);

inline constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

// Inbound, outbound, and both together.
struct CountLimits {
  std::size_t in = kUnlimited;
  std::size_t out = kUnlimited;
  std::size_t all = kUnlimited;
};

struct ScopeLimits {
  CountLimits connections;
  CountLimits streams;
  std::size_t memory = kUnlimited;  // received and not read, in bytes
};

// What one connection's peer may make us hold.
struct ConnectionLimits {
  std::size_t streams_in = 0;
  std::size_t memory = 0;
};

// Connections from one source: a bound on those there are, a token bucket for new ones, and a bound
// on those whose peers turned out to be trusted.
struct SourceLimits {
  std::size_t connections = 0;
  std::size_t burst = 0;
  double per_second = 0;
  std::size_t trusted = kUnlimited;
};

// No source alone can use up what strangers share: its connections, with all that each may have,
// are less than every sum below. And inbound alone never fills a sum, so that who floods us does
// not keep us from dialing. (Tests named ResourceLimits.* hold the figures to it.)
struct ResourceLimits {
  // A connection costs a descriptor and about 20 KiB, a served stream about 5 KiB. The streams are
  // twice the tunnels there may be (tunnel/running_rule.hpp), for the rest and for circuits.
  ScopeLimits system{{1792, 1024, 2048}, {49'152, 49'152, 65'536}, 256 << 20};

  // Connections whose peer is not known yet, and strangers' streams whose protocol is not. After an
  // outage a whole network comes back at once; a handshake takes milliseconds, so 256 under way are
  // thousands a second.
  ScopeLimits transient{{256, 256, 384}, {4096, kUnlimited, kUnlimited}, kUnlimited};

  // Peers that nobody vouched for (Connection::trust), together: half of the connections, an eighth
  // of the streams and a quarter of the memory, so that members who are in keep what they have.
  // Those who come are strangers at first: see kHandshakePatience.
  ScopeLimits untrusted{{896, 512, 1024}, {8192, 4096, 10'240}, 64 << 20};

  // One peer. Eight connections as in go: both sides may dial at once, over several paths, and
  // again before an old connection is known to be dead. A trusted peer's streams are tunnels.
  ScopeLimits peer{{8, 8, 8}, {32'768, 32'768, 65'536}, 64 << 20};
  // A stranger has identify, ping, the proof of membership and a few more to do. Both directions
  // together are far below the 512 streams of a connection above which rust-yamux says goodbye and
  // takes no more, streams that are over and not yet cleared away included; above that go only
  // peers that have proved membership, which is to say ours.
  ScopeLimits untrusted_peer{{8, 8, 8}, {64, 128, 192}, kUnlimited};

  // A full window of each of two streams is 512 KiB: a stranger's speed suffers, nobody else's.
  ConnectionLimits connection{32'768, 64 << 20};
  ConnectionLimits untrusted_connection{32, 512 << 10};

  // Inbound, not from loopback. When the peer is trusted its token is given back, and its
  // connection counts among those of trusted peers only, whose bound holds once half of `system` is
  // taken: a member can make himself as many ids as he likes, and must not fill it from one
  // machine, while a large office is behind one address. go has 8 and 0.2 a second after 16; but
  // all members of a network may sit behind one NAT address, and come at once when the power is
  // back. Behind an IPv6 /56 is one customer, behind a /48 a company.
  SourceLimits source{16, 64, 1, 256};
  SourceLimits source_v6_48{64, 256, 4, 512};
  // Circuits that one relay hands over: their peers' addresses are hidden, and ids are free. As a
  // /48, for a whole network may come through its relay at once; two relays (kWantedRelays in
  // nat/relay_keeper.hpp) fill half of what may be under way.
  SourceLimits relay{64, 256, 4, 512};
};

// Inbound streams of one protocol served at once: all, and of one peer (go: 512 and 64). Strangers
// together have half of all, rounded up: who they are costs them nothing, and members come, too.
struct StreamLimits {
  std::size_t all = 2048;
  std::size_t of_peer = 64;

  std::size_t of_strangers() const { return all / 2 + all % 2; }
};

}  // namespace oc::p2p
