// NatMapping: what the addresses under which peers see this host tell of the NAT before it.
// A pure function.
//
// The words are RFC 4787's (section 4.1), for TCP (RFC 5382): a NAT whose mapping is independent of
// the endpoint shows the same outer address and port to everybody who is called from one inner
// port. Only calls from the port that is listened on count, since that is the port that others
// would have to come to; and of calls that came in, those that show that nothing is translated.
#pragma once

#include <string_view>
#include <vector>

#include "codec/multiaddr.hpp"

namespace oc::p2p {

enum class NatMapping {
  unknown,               // too few observers on the internet: two, at different addresses
  none,                  // they see our own address
  endpoint_independent,  // all see the same outer address and port
  address_dependent      // they see different ones
};
std::string_view to_text(NatMapping mapping);

// How one connection looks from its other end. Ours is at a port that is listened on.
struct ObserverView {
  codec::Multiaddr remote;    // the observer
  codec::Multiaddr local;     // our end
  codec::Multiaddr observed;  // our end as it says
  bool outbound = true;       // we called
};

struct NatMappingFinding {
  NatMapping mapping = NatMapping::unknown;
  std::size_t observers = 0;  // different addresses of the internet that were looked at
};

// Views whose observer is not on the internet, or whose parts are no plain TCP, are passed over.
NatMappingFinding find_nat_mapping(const std::vector<ObserverView>& views);

}  // namespace oc::p2p
