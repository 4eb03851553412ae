#include "overlay/attempt_limiter.hpp"

#include <algorithm>

namespace oc::overlay {

void AttemptLimiter::forget_old(std::deque<TimePoint>& times, TimePoint now) const {
  while (!times.empty() && now - times.front() >= window_) times.pop_front();
}

bool AttemptLimiter::allowed(const std::string& key, TimePoint now) {
  auto found = table_.find(key);
  if (found == table_.end()) return true;
  forget_old(found->second, now);
  if (found->second.empty()) {
    table_.erase(found);
    return true;
  }
  return found->second.size() < failures_;
}

void AttemptLimiter::failed(const std::string& key, TimePoint now) {
  if (table_.size() >= keys_ && !table_.contains(key)) {
    const auto oldest =
        std::ranges::min_element(table_, {}, [](const auto& entry) { return entry.second.back(); });
    table_.erase(oldest);
  }
  auto& times = table_[key];
  times.push_back(now);
  if (times.size() > failures_) times.pop_front();
}

}  // namespace oc::overlay
