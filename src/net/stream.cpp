#include "net/stream.hpp"

#include <array>

namespace oc::net {

awaitable<Result<void>> read_exactly(Stream& stream, MutableBytes into) {
  std::size_t have = 0;
  while (have < into.size()) {
    auto n = co_await stream.read_some(into.subspan(have));
    if (!n) {
      if (n.error() == Errc::eof && have != 0) co_return Errc::truncated;
      co_return n.error();
    }
    have += *n;
  }
  co_return success();
}

awaitable<Result<Bytes>> read_delimited(Stream& stream, std::size_t limit) {
  std::uint64_t length = 0;
  // A length of our protocols fits four varint bytes (limits are far below 2^28).
  for (int shift = 0;; shift += 7) {
    Byte byte = 0;
    if (shift == 28) co_return Errc::limit_exceeded;
    auto got = co_await read_exactly(stream, {&byte, 1});
    if (!got) {
      if (got.error() == Errc::eof && shift != 0) co_return Errc::truncated;
      co_return got.error();
    }
    length |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && shift != 0) co_return Errc::malformed;  // not minimal
    break;
  }
  if (length > limit) co_return Errc::limit_exceeded;
  Bytes message(length);
  if (length == 0) co_return message;
  auto got = co_await read_exactly(stream, message);
  if (!got) co_return got.error() == Errc::eof ? error_code(Errc::truncated) : got.error();
  co_return message;
}

awaitable<Result<void>> write_delimited(Stream& stream, BytesView message) {
  Bytes framed;
  framed.reserve(message.size() + 5);
  std::size_t length = message.size();
  do {
    const auto low = static_cast<Byte>(length & 0x7f);
    length >>= 7;
    framed.push_back(length != 0 ? static_cast<Byte>(low | 0x80) : low);
  } while (length != 0);
  append(framed, message);
  co_return co_await stream.write(framed);
}

}  // namespace oc::net
