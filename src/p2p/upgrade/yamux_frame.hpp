// The 12-byte header of a yamux frame (libp2p/specs yamux/README.md), big-endian:
//
//   | version (1) = 0 | type (1) | flags (2) | stream id (4) | length (4) |
//
// length: Data: bytes that follow; WindowUpdate: credit (an error code with RST); Ping: an opaque
// value; GoAway: a reason.
#pragma once

#include "base/bytes.hpp"

namespace oc::p2p::yamux {

enum class FrameType : std::uint8_t { data = 0, window_update = 1, ping = 2, go_away = 3 };

inline constexpr std::uint16_t kSyn = 1;
inline constexpr std::uint16_t kAck = 2;
inline constexpr std::uint16_t kFin = 4;
inline constexpr std::uint16_t kRst = 8;
inline constexpr std::uint16_t kKnownFlags = kSyn | kAck | kFin | kRst;

enum class GoAwayReason : std::uint32_t { normal = 0, protocol_error = 1, internal_error = 2 };

inline constexpr std::size_t kHeaderSize = 12;

struct FrameHeader {
  FrameType type = FrameType::data;
  std::uint16_t flags = 0;
  std::uint32_t stream = 0;
  std::uint32_t length = 0;

  bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
};

void encode_header(const FrameHeader& header, Byte* to_12_bytes);
// Errc::protocol_violation for another version or an unknown type. Unknown flags are ignored.
Result<FrameHeader> decode_header(const Byte* from_12_bytes);

}  // namespace oc::p2p::yamux
