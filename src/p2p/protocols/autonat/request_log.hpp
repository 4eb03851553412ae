// RequestLog: how many requests were taken within the last minute, of all and of each peer. Pure
// state, no larger than the bound on all.
#pragma once

#include <algorithm>
#include <deque>

#include "base/clock.hpp"
#include "codec/peer_id.hpp"

namespace oc::p2p {

class RequestLog {
 public:
  RequestLog(std::size_t all, std::size_t of_peer) : all_(all), of_peer_(of_peer) {}

  // Takes one more, unless that is too many within any minute. What is refused does not count.
  bool take(const codec::PeerId& peer, TimePoint now) {
    while (!taken_.empty() && now - taken_.front().when >= std::chrono::minutes(1))
      taken_.pop_front();
    if (taken_.size() >= all_) return false;
    const auto his = std::ranges::count(taken_, peer, &Taken::peer);
    if (static_cast<std::size_t>(his) >= of_peer_) return false;
    taken_.push_back({peer, now});
    return true;
  }

 private:
  struct Taken {
    codec::PeerId peer;
    TimePoint when;
  };

  std::size_t all_;
  std::size_t of_peer_;
  std::deque<Taken> taken_;  // oldest first
};

}  // namespace oc::p2p
