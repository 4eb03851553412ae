// Views and owners of bytes, and conversions to and from text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace oc {

using Byte = std::uint8_t;
using BytesView = std::span<const Byte>;  // borrowed, read only
using MutableBytes = std::span<Byte>;     // borrowed, writable
using Bytes = std::vector<Byte>;          // owned
template <std::size_t N>
using FixedBytes = std::array<Byte, N>;  // owned, of a known size

inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}
inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(BytesView view) { return {view.begin(), view.end()}; }
inline void append(Bytes& to, BytesView what) { to.insert(to.end(), what.begin(), what.end()); }
inline bool equal(BytesView a, BytesView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Lower-case hexadecimal, two digits a byte.
std::string to_hex(BytesView bytes);
// Accepts both cases; Errc::malformed for an odd length or another character.
Result<Bytes> from_hex(std::string_view hex);

inline void put_be16(Byte* to, std::uint16_t v) {
  to[0] = static_cast<Byte>(v >> 8);
  to[1] = static_cast<Byte>(v);
}
inline std::uint16_t get_be16(const Byte* from) {
  return static_cast<std::uint16_t>(from[0] << 8 | from[1]);
}
inline void put_be32(Byte* to, std::uint32_t v) {
  to[0] = static_cast<Byte>(v >> 24);
  to[1] = static_cast<Byte>(v >> 16);
  to[2] = static_cast<Byte>(v >> 8);
  to[3] = static_cast<Byte>(v);
}
inline std::uint32_t get_be32(const Byte* from) {
  return std::uint32_t{from[0]} << 24 | std::uint32_t{from[1]} << 16 | std::uint32_t{from[2]} << 8 |
         std::uint32_t{from[3]};
}

}  // namespace oc
