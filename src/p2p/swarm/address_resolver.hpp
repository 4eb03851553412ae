// The names in a peer's addresses, turned into addresses that can be dialed:
//
//   /dns4/a.example/tcp/1985      /ip4/192.0.2.1/tcp/1985, one for each IPv4 address of the host;
//                                 /dns6 and /dns: for each IPv6, for each address
//   /dnsaddr/a.example[/p2p/X]    the addresses in the TXT records "dnsaddr=<address>" of
//                                 _dnsaddr.a.example, names in them looked up in turn
//
// Source: libp2p/specs addressing/README.md, "IP and Name Resolution".
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "codec/multiaddr.hpp"
#include "net/resolver.hpp"

namespace oc::p2p {

// A stranger's TXT records may lead anywhere: so far they are followed (the first two are go's
// bounds).
inline constexpr unsigned kMaxDnsaddrDepth = 4;            // /dnsaddr inside /dnsaddr
inline constexpr std::size_t kMaxResolvedAddresses = 100;  // what names stand for, in all
inline constexpr std::size_t kMaxLookupsOfDial = 32;       // twice the addresses of a dial
inline constexpr Duration kResolveTimeout = std::chrono::seconds(5);  // all of it

// Whether an address begins with a name to look up.
bool begins_with_name(const codec::Multiaddr& address);

// The address in a TXT record of _dnsaddr.<name>. Errc::unsupported when the text is no dnsaddr
// record; else the errors of Multiaddr::parse.
Result<codec::Multiaddr> parse_dnsaddr_record(std::string_view text);

// Expands a list of addresses of `peer`: each that begins with a name is replaced by what the name
// stands for, the rest of it kept; the others, and the order, stay as they are. Nothing is looked
// up when there is no name. Dropped in silence: names that are not found in time, records of
// _dnsaddr that name another peer or are no address, a name of /dnsaddr that was followed already,
// a /dnsaddr with anything but /p2p behind it, addresses that name no host (0.0.0.0), and what
// exceeds the bounds above. The names are looked up side by side.
//
// Errors: P2pErrc::name_not_resolved when nothing is left; Errc::cancelled. Cancellation ends the
// look-ups before this returns. `resolver` and `clock` outlive it.
awaitable<Result<std::vector<codec::Multiaddr>>> resolve_addresses(
    net::Resolver& resolver, Clock& clock, codec::PeerId peer,
    std::vector<codec::Multiaddr> addresses);

}  // namespace oc::p2p
