// Dial ranker: which of a peer's addresses to dial, in which order and when. Pure functions.
//
//   loopback ─30 ms─ LAN ─30 ms─ … ─30 ms─ public ─250 ms─ public ─250 ms─ …
//   circuits, beside them, from 500 ms on: ─250 ms─ …
//
// Sources: RFC 8305 (happy eyeballs), where 250 ms are about a round trip; the other figures are
// go-libp2p's.
#pragma once

#include <functional>
#include <vector>

#include "base/clock.hpp"
#include "codec/multiaddr.hpp"

namespace oc::p2p {

// The next address starts so long after a public, and after a loopback or LAN one.
inline constexpr Duration kPublicDialDelay = std::chrono::milliseconds(250);
inline constexpr Duration kPrivateDialDelay = std::chrono::milliseconds(30);
// Head start of the direct addresses, when there are any, before the first circuit.
inline constexpr Duration kCircuitDialDelay = std::chrono::milliseconds(500);
// Loopback, LAN, public and circuit addresses that are dialed, of each: a machine with dozens of
// virtual interfaces must not crowd out its one address that works.
inline constexpr std::size_t kMaxDialAddressesOfKind = 8;
inline constexpr std::size_t kMaxDialAddresses = 4 * kMaxDialAddressesOfKind;

struct RankedAddress {
  codec::Multiaddr address;  // without /p2p
  Duration delay{};          // since the dial's start
};

using Dialable = std::function<bool(const codec::Multiaddr&)>;

// The addresses that `dialable` takes, each once, by delay. Within a kind IPv6 and IPv4 alternate,
// IPv6 first; else the order given is kept, so the caller's best comes first.
std::vector<RankedAddress> rank_addresses(const std::vector<codec::Multiaddr>& addresses,
                                          const Dialable& dialable);

// Whether the whole address is TCP to one host and port: /tcp/443/tls/ws is something else, a name
// is not resolved yet, port 0 and 0.0.0.0 are nowhere.
bool is_plain_tcp(const codec::Multiaddr& address);

}  // namespace oc::p2p
