#include "node/path_text.hpp"

#include "p2p/swarm/circuit_address.hpp"

namespace oc::node {

std::string path_text(const codec::Multiaddr& remote) {
  if (const auto circuit = p2p::parse_circuit(remote)) {
    return "circuit via " + circuit->relay.to_string() + " " + circuit->relay_address.to_string();
  }
  const codec::AddressScope scope = remote.scope();
  const bool lan =
      scope == codec::AddressScope::private_use || scope == codec::AddressScope::link_local;
  return (lan ? "lan tcp " : "direct tcp ") + remote.to_string();
}

}  // namespace oc::node
