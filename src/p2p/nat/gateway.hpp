// Gateway: the seam for protocols by which a router on the local link is asked to let connections
// to one of its own TCP ports through to a port of this machine.
//
// Whoever answers as a router may be anybody on the link: an answer is bounded, checked, and
// believed as far as it concerns this machine's own mapping.
#pragma once

#include <boost/asio/ip/address_v4.hpp>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/strong.hpp"

namespace oc::p2p {

enum class NatErrc {
  no_gateway = 1,  // no router on the link answered in this protocol
  port_taken,      // somebody else has the external port
  refused,         // the router does not map ports, not for us, or has no more of them
  not_connected,   // the router itself has no external address at present
  bad_reply,       // its answer breaks the protocol
};

const boost::system::error_category& nat_category() noexcept;
inline error_code make_error_code(NatErrc e) noexcept {
  return {static_cast<int>(e), nat_category()};
}

struct MappingRequest {
  Port internal;   // of this machine
  Port external;   // what is asked for; a router may give another
  Duration lease;  // whole seconds
};

struct MappingGrant {
  Port external;  // not 0
  // For how long the router keeps it; nothing: until it is removed. Not zero, and otherwise
  // whatever the router says.
  std::optional<Duration> lease;
};

// Thread: the network thread, which no call blocks. One call at a time. Errors: NatErrc, those of
// the sockets, Errc::timed_out; the time of a call is bounded by its implementation, too.
class Gateway {
 public:
  virtual ~Gateway() = default;
  // "nat-pmp", "upnp": for people and metrics.
  virtual std::string_view protocol() const = 0;

  // Finds the router, and asks for its external address. Leaves nothing behind when cancelled.
  virtual awaitable<Result<asio::ip::address_v4>> find() = 0;
  // Of the router found last. The same request again renews. Cancelled, or failed by time, it may
  // have been carried out all the same.
  virtual awaitable<Result<MappingGrant>> map(MappingRequest request) = 0;
  // Takes a mapping back. Does nothing when no router was ever found, or it has no such mapping.
  virtual awaitable<Result<void>> unmap(Port internal, Port external) = 0;
};

}  // namespace oc::p2p

template <>
struct boost::system::is_error_code_enum<oc::p2p::NatErrc> : std::true_type {};
