#include "codec/multihash.hpp"

#include <openssl/sha.h>

#include "codec/varint.hpp"

namespace oc::codec {

Bytes encode_multihash(HashCode code, BytesView digest) {
  Bytes out;
  put_uvarint(out, static_cast<std::uint64_t>(code));
  put_length_prefixed(out, digest);
  return out;
}

Result<Multihash> take_multihash(BytesView& in) {
  BytesView rest = in;
  TRY(const std::uint64_t code, take_uvarint(rest));
  BytesView length = rest;
  TRY(const std::uint64_t size, take_uvarint(length));
  if (size > kMaxDigestSize) return Errc::limit_exceeded;
  TRY(const BytesView digest, take_length_prefixed(rest));
  in = rest;
  return Multihash{static_cast<HashCode>(code), digest};
}

Result<Multihash> decode_multihash(BytesView bytes) {
  TRY(const Multihash hash, take_multihash(bytes));
  if (!bytes.empty()) return Errc::malformed;
  return hash;
}

FixedBytes<32> sha2_256(BytesView data) {
  FixedBytes<32> digest;
  SHA256(data.data(), data.size(), digest.data());
  return digest;
}

}  // namespace oc::codec
