// Multihash: a digest that says which hash made it: uvarint code, uvarint length, digest
// (multiformats/multihash).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace oc::codec {

enum class HashCode : std::uint64_t { identity = 0x00, sha2_256 = 0x12, sha2_512 = 0x13 };

// No digest is longer; longer ones are refused.
inline constexpr std::size_t kMaxDigestSize = 128;

// A multihash as read; the digest is borrowed from the input. The code may be one that HashCode
// does not name.
struct Multihash {
  HashCode code;
  BytesView digest;
};

Bytes encode_multihash(HashCode code, BytesView digest);

// Takes one multihash off the front of `in`. A digest may be a truncated one, so its length is not
// held against the code. Errc::truncated when `in` ends inside, Errc::malformed for a bad varint,
// Errc::limit_exceeded for a digest above kMaxDigestSize. On an error `in` is unchanged.
Result<Multihash> take_multihash(BytesView& in);

// The same, when `bytes` must hold one multihash and nothing behind it.
Result<Multihash> decode_multihash(BytesView bytes);

FixedBytes<32> sha2_256(BytesView data);

}  // namespace oc::codec
