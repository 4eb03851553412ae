#include "overlay/mesh.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "p2p/error.hpp"

namespace oc::overlay {

Mesh::Mesh(p2p::Swarm& swarm, const Members& members, Clock& clock, Random& random, Seen seen)
    : swarm_(swarm),
      members_(members),
      clock_(clock),
      random_(random),
      seen_(std::move(seen)),
      schedule_(random),
      tasks_(swarm.executor()) {}

bool Mesh::add_bootstrap(const BootstrapPeer& peer) {
  if (peer.id == swarm_.self()) return false;
  if (bootstrap_.size() >= kMaxBootstrapPeers && !bootstrap_.contains(peer.id)) return false;
  bootstrap_[peer.id] = peer;
  schedule_.reset(peer.id);
  return true;
}

bool Mesh::add_candidate(const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses) {
  return peer != swarm_.self() && candidates_.add(peer, std::move(addresses), clock_.now());
}

bool Mesh::is_expected(const codec::PeerId& peer) const {
  return bootstrap_.contains(peer) || members_.find_record(peer) != nullptr;
}

bool Mesh::is_known(const codec::PeerId& peer) const {
  return bootstrap_.contains(peer) || seen_(peer);
}

std::vector<codec::Multiaddr> Mesh::addresses_of(const codec::PeerId& peer) const {
  std::vector<codec::Multiaddr> out;
  if (auto found = bootstrap_.find(peer); found != bootstrap_.end()) {
    for (const auto& address : found->second.addresses) out.push_back(address.without_peer());
  }
  if (const SealedRecord* record = members_.find_record(peer)) {
    for (const auto& address : record->record.addresses) out.push_back(address.without_peer());
  }
  for (auto& address : candidates_.addresses_of(peer)) out.push_back(std::move(address));
  return out;
}

void Mesh::heard(const codec::PeerId& peer) {
  if (members_.connection_to(peer) != nullptr) return;
  const Duration wait = swarm_.self() < peer ? Duration{} : kPoliteness;
  schedule_.heard(peer, clock_.now() + wait);
}

void Mesh::refused(const codec::PeerId& peer) {
  if (is_expected(peer)) {
    schedule_.refused(peer, clock_.now());
  } else {
    candidates_.refused(peer, clock_.now());
  }
}

void Mesh::disconnected(const p2p::Connection& connection, bool was_member) {
  const codec::PeerId& peer = connection.peer();
  if (was_member) {
    schedule_.reset(peer);
  } else if (connection.facts().direction == p2p::Direction::outbound && is_expected(peer) &&
             schedule_.due(peer, clock_.now())) {
    // It ended before anything was proved, and not for a refusal, which has a wait of its own.
    schedule_.failed(peer, clock_.now());
  }
}

void Mesh::forget_unexpected() {
  const auto expected = [this](const codec::PeerId& peer) { return is_expected(peer); };
  schedule_.keep_only(expected);
  std::erase_if(unreachable_, [&](const auto& entry) { return !expected(entry.first); });
}

std::set<codec::PeerId> Mesh::wanted_peers() const {
  std::set<codec::PeerId> wanted;
  for (const auto& [id, network] : members_.networks()) {
    const RecordBook* book = members_.find_book(id);
    const bool enough = members_.connected(id).size() >= kSmallNetwork;
    for (const auto& [peer, record] : book->all()) {
      if (enough) break;
      if (peer != swarm_.self() && members_.connection_to(peer, id) == nullptr) wanted.insert(peer);
    }
  }
  for (const auto& [peer, entry] : bootstrap_) {
    if (!members_.networks().empty() && members_.connection_to(peer) == nullptr)
      wanted.insert(peer);
  }
  return wanted;
}

awaitable<void> Mesh::keep_connected() {
  for (;;) {
    dial_wanted();
    dial_candidates();
    if (auto slept = co_await clock_.sleep_for(kMeshTick); !slept) co_return;
  }
}

void Mesh::dial_wanted() {
  const TimePoint now = clock_.now();
  const std::set<codec::PeerId> wanted = wanted_peers();
  std::vector<codec::PeerId> peers(wanted.begin(), wanted.end());
  // From a random one on: in a large network each node then has other neighbours, and peers that
  // are gone do not keep us from trying the rest.
  if (!peers.empty()) {
    const auto first = static_cast<std::ptrdiff_t>(random_.below(peers.size()));
    std::rotate(peers.begin(), peers.begin() + first, peers.end());
  }
  std::ranges::stable_partition(peers, [this](const auto& peer) { return is_known(peer); });
  auto hearsay = static_cast<std::size_t>(
      std::ranges::count_if(dialing_, [this](const auto& peer) { return !is_known(peer); }));
  for (const codec::PeerId& peer : peers) {
    if (dialing_.size() >= kMaxDialsAtOnce) return;
    if (dialing_.contains(peer) || !schedule_.due(peer, now) || addresses_of(peer).empty())
      continue;
    if (!is_known(peer)) {
      if (hearsay >= kMaxHearsayDials || !hearsay_.take(now)) return;
      ++hearsay;
    }
    tasks_.spawn("dial member", dial_one(peer));
  }
}

void Mesh::dial_candidates() {
  if (members_.networks().empty()) return;
  const TimePoint now = clock_.now();
  auto dialing = static_cast<std::size_t>(
      std::ranges::count_if(dialing_, [this](const auto& peer) { return !is_expected(peer); }));
  for (const codec::PeerId& peer : candidates_.due(now)) {
    if (dialing >= kMaxCandidateDials || dialing_.size() >= kMaxDialsAtOnce) return;
    if (is_expected(peer) || dialing_.contains(peer) || swarm_.connection_to(peer) != nullptr)
      continue;
    if (!candidates_.take(peer, now)) return;
    ++dialing;
    tasks_.spawn("dial candidate", dial_one(peer));
  }
}

awaitable<void> Mesh::dial_one(codec::PeerId peer) {
  struct Dialing {
    std::set<codec::PeerId>& set;
    codec::PeerId peer;
    ~Dialing() { set.erase(peer); }
  } dialing{dialing_, peer};
  dialing_.insert(peer);
  // A connection on which the proof is still under way, or failed, needs no second one.
  if (swarm_.connection_to(peer) != nullptr) co_return;
  auto connection = co_await dial(peer);
  if (!connection) {
    log::debug("cannot reach {}: {}", peer.to_string(), connection.error().message());
  }
}

awaitable<Result<p2p::ConnectionPtr>> Mesh::dial(codec::PeerId peer) {
  // The schedule lets a peer be dialed again sooner than the swarm's back-off would: it is meant to
  // be there, and may be back any moment.
  const bool expected = is_expected(peer);
  const p2p::DialOptions options{.force = expected && schedule_.due(peer, clock_.now())};
  auto connection = co_await swarm_.dial(peer, addresses_of(peer), options);
  if (connection) {
    unreachable_.erase(peer);
    co_return connection;
  }
  if (!expected) co_return connection.error();
  // Of many who waited for one dial the first counts its failure.
  if (schedule_.due(peer, clock_.now())) schedule_.failed(peer, clock_.now());
  if (connection.error() != p2p::P2pErrc::dial_backoff) unreachable_[peer] = connection.error();
  const auto reason = unreachable_.find(peer);
  co_return reason == unreachable_.end() ? connection.error() : reason->second;
}

}  // namespace oc::overlay
