// DialSchedule: when to dial which peer again. Pure state.
#pragma once

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

class DialSchedule {
 public:
  explicit DialSchedule(Random& random) : random_(random) {}

  bool due(const codec::PeerId& peer, TimePoint now) const;
  void failed(const codec::PeerId& peer, TimePoint now);
  void refused(const codec::PeerId& peer, TimePoint now);
  // Connected, or there is news about the peer: the next dial may come at once.
  void reset(const codec::PeerId& peer) { table_.erase(peer); }

 private:
  struct Entry {
    int failures = 0;
    TimePoint next{};
  };
  Random& random_;
  std::map<codec::PeerId, Entry> table_;
};

}  // namespace oc::overlay
