#include "codec/varint.hpp"

#include <bit>

#include "base/assert.hpp"

namespace oc::codec {

void put_uvarint(Bytes& out, std::uint64_t v) {
  ASSERT(v <= kMaxUvarint);
  for (; v >= 0x80; v >>= 7) out.push_back(static_cast<Byte>(v | 0x80));
  out.push_back(static_cast<Byte>(v));
}

std::size_t uvarint_size(std::uint64_t v) {
  return v == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(v)) + 6) / 7;
}

Result<std::uint64_t> take_uvarint(BytesView& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kMaxUvarintSize; ++i) {
    if (i == in.size()) return Errc::truncated;
    const Byte byte = in[i];
    value |= std::uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) {
      if (byte == 0 && i > 0) return Errc::malformed;
      in = in.subspan(i + 1);
      return value;
    }
  }
  return Errc::malformed;
}

Result<BytesView> take_length_prefixed(BytesView& in) {
  BytesView rest = in;
  TRY(const std::uint64_t size, take_uvarint(rest));
  if (size > rest.size()) return Errc::truncated;
  const BytesView value = rest.first(static_cast<std::size_t>(size));
  in = rest.subspan(value.size());
  return value;
}

void put_length_prefixed(Bytes& out, BytesView what) {
  put_uvarint(out, what.size());
  append(out, what);
}

}  // namespace oc::codec
