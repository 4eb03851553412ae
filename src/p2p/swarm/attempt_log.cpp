#include "p2p/swarm/attempt_log.hpp"

#include <algorithm>

namespace oc::p2p {

void AttemptLog::add(const codec::PeerId& peer, Attempt attempt) {
  if (table_.size() >= kMaxLoggedPeers && !table_.contains(peer)) make_room();
  Entry& entry = table_[peer];
  entry.last = attempt.started + attempt.took;
  entry.attempts.push_back(std::move(attempt));
  if (entry.attempts.size() > kMaxLoggedAttempts) entry.attempts.pop_front();
}

void AttemptLog::make_room() {
  table_.erase(
      std::ranges::min_element(table_, {}, [](const auto& entry) { return entry.second.last; }));
}

std::vector<Attempt> AttemptLog::of(const codec::PeerId& peer) const {
  const auto found = table_.find(peer);
  if (found == table_.end()) return {};
  return {found->second.attempts.rbegin(), found->second.attempts.rend()};
}

LoggedAttempt::LoggedAttempt(AttemptLog& log, Clock& clock, codec::PeerId peer,
                             codec::Multiaddr address, Origin how)
    : log_(log), clock_(clock), peer_(std::move(peer)) {
  attempt_.address = std::move(address);
  attempt_.how = how;
  attempt_.started = clock.now();
  attempt_.outcome = Errc::cancelled;
}

LoggedAttempt::~LoggedAttempt() {
  attempt_.took = clock_.now() - attempt_.started;
  log_.add(peer_, std::move(attempt_));
}

}  // namespace oc::p2p
