#include "p2p/protocols/perf/perf.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace oc::p2p {
namespace {

constexpr std::size_t kCountSize = 8;

// Blocks are sealed in place, so each is filled anew: of what the pool's memory held before nothing
// may get out.
awaitable<Result<void>> send_zeros(net::Stream& stream, std::uint64_t count) {
  while (count != 0) {
    BufferChain chain;
    while (!chain.full() && count != 0) {
      Buffer block = Buffer::pooled();
      const std::size_t n = std::min<std::uint64_t>(count, Buffer::kMaxPayload);
      std::memset(block.spare().data(), 0, n);
      block.extend(n);
      chain.push(std::move(block));
      count -= n;
    }
    CO_CHECK(co_await stream.write_chain(std::move(chain)));
  }
  co_return co_await stream.close_write();
}

// Counts what comes until the end; Errc::protocol_violation when it is more than `most`.
awaitable<Result<std::uint64_t>> drain(net::Stream& stream, std::uint64_t most) {
  for (std::uint64_t count = 0;;) {
    auto chain = co_await stream.read_chain();
    if (!chain && chain.error() == Errc::eof) co_return count;
    if (!chain) co_return chain.error();
    count += chain->bytes();
    if (count > most) co_return Errc::protocol_violation;
  }
}

awaitable<Result<void>> answer(net::Stream& stream) {
  FixedBytes<kCountSize> count;
  CO_CHECK(co_await net::read_exactly(stream, count));
  const std::uint64_t download =
      std::uint64_t{get_be32(count.data())} << 32 | get_be32(count.data() + 4);
  CO_CHECK(co_await drain(stream, std::numeric_limits<std::uint64_t>::max()));
  co_return co_await send_zeros(stream, download);
}

awaitable<void> serve(ConnectionPtr, std::unique_ptr<net::Stream> stream) {
  if (auto answered = co_await answer(*stream); !answered) stream->reset();
}

}  // namespace

void serve_perf(Swarm& swarm) { swarm.handle(kPerfId, serve); }

awaitable<Result<PerfTimes>> measure_perf(ConnectionPtr connection, Clock& clock,
                                          std::uint64_t upload, std::uint64_t download) {
  const TimePoint start = clock.now();
  CO_TRY(auto stream, co_await connection->open_stream(kPerfId));
  // Given up in the middle, the server has to stop sending.
  struct Reset {
    net::Stream& stream;
    bool done = false;
    ~Reset() {
      if (!done) stream.reset();
    }
  } reset{*stream};
  FixedBytes<kCountSize> count;
  put_be32(count.data(), static_cast<std::uint32_t>(download >> 32));
  put_be32(count.data() + 4, static_cast<std::uint32_t>(download));
  CO_CHECK(co_await stream->write(count));
  CO_CHECK(co_await send_zeros(*stream, upload));
  CO_CHECK(co_await stream->readable());
  const TimePoint answered = clock.now();
  CO_TRY(const std::uint64_t received, co_await drain(*stream, download));
  if (received != download) co_return Errc::protocol_violation;
  reset.done = true;
  PerfTimes times;
  times.upload = answered - start;
  times.download = clock.now() - answered;
  co_return times;
}

}  // namespace oc::p2p
