#include "net/splice.hpp"

#include "base/deadline.hpp"

namespace oc::net {
namespace {

void reset_both(Stream& a, Stream& b) {
  a.reset();
  b.reset();
}

awaitable<Result<void>> pump(Stream& from, Stream& to, std::uint64_t& bytes,
                             std::uint64_t& chunks) {
  for (;;) {
    auto chain = co_await from.read_chain();
    if (!chain) {
      if (chain.error() == Errc::eof) {
        auto closed = co_await to.close_write();
        if (closed) co_return success();
        chain = closed.error();
      }
      reset_both(from, to);
      co_return chain.error();
    }
    bytes += chain->bytes();
    ++chunks;
    auto written = co_await to.write_chain(*std::move(chain));
    if (!written) {
      reset_both(from, to);
      co_return written.error();
    }
  }
}

struct Half {
  Result<void> result = success();
  std::uint64_t chunks = 0;
  bool ended = false;
};

awaitable<void> pump_half(Stream& from, Stream& to, std::uint64_t& bytes, Half& half,
                          Event& ended) {
  co_await asio::this_coro::throw_if_cancelled(false);
  half.result = co_await pump(from, to, bytes, half.chunks);
  half.ended = true;
  ended.set();
}

// Waits for the end of what is left of a tunnel, as long as something moves in it.
awaitable<Result<void>> linger(Clock& clock, const Half& left, Event& ended) {
  for (;;) {
    const std::uint64_t before = left.chunks;
    auto waited = co_await with_deadline<void>(clock, kHalfClosedIdle, ended.wait());
    const bool still_moving = !waited && waited.error() == Errc::timed_out && left.chunks != before;
    if (!still_moving) co_return waited;
  }
}

}  // namespace

awaitable<Result<void>> splice(Stream& a, Stream& b, SpliceCounters counters, Clock& clock) {
  co_await asio::this_coro::throw_if_cancelled(false);
  TaskScope tasks(co_await asio::this_coro::executor);
  Event ended;
  Half forth;
  Half back;
  tasks.spawn("splice forth", pump_half(a, b, counters.forward, forth, ended));
  tasks.spawn("splice back", pump_half(b, a, counters.backward, back, ended));
  while (!forth.ended || !back.ended) {
    // Cancellation that came earlier does not interrupt the wait; the reset ends both halves.
    const bool cancelled = co_await was_cancelled();
    if (cancelled) reset_both(a, b);
    Result<void> waited = success();
    if (forth.ended || back.ended) {
      waited = co_await linger(clock, forth.ended ? back : forth, ended);
    } else {
      waited = co_await ended.wait();
    }
    if (!waited) reset_both(a, b);
  }
  co_await tasks.close();
  if (!forth.result) co_return forth.result;
  co_return back.result;
}

}  // namespace oc::net
