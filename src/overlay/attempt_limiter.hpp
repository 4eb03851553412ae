// AttemptLimiter: how many failures somebody may have within a time. Pure state.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "base/clock.hpp"

namespace oc::overlay {

class AttemptLimiter {
 public:
  // At most `failures` within `window`. Remembers up to `keys` keys; when full, the oldest entry
  // goes.
  AttemptLimiter(std::size_t failures, Duration window, std::size_t keys = 4096)
      : failures_(failures), window_(window), keys_(keys) {}

  bool allowed(const std::string& key, TimePoint now);
  void failed(const std::string& key, TimePoint now);

 private:
  void forget_old(std::deque<TimePoint>& times, TimePoint now) const;

  std::size_t failures_;
  Duration window_;
  std::size_t keys_;
  std::map<std::string, std::deque<TimePoint>> table_;
};

}  // namespace oc::overlay
