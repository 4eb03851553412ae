#include "p2p/error.hpp"

#include <string>

namespace oc::p2p {
namespace {

class P2pCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "libp2p"; }

  std::string message(int value) const override {
    switch (static_cast<P2pErrc>(value)) {
      case P2pErrc::negotiation_failed: return "the peer speaks none of the offered protocols";
      case P2pErrc::handshake_failed: return "the security handshake failed";
      case P2pErrc::bad_certificate: return "the peer's certificate is not valid";
      case P2pErrc::wrong_peer: return "another peer answered than the one dialed";
      case P2pErrc::decrypt_failed: return "a frame could not be authenticated";
      case P2pErrc::yamux_violation: return "the peer broke the yamux protocol";
      case P2pErrc::go_away: return "the peer ended the session";
      case P2pErrc::keep_alive_failed: return "the peer stopped answering";
      case P2pErrc::streams_exhausted: return "no more streams on this connection";
      case P2pErrc::no_addresses: return "no address to dial";
      case P2pErrc::name_not_resolved: return "the name in the address could not be resolved";
      case P2pErrc::dial_to_self: return "the address leads back to this node";
      case P2pErrc::dial_backoff: return "unreachable lately, and left alone for a while";
      case P2pErrc::connection_limit: return "too many connections";
      case P2pErrc::stream_limit: return "too many streams";
      case P2pErrc::relay_refused: return "the relay does not serve this node";
      case P2pErrc::relay_full: return "the relay has no room";
      case P2pErrc::no_reservation: return "the peer has no reservation at the relay";
      case P2pErrc::relay_failed: return "the relay did not get through to the peer";
      case P2pErrc::bad_reservation: return "the relay's reservation is void";
    }
    return "unknown libp2p error " + std::to_string(value);
  }
};

}  // namespace

const boost::system::error_category& p2p_category() noexcept {
  static const P2pCategory category;
  return category;
}

}  // namespace oc::p2p
