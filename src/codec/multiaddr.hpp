// Multiaddr: a self-describing network address, "/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…".
//
// Source: multiformats/multiaddr (specification and protocols.csv); libp2p/specs addressing. The
// binary form is a sequence of uvarint code and value; text and bytes convert both ways without
// loss, except that text is normalised ("/ipfs/Qm…" becomes "/p2p/Qm…", IPv6 its shortest form).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "codec/multiaddr_protocols.hpp"
#include "codec/peer_id.hpp"

namespace oc::codec {

// Where a TCP socket can be: what is left of /ip4/…/tcp/… or [/ip6zone/…]/ip6/…/tcp/….
struct TcpEndpoint {
  bool v6 = false;
  FixedBytes<16> address{};  // network order; IPv4 uses the first four bytes
  std::string zone;          // IPv6 zone (interface name or index), mostly empty
  std::uint16_t port = 0;

  bool operator==(const TcpEndpoint&) const = default;
};

// From where an address can be reached. Addresses for documentation count as public: tests build
// their internets of them.
enum class AddressScope {
  loopback,         // 127.0.0.0/8, ::1, the name "localhost" and what ends in ".localhost"
  link_local,       // 169.254.0.0/16, fe80::/10, names that end in ".local"
  private_use,      // RFC 1918, fc00::/7, fec0::/10
  shared_cgnat,     // 100.64.0.0/10 (RFC 6598)
  unspecified,      // 0.0.0.0/8, ::/96 but ::1, multicast, broadcast, reserved: names no host
  public_internet,  // anything else, other names included: they say nothing before resolution
};

// An immutable value; always valid, possibly empty (default-constructed: "no address").
class Multiaddr {
 public:
  // What is longer is refused, before it is looked at.
  static constexpr std::size_t kMaxBytes = 2048;
  static constexpr std::size_t kMaxText = 4096;
  // Well above what transports stack on each other (a circuit over WSS has ten).
  static constexpr std::size_t kMaxComponents = 32;

  // One step of an address; `value` is borrowed from the Multiaddr and has no length prefix.
  struct Component {
    Protocol code;
    BytesView value;
  };

  Multiaddr() = default;

  // Errors of both: Errc::malformed, ::truncated, ::unsupported (a protocol not in the table of
  // multiaddr_protocols.hpp), ::limit_exceeded. An empty input is malformed.
  static Result<Multiaddr> parse(std::string_view text);
  static Result<Multiaddr> from_bytes(BytesView bytes);
  // A zone is only for IPv6, and is a name without slash, space or control characters (asserted).
  static Multiaddr from_tcp(const TcpEndpoint& endpoint);

  // Always printable UTF-8, whoever made the address.
  std::string to_string() const;
  const Bytes& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

  // The steps, outermost first. They borrow, so a temporary has none.
  std::vector<Component> components() const&;
  std::vector<Component> components() && = delete;
  bool has(Protocol code) const;

  // The endpoint, only if the address is exactly /ip4|ip6/tcp or /ip6zone/ip6/tcp, with or without
  // /p2p behind it: anything else (circuits, WebSocket, TLS) is not dialed as plain TCP.
  std::optional<TcpEndpoint> tcp_endpoint() const;

  // The peer of the last step, if that is /p2p: who is reached, never the relay on the way.
  std::optional<PeerId> peer_id() const;
  // This address with /p2p/<peer> as the last step, instead of one that is there. `peer` is not
  // empty (asserted). Of an address at the bounds above the result exceeds them by that step.
  Multiaddr with_peer(const PeerId& peer) const;
  // This address without a last step /p2p.
  Multiaddr without_peer() const;
  // Both one behind the other; Errc::limit_exceeded when that is too long.
  Result<Multiaddr> concat(const Multiaddr& inner) const;

  // By the first IP address or DNS name in it; for a circuit that is the relay's. An IPv6 address
  // that carries an IPv4 address (mapped, NAT64, 6to4) has that one's scope.
  AddressScope scope() const;

  auto operator<=>(const Multiaddr&) const = default;

 private:
  explicit Multiaddr(Bytes bytes) : bytes_(std::move(bytes)) {}

  Bytes bytes_;
};

}  // namespace oc::codec

template <>
struct std::hash<oc::codec::Multiaddr> {
  std::size_t operator()(const oc::codec::Multiaddr& address) const noexcept {
    return std::hash<std::string_view>{}(oc::as_text(address.bytes()));
  }
};
