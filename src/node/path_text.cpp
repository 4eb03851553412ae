#include "node/path_text.hpp"

#include "p2p/swarm/circuit_address.hpp"
#include "p2p/swarm/connection.hpp"

namespace oc::node {

std::string path_text(const codec::Multiaddr& remote) {
  if (const auto circuit = p2p::parse_circuit(remote)) {
    return "circuit via " + circuit->relay.to_string() + " " + circuit->relay_address.to_string();
  }
  const bool lan = p2p::path_kind(remote) == p2p::PathKind::lan;
  return (lan ? "lan tcp " : "direct tcp ") + remote.to_string();
}

}  // namespace oc::node
