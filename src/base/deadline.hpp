// with_deadline: the one helper for time-outs.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.hpp"

namespace oc {

namespace detail {

// Races a timer against an operation. Kept in shared state because the loser ends after the winner:
// shared by the operation's and the timer's completion.
struct DeadlineState {
  asio::cancellation_signal cancel_op;
  bool done = false;
  bool expired = false;
};

}  // namespace detail

// Runs op, but cancels it when `limit` has passed: Errc::timed_out. Cancelling the caller cancels
// op. Either way op has ended when this returns, so op may refer to the caller's locals.
template <class T>
awaitable<Result<T>> with_deadline(Clock& clock, std::chrono::nanoseconds limit,
                                   awaitable<Result<T>> op) {
  auto state = std::make_shared<detail::DeadlineState>();
  const TimerId timer = clock.call_after(limit, [state] {
    if (state->done) return;
    state->expired = true;
    state->cancel_op.emit(asio::cancellation_type::terminal);
  });
  auto executor = co_await asio::this_coro::executor;
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  auto outer = cancellation.slot();
  if (outer.is_connected()) {
    outer.assign([state](asio::cancellation_type type) { state->cancel_op.emit(type); });
  }
  Result<T> result = Errc::timed_out;
  std::exception_ptr failure;
  try {
    result = co_await asio::co_spawn(
        executor, std::move(op),
        asio::bind_cancellation_slot(state->cancel_op.slot(), asio::use_awaitable));
  } catch (...) {
    failure = std::current_exception();
  }
  state->done = true;
  clock.cancel(timer);
  if (outer.is_connected()) outer.clear();
  if (state->expired) co_return Errc::timed_out;
  if (failure) std::rethrow_exception(failure);
  co_return result;
}

}  // namespace oc
