// TokenBucket: lets a thing happen once an interval, and a few times at once after a pause. Pure
// state.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace oc {

class TokenBucket {
 public:
  // Starts full, with `burst` tokens (at least one); one comes back every `interval`.
  TokenBucket(Duration interval, int burst) : interval_(interval), burst_(burst) {}

  // Takes a token; false when there is none.
  bool take(TimePoint now) {
    if (wait(now) > Duration{0}) return false;
    full_at_ = std::max(full_at_, now) + interval_;
    return true;
  }

  // How long it takes until there is a token; zero when there is one.
  Duration wait(TimePoint now) const {
    return std::max(Duration{0}, full_at_ - now - interval_ * (burst_ - 1));
  }

 private:
  Duration interval_;
  int burst_;
  TimePoint full_at_{};
};

}  // namespace oc
