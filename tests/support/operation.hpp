// One asynchronous operation under way beside the test: it can be watched, cancelled, awaited.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>

#include "base/async.hpp"

namespace oc::test {

// Starts at once. What it refers to must live until it is done.
template <class T>
class Operation {
 public:
  Operation(Executor executor, awaitable<Result<T>> operation) {
    // The completion keeps the signal alive to the task's very end.
    asio::co_spawn(executor, run(state_, std::move(operation)),
                   asio::bind_cancellation_slot(
                       state_->cancel.slot(), [state = state_](const std::exception_ptr& failure) {
                         if (failure) std::rethrow_exception(failure);
                       }));
  }

  bool done() const { return state_->result.has_value(); }
  void cancel() { state_->cancel.emit(asio::cancellation_type::terminal); }

  // Waits for the end. Once.
  awaitable<Result<T>> result() {
    auto state = state_;
    while (!state->result) (void)co_await state->done.wait();
    co_return std::move(*state->result);
  }

 private:
  struct State {
    asio::cancellation_signal cancel;
    std::optional<Result<T>> result;
    Event done;
  };

  static awaitable<void> run(std::shared_ptr<State> state, awaitable<Result<T>> operation) {
    try {
      state->result.emplace(co_await std::move(operation));
    } catch (const boost::system::system_error&) {
      state->result.emplace(error_code(Errc::cancelled));  // nothing else comes as an exception
    }
    state->done.set();
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();  // shared with run()
};

// Lets the event loop take `turns` turns, its sockets included: after enough of them whatever can
// happen without time passing has happened.
inline awaitable<void> turns(int count) {
  auto executor = co_await asio::this_coro::executor;
  for (int i = 0; i < count; ++i) co_await asio::post(executor, asio::use_awaitable);
}
inline awaitable<void> settle() { return turns(400); }

}  // namespace oc::test
