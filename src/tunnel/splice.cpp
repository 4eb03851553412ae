#include "tunnel/splice.hpp"

namespace oc::tunnel {
namespace {

void reset_both(net::Stream& a, net::Stream& b) {
  a.reset();
  b.reset();
}

awaitable<Result<void>> pump(net::Stream& from, net::Stream& to, std::uint64_t& count) {
  for (;;) {
    // Cancellation that came together with the end of an operation does not interrupt the next one.
    if (auto done = co_await was_cancelled(); done) {
      reset_both(from, to);
      co_return Errc::cancelled;
    }
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
    count += chain->bytes();
    auto written = co_await to.write_chain(*std::move(chain));
    if (!written) {
      reset_both(from, to);
      co_return written.error();
    }
  }
}

struct Half {
  Result<void> result = success();
  bool ended = false;
  Event end;
};

awaitable<void> pump_half(net::Stream& from, net::Stream& to, std::uint64_t& count, Half& half) {
  co_await asio::this_coro::throw_if_cancelled(false);
  half.result = co_await pump(from, to, count);
  half.ended = true;
  half.end.set();
}

}  // namespace

awaitable<Result<void>> splice(net::Stream& a, net::Stream& b, SpliceCounters counters) {
  // Cancellation reaches this task as an error of its pump, which resets both streams and so ends
  // the other pump as well.
  co_await asio::this_coro::throw_if_cancelled(false);
  TaskScope tasks(co_await asio::this_coro::executor);
  Half back;
  tasks.spawn("splice back", pump_half(b, a, counters.backward, back));
  auto forth = co_await pump(a, b, counters.forward);
  if (auto done = co_await was_cancelled(); done) reset_both(a, b);
  while (!back.ended) {
    if (auto done = co_await back.end.wait(); !done) reset_both(a, b);
  }
  co_await tasks.close();
  if (!forth) co_return forth.error();
  co_return back.result;
}

}  // namespace oc::tunnel
