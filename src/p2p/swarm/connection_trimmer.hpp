// ConnectionTrimmer: which connections to close when there are more than are good for the node.
// Pure state.
//
// Above high water it names the least valuable, down to low water. Never closed for that: protected
// peers, trusted connections with open streams, and what is younger than its grace period. (A
// stranger's streams protect nothing: it could open one for that.) The others go in this order:
// strangers before trusted peers, low value before high, idle before busy, inbound before outbound,
// young before old. The idea and most figures are those of go-libp2p's connection manager.
//
// Apart from that, of several connections to one peer those that new streams do not take are
// surplus.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "p2p/swarm/connection.hpp"

namespace oc::p2p {

// Trims come this far apart (go's silence period): closing takes a moment, and peers come back.
inline constexpr Duration kTrimInterval = std::chrono::seconds(10);

struct TrimOptions {
  // Below the ledger's bound on connections, so that there is room while a trim waits its turn.
  std::size_t high_water = 1800;
  std::size_t low_water = 1600;
  Duration grace = std::chrono::minutes(1);
  // A stranger's: it has proved itself long before, or will not.
  Duration untrusted_grace = std::chrono::seconds(20);
};

// One connection, as far as trimming is concerned.
struct TrimCandidate {
  ConnectionId id;  // larger is younger
  codec::PeerId peer;
  Direction direction = Direction::inbound;
  bool trusted = false;
  std::size_t streams = 0;
  TimePoint opened{};
};

class ConnectionTrimmer {
 public:
  explicit ConnectionTrimmer(TrimOptions options = {}) : options_(options) {}

  // A peer's value is the sum of its tags'. They stay until they are taken off, connected or not.
  void tag(const codec::PeerId& peer, const std::string& tag, int value);
  void untag(const codec::PeerId& peer, const std::string& tag);
  int value(const codec::PeerId& peer) const;
  // A peer is protected as long as somebody's protection, told apart by `tag`, is on it.
  void protect(const codec::PeerId& peer, const std::string& tag);
  void unprotect(const codec::PeerId& peer, const std::string& tag);
  bool is_protected(const codec::PeerId& peer) const { return protections_.contains(peer); }

  // What to close now, given all connections.
  std::vector<ConnectionId> choose(std::vector<TrimCandidate> connections, TimePoint now) const;

  // The surplus connections to close: idle, and past their grace period. `of_peer` are all of one
  // peer, best first. Only the side with the smaller id closes, lest each closes what the other
  // keeps.
  std::vector<ConnectionId> surplus(const codec::PeerId& self,
                                    const std::vector<TrimCandidate>& of_peer, TimePoint now) const;

 private:
  bool in_grace(const TrimCandidate& connection, TimePoint now) const;
  bool may_go(const TrimCandidate& connection, TimePoint now) const;

  TrimOptions options_;
  std::map<codec::PeerId, std::map<std::string, int>> tags_;
  std::map<codec::PeerId, std::set<std::string>> protections_;
};

}  // namespace oc::p2p
