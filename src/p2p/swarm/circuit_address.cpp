#include "p2p/swarm/circuit_address.hpp"

#include <algorithm>

namespace oc::p2p {
namespace {

const codec::Multiaddr& circuit_step() {
  static const codec::Multiaddr kStep = *codec::Multiaddr::parse("/p2p-circuit");
  return kStep;
}

bool is_circuit_step(const codec::Multiaddr::Component& step) {
  return step.code == codec::Protocol::p2p_circuit;
}

}  // namespace

std::optional<CircuitAddress> parse_circuit(const codec::Multiaddr& address) {
  const codec::Multiaddr whole = address.without_peer();
  const auto steps = whole.components();
  if (steps.empty() || std::ranges::count_if(steps, is_circuit_step) != 1) return std::nullopt;
  const std::size_t own = circuit_step().bytes().size();
  if (!is_circuit_step(steps.back()) || whole.bytes().size() == own) return std::nullopt;
  const auto relay =
      codec::Multiaddr::from_bytes(BytesView(whole.bytes()).first(whole.bytes().size() - own));
  if (!relay || !relay->peer_id()) return std::nullopt;
  return CircuitAddress{*relay->peer_id(), relay->without_peer()};
}

codec::Multiaddr make_circuit(const codec::Multiaddr& relay_address, const codec::PeerId& relay) {
  // Only an address at the bounds of all would be too long with these two steps.
  auto made = relay_address.with_peer(relay).concat(circuit_step());
  return made ? *std::move(made) : codec::Multiaddr();
}

}  // namespace oc::p2p
