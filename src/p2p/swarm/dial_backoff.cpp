#include "p2p/swarm/dial_backoff.hpp"

#include <algorithm>

#include "p2p/error.hpp"

namespace oc::p2p {

bool counts_against_address(error_code error) {
  namespace errc = boost::system::errc;
  for (const auto ours :
       {errc::network_down, errc::network_unreachable, errc::address_not_available,
        errc::too_many_files_open, errc::too_many_files_open_in_system, errc::no_buffer_space,
        errc::not_enough_memory, errc::operation_canceled}) {
    if (error == ours) return false;
  }
  return error != Errc::cancelled && error != Errc::closed && error != P2pErrc::connection_limit;
}

bool DialBackoff::waits(const codec::PeerId& peer, const codec::Multiaddr& address,
                        TimePoint now) const {
  const auto found = table_.find({peer, address});
  return found != table_.end() && now < found->second.until;
}

void DialBackoff::failed(const codec::PeerId& peer, const codec::Multiaddr& address, error_code why,
                         TimePoint now) {
  if (!counts_against_address(why)) return;
  const Key key{peer, address};
  if (!table_.contains(key)) make_room(now);
  Entry& entry = table_[key];
  if (now >= entry.until + kDialBackoffMemory) entry.failures = 0;
  const int before = std::min(entry.failures, 1000);
  entry.until =
      now + std::min(kMaxDialBackoff, kDialBackoffBase + kDialBackoffFactor * before * before);
  ++entry.failures;
}

void DialBackoff::reached(const codec::PeerId& peer) {
  auto first = table_.lower_bound({peer, codec::Multiaddr()});
  auto last = first;
  while (last != table_.end() && last->first.first == peer) ++last;
  table_.erase(first, last);
}

void DialBackoff::make_room(TimePoint now) {
  if (table_.size() < kMaxDialBackoffs) return;
  std::erase_if(
      table_, [now](const auto& entry) { return now >= entry.second.until + kDialBackoffMemory; });
  if (table_.size() < kMaxDialBackoffs) return;
  table_.erase(std::ranges::min_element(table_, {}, [](const auto& e) { return e.second.until; }));
}

}  // namespace oc::p2p
