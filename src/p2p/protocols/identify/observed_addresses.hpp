// ObservedAddresses: under which addresses peers see this host, and which of those to believe. Pure
// state.
//
// A peer tells by identify from where it sees our end of the connection (observedAddr). Behind a
// NAT that is how we learn our address outside; but a peer can say anything, and many NATs show
// every peer another port. So an address counts as ours once enough observers in different places
// say the same of one address that we listen on. Rules and figures are go-libp2p's where nothing
// else is said.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "p2p/swarm/connection.hpp"

namespace oc::p2p {

// How many observers have to agree. Those that the owner trusts do not lie together, so two
// suffice, which a small private network has; one alone may be wrong, or sit where it sees what
// nobody else does.
struct ObserversNeeded {
  std::size_t any = 4;
  std::size_t trusted = 2;
};
// External addresses that are taken for one address listened on: more is a NAT that shows every
// peer another one.
inline constexpr std::size_t kMaxExternalAddresses = 3;
// An observation counts while its connection lives, and for so long afterwards.
inline constexpr Duration kObservationLife = std::chrono::minutes(40);
// One for each connection that the swarm may have, and as many of connections that ended.
inline constexpr std::size_t kMaxObservations = 4096;

struct Observation {
  codec::PeerId observer;
  codec::Multiaddr remote;    // where the observer is
  codec::Multiaddr local;     // our end of the connection
  codec::Multiaddr observed;  // our end, as the observer says
  // `local` has a port that is listened on: it was accepted there or dialed from there. Of a port
  // that was taken for one dial nobody else could make use.
  bool at_listen_port = false;
  bool trusted = false;
};

// Where a peer is; peers in one place may be one person's. A customer's IPv4 address, or IPv6 /56;
// empty for what is no IP address.
std::string place_of(const codec::Multiaddr& remote);

class ObservedAddresses {
 public:
  explicit ObservedAddresses(ObserversNeeded needed = {}) : needed_(needed) {}

  // Takes what was observed on a connection, in place of what was observed on it before. It is left
  // out when it proves nothing: loopback, circuits, NAT64 (which shows the address of its gateway),
  // a port of no use, an address that cannot be seen from where the observer is, our own end as we
  // see it ourselves.
  void observe(ConnectionId connection, Observation observation, TimePoint now);
  // The owner trusts the peer of this connection.
  void trust(ConnectionId connection);
  // The connection is over. What the same observer says on a later one takes the place of this.
  void ended(ConnectionId connection, TimePoint now);

  // The addresses to believe, for each address listened on those with the most observers first.
  std::vector<codec::Multiaddr> confirmed(TimePoint now) const { return agreed_on(needed_, now); }
  // Those that anybody has seen, by the same order: good enough to try.
  std::vector<codec::Multiaddr> seen(TimePoint now) const { return agreed_on({1, 1}, now); }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Observation observation;
    std::string place;  // of the observer
    std::optional<TimePoint> ended;

    bool expired(TimePoint now) const { return ended && now - *ended >= kObservationLife; }
  };

  void make_room(TimePoint now);
  std::vector<codec::Multiaddr> agreed_on(ObserversNeeded needed, TimePoint now) const;

  ObserversNeeded needed_;
  std::map<ConnectionId, Entry> entries_;
};

}  // namespace oc::p2p
