#include "talk.hpp"

#include <algorithm>

namespace oc::interop {
namespace {

constexpr std::size_t kLongestAnswer = 1 << 20;

}  // namespace

awaitable<Result<std::string>> read_rest(net::Stream& stream, std::size_t most) {
  std::string out;
  for (;;) {
    auto chain = co_await stream.read_chain();
    if (!chain && chain.error() == Errc::eof) co_return out;
    if (!chain) co_return chain.error();
    for (const Buffer& buffer : *chain) out += as_text(buffer.bytes());
    if (out.size() > most) co_return Errc::limit_exceeded;
  }
}

awaitable<Result<std::uint64_t>> read_digest(net::Stream& stream, Digest& digest) {
  for (std::uint64_t count = 0;;) {
    auto chain = co_await stream.read_chain();
    if (!chain && chain.error() == Errc::eof) co_return count;
    if (!chain) co_return chain.error();
    for (const Buffer& buffer : *chain) digest.add(buffer.bytes());
    count += chain->bytes();
  }
}

awaitable<Result<void>> write_pattern(net::Stream& stream, std::uint64_t size, Digest& digest) {
  Pattern pattern;
  while (size != 0) {
    BufferChain chain;
    while (!chain.full() && size != 0) {
      Buffer block = pattern.next(std::min<std::uint64_t>(size, Buffer::kMaxPayload));
      digest.add(block.bytes());
      size -= block.size();
      chain.push(std::move(block));
    }
    CO_CHECK(co_await stream.write_chain(std::move(chain)));
  }
  co_return co_await stream.close_write();
}

awaitable<Result<std::string>> ask(p2p::ConnectionPtr connection, std::string protocol,
                                   std::string text) {
  CO_TRY(auto stream, co_await connection->open_stream(std::move(protocol)));
  if (!text.empty()) CO_CHECK(co_await stream->write(as_bytes(text)));
  CO_CHECK(co_await stream->close_write());
  co_return co_await read_rest(*stream, kLongestAnswer);
}

}  // namespace oc::interop
