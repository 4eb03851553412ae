// DialBackoff: which addresses of which peers failed lately and are better left alone. Pure state.
//
// The wait after the n-th failure in a row is 5 s + 1 s·(n-1)², at most 5 min (go-libp2p's).
#pragma once

#include <map>

#include "base/clock.hpp"
#include "codec/multiaddr.hpp"

namespace oc::p2p {

inline constexpr Duration kDialBackoffBase = std::chrono::seconds(5);
inline constexpr Duration kDialBackoffFactor = std::chrono::seconds(1);
inline constexpr Duration kMaxDialBackoff = std::chrono::minutes(5);
// After its wait an entry counts the next failure for this long; then it begins anew.
inline constexpr Duration kDialBackoffMemory = std::chrono::minutes(5);
// Entries kept; when full, the one whose wait ends first goes. 4096 are 128 peers with all their
// addresses, about 1 MiB.
inline constexpr std::size_t kMaxDialBackoffs = 4096;

// Whether a failed dial says something of the address. What our own side or its network lacked does
// not: with the cable pulled every address fails, and none may wait once it is back.
bool counts_against_address(error_code error);

class DialBackoff {
 public:
  // Whether the address is to be left alone now.
  bool waits(const codec::PeerId& peer, const codec::Multiaddr& address, TimePoint now) const;
  // Counts a failure if it counts_against_address().
  void failed(const codec::PeerId& peer, const codec::Multiaddr& address, error_code why,
              TimePoint now);
  // The peer was reached and spoke: forgets all its addresses' failures, for it is up.
  void reached(const codec::PeerId& peer);
  std::size_t size() const { return table_.size(); }

 private:
  using Key = std::pair<codec::PeerId, codec::Multiaddr>;
  struct Entry {
    int failures = 0;
    TimePoint until{};
  };
  void make_room(TimePoint now);

  std::map<Key, Entry> table_;
};

}  // namespace oc::p2p
