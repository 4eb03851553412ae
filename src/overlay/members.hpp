// Members: who has proved what on which connection, and the records of each network.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "overlay/network.hpp"
#include "overlay/record_book.hpp"
#include "p2p/swarm/swarm.hpp"

namespace oc::overlay {

// Networks one node may be in.
inline constexpr std::size_t kMaxNetworks = 32;

// Thread: the network thread.
class Members {
 public:
  explicit Members(p2p::Swarm& swarm) : swarm_(swarm) {}

  // Errc::already_exists, Errc::limit_exceeded.
  Result<void> join(Network network);
  const std::map<NetworkId, Network>& networks() const { return networks_; }
  const Network* find(const NetworkId& id) const;
  const Network* find(const NetworkName& name) const;

  RecordBook& book(const NetworkId& id) { return books_[id]; }
  const RecordBook* find_book(const NetworkId& id) const;
  // The newest record of a peer in any network.
  const SealedRecord* find_record(const codec::PeerId& peer) const;

  // The peer of this connection has proved that it knows the network's password, on it. False when
  // it is closed, or is now, because there is no room for another trusted one.
  bool proved(const p2p::ConnectionPtr& connection, const NetworkId& network);
  void forget(const p2p::Connection& connection);
  bool is_member(const p2p::Connection& connection, const NetworkId& network) const;
  bool is_member(const p2p::Connection& connection) const;
  std::vector<NetworkId> proved_on(const p2p::Connection& connection) const;

  // The connection to use for a member: alive, proved, and of those the best
  // (p2p::preferred). Null when there is none.
  p2p::ConnectionPtr connection_to(const codec::PeerId& peer, const NetworkId& network) const;
  p2p::ConnectionPtr connection_to(const codec::PeerId& peer) const;
  // connection_to() each member of the network that is connected.
  std::vector<p2p::ConnectionPtr> connected(const NetworkId& network) const;

  // Waits until something was proved or a connection was lost.
  awaitable<Result<void>> wait_for_change();

  // Called when a peer becomes reachable as a member of a network, and when its last such
  // connection is gone.
  std::function<void(const codec::PeerId&, const NetworkId&, bool online)> on_change =
      [](const codec::PeerId&, const NetworkId&, bool) {};

 private:
  void wake_waiters();

  p2p::Swarm& swarm_;
  std::map<NetworkId, Network> networks_;
  std::map<NetworkId, RecordBook> books_;
  std::map<p2p::ConnectionId, std::set<NetworkId>> proofs_;
  std::vector<Event*> waiters_;
};

}  // namespace oc::overlay
