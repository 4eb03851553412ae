// Unsigned varints of multiformats: seven bits a byte, low bits first, at most 63 bits.
//
// Source: multiformats/unsigned-varint. Stricter than the varint of protobuf: an encoding must be
// the shortest one and no longer than nine bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace oc::codec {

inline constexpr std::size_t kMaxUvarintSize = 9;
inline constexpr std::uint64_t kMaxUvarint = (std::uint64_t{1} << 63) - 1;

// Appends v, which is at most kMaxUvarint.
void put_uvarint(Bytes& out, std::uint64_t v);

// How many bytes put_uvarint appends for v.
std::size_t uvarint_size(std::uint64_t v);

// Takes one varint off the front of `in`. Errc::truncated when `in` ends inside it (more input may
// complete it), Errc::malformed when it is not minimal or exceeds nine bytes; on an error `in` is
// unchanged.
Result<std::uint64_t> take_uvarint(BytesView& in);

// Takes a varint length and that many bytes, which stay borrowed. Errors as above; Errc::truncated
// too when fewer bytes remain than the length says. On an error `in` is unchanged.
Result<BytesView> take_length_prefixed(BytesView& in);

// Appends the length of `what` and then `what` itself.
void put_length_prefixed(Bytes& out, BytesView what);

}  // namespace oc::codec
