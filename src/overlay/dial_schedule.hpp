// DialSchedule: when to dial which peer again. Pure state.
#pragma once

#include <functional>
#include <map>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "codec/peer_id.hpp"

namespace oc::overlay {

// The first retry comes after about this long; each failure doubles it up to the last.
inline constexpr Duration kFirstRetry = std::chrono::milliseconds(500);
inline constexpr Duration kLastRetry = std::chrono::seconds(10);
// A peer that does not accept our password is tried this often: somebody may mend it.
inline constexpr Duration kRefusedRetry = std::chrono::seconds(30);

// Two members that hear of each other in the same moment do not both dial: the one with the larger
// id gives the other so much time. Their SYNs would cross, and through a NAT that is one connection
// with two clients.
inline constexpr Duration kPoliteness = std::chrono::seconds(2);

class DialSchedule {
 public:
  explicit DialSchedule(Random& random) : random_(random) {}

  bool due(const codec::PeerId& peer, TimePoint now) const;
  void failed(const codec::PeerId& peer, TimePoint now);
  void refused(const codec::PeerId& peer, TimePoint now);
  // Connected: the next dial may come at once.
  void reset(const codec::PeerId& peer) { table_.erase(peer); }
  // There is news about the peer, and so there is for it about us: the next dial comes at `at`, if
  // it would have come later or for the first time.
  void heard(const codec::PeerId& peer, TimePoint at);
  // Forgets all other peers, so that there are never more than are worth a dial.
  void keep_only(const std::function<bool(const codec::PeerId&)>& wanted) {
    std::erase_if(table_, [&wanted](const auto& entry) { return !wanted(entry.first); });
  }

 private:
  struct Entry {
    int failures = 0;
    TimePoint next{};
  };
  Random& random_;
  std::map<codec::PeerId, Entry> table_;
};

}  // namespace oc::overlay
