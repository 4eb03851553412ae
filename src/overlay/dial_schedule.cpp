#include "overlay/dial_schedule.hpp"

#include <algorithm>

namespace oc::overlay {

bool DialSchedule::due(const codec::PeerId& peer, TimePoint now) const {
  auto found = table_.find(peer);
  return found == table_.end() || found->second.next <= now;
}

void DialSchedule::failed(const codec::PeerId& peer, TimePoint now) {
  Entry& entry = table_[peer];
  const Duration delay = std::min(kLastRetry, kFirstRetry * (1 << std::min(entry.failures, 10)));
  ++entry.failures;
  // Between three and five quarters, so that nodes that lost the same peer do not come back as one.
  const auto percent = static_cast<std::int64_t>(75 + random_.below(51));
  entry.next = now + delay * percent / 100;
}

void DialSchedule::heard(const codec::PeerId& peer, TimePoint at) {
  const auto [entry, first] = table_.try_emplace(peer);
  entry->second.failures = 0;
  entry->second.next = first ? at : std::min(entry->second.next, at);
}

void DialSchedule::refused(const codec::PeerId& peer, TimePoint now) {
  table_[peer].next = now + kRefusedRetry;
}

}  // namespace oc::overlay
