#include "overlay/candidates.hpp"

#include <algorithm>

namespace oc::overlay {

bool Candidates::add(const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses,
                     TimePoint now) {
  std::erase_if(table_,
                [now](const auto& entry) { return now - entry.second.heard > kCandidateLifetime; });
  if (table_.size() >= kMaxCandidates && !table_.contains(peer)) return false;
  if (addresses.size() > kMaxCandidateAddresses) addresses.resize(kMaxCandidateAddresses);
  const auto [at, is_new] = table_.try_emplace(peer);
  Entry& entry = at->second;
  if (is_new) entry.next = now;
  entry.addresses = std::move(addresses);
  entry.heard = now;
  return true;
}

std::vector<codec::PeerId> Candidates::due(TimePoint now) const {
  std::vector<codec::PeerId> out;
  for (const auto& [peer, entry] : table_) {
    if (entry.next <= now) out.push_back(peer);
  }
  std::ranges::stable_sort(out, {}, [this](const auto& peer) { return table_.at(peer).next; });
  return out;
}

bool Candidates::take(const codec::PeerId& peer, TimePoint now) {
  const auto found = table_.find(peer);
  if (found == table_.end() || found->second.next > now || !dials_.take(now)) return false;
  Entry& entry = found->second;
  entry.next =
      now + std::min(kLastCandidateRetry, kFirstCandidateRetry * (1 << std::min(entry.tries, 10)));
  ++entry.tries;
  return true;
}

void Candidates::refused(const codec::PeerId& peer, TimePoint now) {
  const auto found = table_.find(peer);
  if (found != table_.end()) found->second.next = now + kRefusedCandidateRetry;
}

std::vector<codec::Multiaddr> Candidates::addresses_of(const codec::PeerId& peer) const {
  const auto found = table_.find(peer);
  return found == table_.end() ? std::vector<codec::Multiaddr>() : found->second.addresses;
}

}  // namespace oc::overlay
