#include "p2p/nat/nat_mapping.hpp"

#include <map>
#include <set>

namespace oc::p2p {
namespace {

using codec::AddressScope;
using codec::Multiaddr;

constexpr std::size_t kObserversNeeded = 2;

bool counts(const ObserverView& view) {
  // Who comes in by a forwarded port tells what was forwarded, not how calls out are mapped.
  if (!view.outbound && view.observed != view.local) return false;
  return view.remote.scope() == AddressScope::public_internet && view.remote.tcp_endpoint() &&
         view.local.tcp_endpoint() && view.observed.tcp_endpoint();
}

// The address of an endpoint, without its port.
FixedBytes<16> place_of(const Multiaddr& address) { return address.tcp_endpoint()->address; }

}  // namespace

std::string_view to_text(NatMapping mapping) {
  switch (mapping) {
    case NatMapping::unknown: return "unknown";
    case NatMapping::none: return "none";
    case NatMapping::endpoint_independent: return "endpoint-independent";
    case NatMapping::address_dependent: return "address-dependent";
  }
  return "";
}

NatMappingFinding find_nat_mapping(const std::vector<ObserverView>& views) {
  std::set<FixedBytes<16>> observers;
  std::map<Multiaddr, std::set<Multiaddr>> seen_as;  // by our end
  bool translated = false;
  for (const ObserverView& view : views) {
    if (!counts(view)) continue;
    observers.insert(place_of(view.remote));
    seen_as[view.local].insert(view.observed);
    translated = translated || view.observed != view.local;
  }
  NatMappingFinding out;
  out.observers = observers.size();
  if (observers.size() < kObserversNeeded) return out;
  out.mapping = translated ? NatMapping::endpoint_independent : NatMapping::none;
  for (const auto& [local, outer] : seen_as) {
    if (outer.size() > 1) out.mapping = NatMapping::address_dependent;
  }
  return out;
}

}  // namespace oc::p2p
