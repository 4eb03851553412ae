// DialBackRules: which address a peer's request makes us dial, and at what price. Pure functions.
//
// Whoever asks can name anybody's address, so that a server is a reflector if it does what it is
// told (autonat-v2.md, "Amplification Attack Prevention"). So: nothing but IP and TCP, no address
// of ours, none that is not of the public internet, and for another IP address than the one we see
// the asker at, bytes in advance.
#pragma once

#include <optional>
#include <vector>

#include "codec/multiaddr.hpp"

namespace oc::p2p {

struct DialBackAsker {
  codec::PeerId peer;
  codec::Multiaddr remote;  // where we see it
  // A fellow member: addresses of the kind of local network that we see it in are dialed too.
  bool trusted = false;
};

struct DialBackGround {
  // The addresses that we listen on. Nothing at their IP addresses is dialed, and no kind of IP for
  // which there is none but loopback, or, of IPv6, none of the public internet.
  std::vector<codec::Multiaddr> own;
  // Take loopback and local addresses for public ones. For tests, which have no other.
  bool allow_local = false;
};

struct DialBackPlan {
  std::size_t index = 0;     // in the request
  codec::Multiaddr address;  // without /p2p
  bool needs_data = false;   // the IP address is not the one we see
};

// For v2: the first address of the request that may be dialed, if there is one.
std::optional<DialBackPlan> plan_dial_back(const std::vector<codec::Multiaddr>& asked,
                                           const DialBackAsker& asker,
                                           const DialBackGround& ground);

// Dials for one request of v1: enough for an IPv4 host's listeners, and soon over.
inline constexpr std::size_t kMaxV1Dials = 3;
// For v1: the requested ports, each at the IP address where we see the asker, at most kMaxV1Dials
// of them. None when that is not of the public internet.
std::vector<codec::Multiaddr> plan_v1_dials(const std::vector<codec::Multiaddr>& asked,
                                            const DialBackAsker& asker,
                                            const DialBackGround& ground);

}  // namespace oc::p2p
