// Mesh: keeps the node connected to the members of its networks, and knows where they may be.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/token_bucket.hpp"
#include "overlay/bootstrap_string.hpp"
#include "overlay/candidates.hpp"
#include "overlay/dial_schedule.hpp"
#include "overlay/members.hpp"

namespace oc::overlay {

// Every member is kept connected up to so many; in a larger network, as many random ones.
inline constexpr std::size_t kSmallNetwork = 64;
inline constexpr std::size_t kMaxDialsAtOnce = 8;
// Of these, dials of candidates, who may be invented.
inline constexpr std::size_t kMaxCandidateDials = 2;
// And of members of whom only a record tells: a member gone bad can invent as many as he likes, and
// where they are. So many are dialed in a row, and after that one in so long.
inline constexpr std::size_t kMaxHearsayDials = 4;
inline constexpr int kHearsayBurst = 64;
inline constexpr Duration kHearsayInterval = std::chrono::seconds(1);
inline constexpr Duration kMeshTick = std::chrono::milliseconds(250);
inline constexpr std::size_t kMaxBootstrapPeers = 64;

// Lifetime: as long as the swarm, which is closed after it. Thread: the network thread.
class Mesh {
 public:
  // Whether the peer was connected as a member once.
  using Seen = std::function<bool(const codec::PeerId&)>;

  Mesh(p2p::Swarm& swarm, const Members& members, Clock& clock, Random& random, Seen seen);

  // These two: see Overlay.
  bool add_bootstrap(const BootstrapPeer& peer);
  bool add_candidate(const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses);

  void start() { tasks_.spawn("mesh", keep_connected()); }
  awaitable<void> close() { return tasks_.close(); }

  bool is_bootstrap(const codec::PeerId& peer) const { return bootstrap_.contains(peer); }
  // Whether a record or a bootstrap string tells of the peer.
  bool is_expected(const codec::PeerId& peer) const;
  // All that is known, best first, without /p2p.
  std::vector<codec::Multiaddr> addresses_of(const codec::PeerId& peer) const;

  // Gives the connection that there is, or dials. Fails with what the last dial that was made
  // failed with.
  awaitable<Result<p2p::ConnectionPtr>> dial(codec::PeerId peer);

  // There is news about the peer.
  void heard(const codec::PeerId& peer);
  // The peer does not accept this node as a member.
  void refused(const codec::PeerId& peer);
  void disconnected(const p2p::Connection& connection, bool was_member);
  // Forgets how dials went of peers that are nobody any more.
  void forget_unexpected();

 private:
  awaitable<void> keep_connected();
  // Whether the peer is worth a dial without knowing more: not by hearsay.
  bool is_known(const codec::PeerId& peer) const;
  void dial_wanted();
  void dial_candidates();
  awaitable<void> dial_one(codec::PeerId peer);
  std::set<codec::PeerId> wanted_peers() const;

  p2p::Swarm& swarm_;
  const Members& members_;
  Clock& clock_;
  Random& random_;
  Seen seen_;
  DialSchedule schedule_;
  TokenBucket hearsay_{kHearsayInterval, kHearsayBurst};
  Candidates candidates_;
  std::map<codec::PeerId, BootstrapPeer> bootstrap_;
  std::map<codec::PeerId, error_code> unreachable_;  // why the last dial failed
  std::set<codec::PeerId> dialing_;
  TaskScope tasks_;
};

}  // namespace oc::overlay
