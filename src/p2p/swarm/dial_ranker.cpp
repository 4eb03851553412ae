#include "p2p/swarm/dial_ranker.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace oc::p2p {
namespace {

using codec::AddressScope;
using codec::Multiaddr;

enum class Kind { loopback, lan, public_internet, circuit };
constexpr std::size_t kKinds = 4;

Kind kind_of(const Multiaddr& address) {
  if (address.has(codec::Protocol::p2p_circuit)) return Kind::circuit;
  switch (address.scope()) {
    case AddressScope::loopback: return Kind::loopback;
    case AddressScope::link_local:
    case AddressScope::private_use:
    case AddressScope::shared_cgnat: return Kind::lan;
    default: return Kind::public_internet;
  }
}

bool is_v6(const Multiaddr& address) {
  const codec::Protocol first = address.components().front().code;
  return first == codec::Protocol::ip6 || first == codec::Protocol::ip6zone;
}

std::vector<Multiaddr> alternate_families(const std::vector<Multiaddr>& addresses) {
  std::vector<Multiaddr> v6, v4, out;
  for (const Multiaddr& address : addresses) (is_v6(address) ? v6 : v4).push_back(address);
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) out.push_back(v6[i]);
    if (i < v4.size()) out.push_back(v4[i]);
  }
  if (out.size() > kMaxDialAddressesOfKind) out.resize(kMaxDialAddressesOfKind);
  return out;
}

}  // namespace

std::vector<RankedAddress> rank_addresses(const std::vector<Multiaddr>& addresses,
                                          const Dialable& dialable) {
  std::array<std::vector<Multiaddr>, kKinds> kinds;
  std::set<Multiaddr> seen;
  for (const Multiaddr& address : addresses) {
    const Multiaddr bare = address.without_peer();
    if (!bare.empty() && dialable(bare) && seen.insert(bare).second) {
      kinds[static_cast<std::size_t>(kind_of(bare))].push_back(bare);
    }
  }
  std::vector<RankedAddress> out;
  Duration at{};
  for (const Kind kind : {Kind::loopback, Kind::lan, Kind::public_internet, Kind::circuit}) {
    const bool local = kind == Kind::loopback || kind == Kind::lan;
    if (kind == Kind::circuit) at = out.empty() ? Duration{} : kCircuitDialDelay;
    for (Multiaddr& address : alternate_families(kinds[static_cast<std::size_t>(kind)])) {
      out.push_back({std::move(address), at});
      at += local ? kPrivateDialDelay : kPublicDialDelay;
    }
  }
  std::ranges::stable_sort(out, {}, &RankedAddress::delay);
  return out;
}

bool is_plain_tcp(const Multiaddr& address) {
  const auto endpoint = address.tcp_endpoint();
  return endpoint && endpoint->port != 0 && address.scope() != AddressScope::unspecified;
}

}  // namespace oc::p2p
