#include "crypto/der.hpp"

#include "base/assert.hpp"

namespace oc::crypto {
namespace {

Result<std::size_t> take_length(BytesView& in) {
  if (in.empty()) return Errc::truncated;
  const Byte first = in[0];
  const std::size_t extra = first < 0x80 ? 0 : first & 0x7fu;
  if (first >= 0x80 && (extra == 0 || extra > 2)) return Errc::malformed;
  if (in.size() < 1 + extra) return Errc::truncated;
  const std::size_t length = extra == 0 ? first : extra == 1 ? in[1] : get_be16(&in[1]);
  const bool shortest = extra == 0 || length >= (extra == 1 ? 0x80u : 0x100u);
  if (!shortest) return Errc::malformed;
  in = in.subspan(1 + extra);
  return length;
}

}  // namespace

Result<BytesView> take_der(BytesView& in, DerTag tag) {
  if (in.empty()) return Errc::truncated;
  if (in[0] != static_cast<Byte>(tag)) return Errc::malformed;
  BytesView rest = in.subspan(1);
  TRY(const std::size_t length, take_length(rest));
  if (length > rest.size()) return Errc::truncated;
  in = rest.subspan(length);
  return rest.first(length);
}

Result<BytesView> take_der_positive(BytesView& in) {
  BytesView rest = in;
  TRY(BytesView number, take_der(rest, DerTag::integer));
  if (number.empty() || number[0] >= 0x80) return Errc::malformed;
  if (number[0] == 0) {
    number = number.subspan(1);
    if (number.empty() || number[0] < 0x80) return Errc::malformed;
  }
  in = rest;
  return number;
}

Bytes der_element(DerTag tag, BytesView contents) {
  ASSERT(contents.size() <= 0xffff);
  Bytes out{static_cast<Byte>(tag)};
  if (contents.size() >= 0x100) {
    out.push_back(0x82);
    out.push_back(static_cast<Byte>(contents.size() >> 8));
  } else if (contents.size() >= 0x80) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<Byte>(contents.size()));
  append(out, contents);
  return out;
}

}  // namespace oc::crypto
