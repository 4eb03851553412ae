// Messages of NAT-PMP (RFC 6886), without I/O.
//
//   request   0: version 0 | opcode                     (the external address: no more)
//             2: reserved, 16 bits | internal port, 16 | external port, 16 | lifetime, 32
//   answer    0: version 0 | opcode + 128 | result, 16 | seconds since its start, 32
//             8: external address, 32                    (opcode 0)
//             8: internal port, 16 | external port, 16 | lifetime, 32     (opcode 2: TCP)
#pragma once

#include <boost/asio/ip/address_v4.hpp>

#include "base/bytes.hpp"
#include "base/strong.hpp"

namespace oc::p2p {

inline constexpr std::uint16_t kNatPmpPort = 5351;
// RFC 6886 3.1: what a client must be able to take.
inline constexpr std::size_t kNatPmpMaxAnswer = 1100;

enum class NatPmpOpcode : Byte { external_address = 0, map_tcp = 2 };

struct NatPmpAnswer {
  NatPmpOpcode opcode{};
  std::uint16_t result = 0;             // 0: done; the rest is only set then
  boost::asio::ip::address_v4 address;  // of external_address
  Port internal, external;              // of map_tcp
  std::uint32_t lifetime_seconds{};     // of map_tcp
};

Bytes natpmp_address_request();
// A lifetime of 0 removes the mapping of `internal`.
Bytes natpmp_map_request(Port internal, Port external, std::uint32_t lifetime_seconds);

// Errc::truncated, Errc::malformed, Errc::unsupported for another version or opcode. An answer that
// says "not done" may be short: its result is all that counts.
Result<NatPmpAnswer> parse_natpmp_answer(BytesView datagram);

// NatErrc for the result of an answer; no error for 0.
error_code natpmp_error(std::uint16_t result);

}  // namespace oc::p2p
