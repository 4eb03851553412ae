// ReachabilityProber: keeps Reachability up to date by asking connected servers of AutoNAT v2.
#pragma once

#include <functional>

#include "p2p/nat/nat_mapping.hpp"
#include "p2p/nat/reachability.hpp"
#include "p2p/protocols/autonat/autonat_client.hpp"

namespace oc::p2p {

// Addresses and servers are looked at this often.
inline constexpr Duration kProberTick = std::chrono::seconds(1);

// Gives this host's addresses, best first, without /p2p.
using OwnAddresses = std::function<std::vector<OwnAddress>()>;

// Thread: the network thread. Lifetime: the client and the swarm outlive it; closed before them.
class ReachabilityProber {
 public:
  ReachabilityProber(Swarm& swarm, AutonatClient& client, Clock& clock, Random& random);

  // Once; until then nothing is known of any address.
  void start(OwnAddresses addresses);
  awaitable<void> close();

  // This machine moved to another network: see Reachability::network_changed().
  void network_changed() { reachability_.network_changed(clock_.now()); }

  Reachability& reachability() { return reachability_; }
  const Reachability& reachability() const { return reachability_; }
  // From what peers that are connected now said of us.
  NatMappingFinding nat_mapping() const;

 private:
  awaitable<void> run(OwnAddresses addresses);
  awaitable<void> probe(ReachabilityProbe probe, ConnectionPtr server);
  // One for each peer whose best connection it is; of strangers those alone that were dialed.
  std::vector<ReachabilityServer> servers() const;

  Swarm& swarm_;
  AutonatClient& client_;
  Clock& clock_;
  Reachability reachability_;
  TaskScope tasks_;
};

}  // namespace oc::p2p
