// The address of a circuit: "<relay's address>/p2p/<relay>/p2p-circuit", and behind it perhaps the
// /p2p of who is reached (libp2p/specs relay/circuit-v2.md).
#pragma once

#include <optional>

#include "codec/multiaddr.hpp"

namespace oc::p2p {

struct CircuitAddress {
  codec::PeerId relay;
  codec::Multiaddr relay_address;  // without /p2p; empty: wherever the relay is connected
};

// Nothing for any other address, and for a circuit through a circuit, which no relay carries.
std::optional<CircuitAddress> parse_circuit(const codec::Multiaddr& address);

// Without the /p2p of who is reached. `relay_address` with or without the relay's /p2p.
codec::Multiaddr make_circuit(const codec::Multiaddr& relay_address, const codec::PeerId& relay);

}  // namespace oc::p2p
