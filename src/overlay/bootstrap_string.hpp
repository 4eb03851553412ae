// The bootstrap string: base64 of a node's identity as JSON, by which a new node finds its first
// peer.
//
//   {"id":"<peer id>","connect_multiadress":["/ip4/203.0.113.7/tcp/1985/p2p/<peer id>",…]}
//
// That is what encode_bootstrap writes. decode_bootstrap takes {"name":…,"addresses":[…]} as well:
// there the addresses say who the peer is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fault.hpp"
#include "codec/multiaddr.hpp"
#include "codec/peer_id.hpp"

namespace oc::overlay {

// Bounds of both directions. 64 addresses of usual length are about 6 KiB of base64.
inline constexpr std::size_t kMaxBootstrapText = 16 * 1024;
inline constexpr std::size_t kMaxBootstrapAddresses = 64;

struct BootstrapPeer {
  codec::PeerId id;
  std::vector<codec::Multiaddr> addresses;  // each ends in /p2p/<id>

  bool operator==(const BootstrapPeer&) const = default;
};

// Whether an address can be dialed in principle: it names a host and a port that is not 0 (or is a
// /dnsaddr, which stands for such addresses).
bool names_endpoint(const codec::Multiaddr& address);

// Standard base64 with padding, on one line. Addresses that do not fit the bounds are left out from
// the end, so put the best ones first.
std::string encode_bootstrap(const BootstrapPeer& peer);

// Accepts white space anywhere, missing padding, and both alphabets of base64. An address without
// /p2p is completed; one that names no endpoint, or is of a protocol that this version does not
// know, is skipped; one that names another peer, or is no multiaddr, is an error, and so is a
// string that leaves no address. All errors are FaultCode::bad_bootstrap_string.
Outcome<BootstrapPeer> decode_bootstrap(std::string_view text);

}  // namespace oc::overlay
