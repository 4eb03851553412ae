#include "p2p/protocols/identify/push_queue.hpp"

#include <algorithm>

namespace oc::p2p {

void PushQueue::disconnected(ConnectionId id) {
  auto found = peers_.find(id);
  if (found == peers_.end()) return;
  if (found->second.queued) std::erase(queue_, id);
  if (found->second.under_way) --under_way_;
  peers_.erase(found);
}

void PushQueue::changed() {
  ++state_;
  for (auto& [id, peer] : peers_) consider(id, peer);
}

void PushQueue::told(ConnectionId id) {
  if (auto found = peers_.find(id); found != peers_.end()) found->second.told = state_;
}

void PushQueue::takes_pushes(ConnectionId id, bool takes) {
  auto found = peers_.find(id);
  if (found == peers_.end()) return;
  found->second.takes = takes;
  consider(id, found->second);
}

void PushQueue::consider(ConnectionId id, Peer& peer) {
  if (!peer.takes || peer.told == state_ || peer.queued || peer.under_way) return;
  peer.queued = true;
  queue_.push_back(id);
}

std::optional<ConnectionId> PushQueue::next() {
  while (under_way_ < kMaxPushesAtOnce && !queue_.empty()) {
    const ConnectionId id = queue_.front();
    queue_.pop_front();
    Peer& peer = peers_.at(id);
    peer.queued = false;
    if (!peer.takes || peer.told == state_) continue;
    // Should it fail, the next change is told: a connection that is ending takes no pushes at all.
    peer.told = state_;
    peer.under_way = true;
    ++under_way_;
    return id;
  }
  return std::nullopt;
}

void PushQueue::done(ConnectionId id) {
  auto found = peers_.find(id);
  if (found == peers_.end() || !found->second.under_way) return;
  found->second.under_way = false;
  --under_way_;
  consider(id, found->second);
}

}  // namespace oc::p2p
