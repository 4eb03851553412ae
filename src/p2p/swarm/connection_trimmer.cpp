#include "p2p/swarm/connection_trimmer.hpp"

#include <algorithm>
#include <tuple>

namespace oc::p2p {

void ConnectionTrimmer::tag(const codec::PeerId& peer, const std::string& tag, int value) {
  tags_[peer][tag] = value;
}

void ConnectionTrimmer::untag(const codec::PeerId& peer, const std::string& tag) {
  auto found = tags_.find(peer);
  if (found == tags_.end()) return;
  found->second.erase(tag);
  if (found->second.empty()) tags_.erase(found);
}

int ConnectionTrimmer::value(const codec::PeerId& peer) const {
  int sum = 0;
  if (auto found = tags_.find(peer); found != tags_.end()) {
    for (const auto& [tag, value] : found->second) sum += value;
  }
  return sum;
}

void ConnectionTrimmer::protect(const codec::PeerId& peer, const std::string& tag) {
  protections_[peer].insert(tag);
}

void ConnectionTrimmer::unprotect(const codec::PeerId& peer, const std::string& tag) {
  auto found = protections_.find(peer);
  if (found == protections_.end()) return;
  found->second.erase(tag);
  if (found->second.empty()) protections_.erase(found);
}

bool ConnectionTrimmer::in_grace(const TrimCandidate& connection, TimePoint now) const {
  const Duration grace = connection.trusted ? options_.grace : options_.untrusted_grace;
  return now - connection.opened < grace;
}

bool ConnectionTrimmer::may_go(const TrimCandidate& connection, TimePoint now) const {
  const bool in_use = connection.trusted && connection.streams != 0;
  return !in_use && !in_grace(connection, now) && !is_protected(connection.peer);
}

std::vector<ConnectionId> ConnectionTrimmer::choose(std::vector<TrimCandidate> connections,
                                                    TimePoint now) const {
  if (connections.size() <= options_.high_water) return {};
  std::size_t excess = connections.size() - options_.low_water;
  std::erase_if(connections, [this, now](const TrimCandidate& c) { return !may_go(c, now); });
  std::ranges::sort(connections, {}, [this](const TrimCandidate& c) {
    const bool busy = c.streams != 0;
    const bool outbound = c.direction == Direction::outbound;
    return std::tuple(c.trusted, value(c.peer), busy, outbound, ~c.id.value());
  });
  excess = std::min(excess, connections.size());
  std::vector<ConnectionId> out;
  for (std::size_t i = 0; i < excess; ++i) out.push_back(connections[i].id);
  return out;
}

std::vector<ConnectionId> ConnectionTrimmer::surplus(const codec::PeerId& self,
                                                     const std::vector<TrimCandidate>& of_peer,
                                                     TimePoint now) const {
  std::vector<ConnectionId> out;
  for (std::size_t i = 1; i < of_peer.size(); ++i) {
    const TrimCandidate& connection = of_peer[i];
    if (self < connection.peer && connection.streams == 0 && !in_grace(connection, now))
      out.push_back(connection.id);
  }
  return out;
}

}  // namespace oc::p2p
