#include "overlay/members.hpp"

namespace oc::overlay {

Result<void> Members::join(Network network) {
  if (networks_.contains(network.id)) return Errc::already_exists;
  if (networks_.size() >= kMaxNetworks) return Errc::limit_exceeded;
  books_[network.id];
  networks_.emplace(network.id, std::move(network));
  return success();
}

const Network* Members::find(const NetworkId& id) const {
  auto found = networks_.find(id);
  return found == networks_.end() ? nullptr : &found->second;
}

const Network* Members::find(const NetworkName& name) const {
  for (const auto& [id, network] : networks_) {
    if (network.name == name) return &network;
  }
  return nullptr;
}

const RecordBook* Members::find_book(const NetworkId& id) const {
  auto found = books_.find(id);
  return found == books_.end() ? nullptr : &found->second;
}

const SealedRecord* Members::find_record(const codec::PeerId& peer) const {
  const SealedRecord* best = nullptr;
  for (const auto& [id, book] : books_) {
    const SealedRecord* record = book.find(peer);
    if (record != nullptr && (best == nullptr || record->record.seq > best->record.seq))
      best = record;
  }
  return best;
}

bool Members::proved(const p2p::ConnectionPtr& connection, const NetworkId& network) {
  if (!connection->alive() || !connection->trust()) return false;
  const bool was_online = connection_to(connection->peer(), network) != nullptr;
  proofs_[connection->facts().id].insert(network);
  wake_waiters();
  if (!was_online) on_change(connection->peer(), network, true);
  return true;
}

void Members::forget(const p2p::Connection& connection) {
  auto found = proofs_.find(connection.facts().id);
  if (found != proofs_.end()) {
    const std::set<NetworkId> networks = std::move(found->second);
    proofs_.erase(found);
    for (const NetworkId& network : networks) {
      if (connection_to(connection.peer(), network) == nullptr)
        on_change(connection.peer(), network, false);
    }
  }
  wake_waiters();
}

bool Members::is_member(const p2p::Connection& connection, const NetworkId& network) const {
  auto found = proofs_.find(connection.facts().id);
  return found != proofs_.end() && found->second.contains(network);
}

bool Members::is_member(const p2p::Connection& connection) const {
  return proofs_.contains(connection.facts().id);
}

std::vector<NetworkId> Members::proved_on(const p2p::Connection& connection) const {
  auto found = proofs_.find(connection.facts().id);
  if (found == proofs_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

p2p::ConnectionPtr Members::connection_to(const codec::PeerId& peer,
                                          const NetworkId& network) const {
  for (const auto& connection : swarm_.connections_to(peer)) {
    if (connection->alive() && is_member(*connection, network)) return connection;
  }
  return nullptr;
}

p2p::ConnectionPtr Members::connection_to(const codec::PeerId& peer) const {
  for (const auto& connection : swarm_.connections_to(peer)) {
    if (connection->alive() && is_member(*connection)) return connection;
  }
  return nullptr;
}

std::vector<p2p::ConnectionPtr> Members::connected(const NetworkId& network) const {
  std::vector<p2p::ConnectionPtr> out;
  std::set<codec::PeerId> seen;
  for (const auto& connection : swarm_.connections()) {
    if (!seen.insert(connection->peer()).second) continue;
    if (auto best = connection_to(connection->peer(), network)) out.push_back(std::move(best));
  }
  return out;
}

awaitable<Result<void>> Members::wait_for_change() {
  Event change;
  struct Waiting {
    std::vector<Event*>& list;
    Event& event;
    ~Waiting() { std::erase(list, &event); }
  } waiting{waiters_, change};
  waiters_.push_back(&change);
  co_return co_await change.wait();
}

void Members::wake_waiters() {
  for (Event* waiter : std::exchange(waiters_, {})) waiter->set();
}

}  // namespace oc::overlay
