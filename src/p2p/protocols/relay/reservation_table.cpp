#include "p2p/protocols/relay/reservation_table.hpp"

#include <algorithm>

namespace oc::p2p {

std::optional<TimePoint> ReservationTable::reserve(const codec::PeerId& peer, bool member,
                                                   const std::string& source, TimePoint now) {
  std::erase_if(entries_, [now](const auto& entry) { return entry.second.until <= now; });
  // The own old place counts as free.
  const auto old = entries_.extract(peer);
  if (!has_room(member, source)) {
    if (!old.empty()) entries_.emplace(peer, old.mapped());
    return std::nullopt;
  }
  const TimePoint until = now + limits_.lifetime;
  entries_[peer] = {member, source, until};
  return until;
}

bool ReservationTable::has(const codec::PeerId& peer, TimePoint now) const {
  const auto found = entries_.find(peer);
  return found != entries_.end() && found->second.until > now;
}

bool ReservationTable::has_room(bool member, const std::string& source) const {
  const auto count = [this](auto of_kind) {
    return static_cast<std::size_t>(std::ranges::count_if(
        entries_, [&of_kind](const auto& entry) { return of_kind(entry.second); }));
  };
  if (member) return count([](const Entry& entry) { return entry.member; }) < limits_.members;
  return count([](const Entry& entry) { return !entry.member; }) < limits_.strangers &&
         count([&source](const Entry& entry) { return !entry.member && entry.source == source; }) <
             limits_.strangers_of_source;
}

}  // namespace oc::p2p
