// Peer: a libp2p host with a fresh key, and without the limits that a node has.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "p2p/host.hpp"
#include "verdict.hpp"

namespace oc::interop {

// What all peers of the process share. Borrowed, outlives them.
struct Surroundings {
  Executor executor;
  Clock& clock;
  Random& random;
  std::vector<std::string> security;  // ids of security protocols, best first
};

class Peer {
 public:
  explicit Peer(Surroundings& around, p2p::RelayOptions relay = {});

  // On the loopback address of that version of IP ("4" or "6"), or on all of version 4 ("any"), at
  // any free port.
  Verdict<void> listen(const std::string& ip);
  // Each with the peer id at its end.
  std::vector<std::string> addresses() const;

  p2p::Host& host() { return host_; }
  p2p::Swarm& swarm() { return host_.swarm(); }
  const p2p::Swarm& swarm() const { return host_.swarm(); }

 private:
  p2p::IdentifyOptions identify_options();

  p2p::Host host_;
};

// Closes them, all at once.
awaitable<void> close_all(std::vector<std::unique_ptr<Peer>>& peers);

// The name of one of the protocols that a listener serves.
std::string served(const std::string& name);

}  // namespace oc::interop
