// PushQueue: which connections have yet to be told what changed, and whose turn it is. Pure state.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "p2p/swarm/connection.hpp"

namespace oc::p2p {

// Pushes under way at once (go's bound).
inline constexpr std::size_t kMaxPushesAtOnce = 32;

class PushQueue {
 public:
  void connected(ConnectionId id) { peers_[id]; }
  void disconnected(ConnectionId id);
  bool empty() const { return peers_.empty(); }

  // All that was told is out of date.
  void changed();
  // The peer of a connection was told what is true now.
  void told(ConnectionId id);
  // Whether the peer says that it takes pushes; until then it does not.
  void takes_pushes(ConnectionId id, bool takes);

  // The next to push to, if there is one and kMaxPushesAtOnce are not under way. No other push goes
  // there until done().
  std::optional<ConnectionId> next();
  // The push came to an end. One that failed is not made up for before the next change.
  void done(ConnectionId id);

 private:
  struct Peer {
    std::uint64_t told = 0;  // which state
    bool takes = false;
    bool queued = false;
    bool under_way = false;
  };

  void consider(ConnectionId id, Peer& peer);

  std::map<ConnectionId, Peer> peers_;
  std::deque<ConnectionId> queue_;  // each once
  std::uint64_t state_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace oc::p2p
