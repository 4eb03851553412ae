// Errors of the libp2p layer.
#pragma once

#include "base/error.hpp"

namespace oc::p2p {

enum class P2pErrc {
  negotiation_failed = 1,  // the peer speaks none of the offered protocols
  handshake_failed,        // the security handshake broke its rules or did not verify
  bad_certificate,         // a TLS certificate that does not bind a peer's key as libp2p has it
  wrong_peer,              // the peer that answered is not the one that was dialed
  decrypt_failed,          // a frame's authentication tag is wrong
  yamux_violation,         // a frame that the muxer's rules forbid
  go_away,                 // the peer ended the session
  keep_alive_failed,       // the peer did not answer a ping in time
  streams_exhausted,       // no stream id or slot is left on this connection
  no_addresses,            // nothing to dial
  name_not_resolved,       // no name in the addresses to dial could be looked up
  dial_to_self,            // the address leads back to this node
  dial_backoff,            // every address failed lately and is left alone for a while
  connection_limit,        // a bound on connections is reached
  stream_limit,            // a bound on streams is reached
  relay_refused,           // the relay does not serve this node
  relay_full,              // the relay has no room
  no_reservation,          // the peer is not to be had through this relay
  relay_failed,            // the relay did not get through to the peer
  bad_reservation,         // what the relay promised is void: past, or for somebody else
};

const boost::system::error_category& p2p_category() noexcept;
inline error_code make_error_code(P2pErrc e) noexcept {
  return {static_cast<int>(e), p2p_category()};
}

}  // namespace oc::p2p

template <>
struct boost::system::is_error_code_enum<oc::p2p::P2pErrc> : std::true_type {};
