// The asynchronous vocabulary: awaitable, Event, TaskScope (and with_deadline in deadline.hpp).
//
// How cancellation works here. Every coroutine is owned by a TaskScope. Closing the scope emits
// cancellation: the operation a task is suspended in ends with an error value; if the task goes on
// and awaits again, that await throws (Asio's throw_if_cancelled) and unwinds the task to the
// scope, which swallows exactly this exception. Any other exception out of a task is a bug: it is
// logged and ends the process.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace oc {

namespace asio = boost::asio;
template <class T>
using awaitable = asio::awaitable<T>;
using Executor = asio::any_io_executor;

// A condition that one coroutine waits for and anybody sets. Level-triggered: a set() that comes
// before wait() is kept; wait() consumes it. Thread: the executor's only.
class Event {
 public:
  Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  // Wakes the waiter (by a posted handler, never inline), or makes the next wait() return at once.
  void set();
  bool waiting() const { return waiter_ != nullptr; }
  // Suspends until set(). Errc::cancelled when the task was cancelled: the event is then as before.
  // At most one waiter at a time.
  awaitable<Result<void>> wait();

  struct Waiter;  // the suspended handler, type-erased

 private:
  friend struct EventAccess;
  std::unique_ptr<Waiter> waiter_;
  bool set_ = false;
};

// Whether the calling task was cancelled. For tasks that switched throw_if_cancelled off and are
// about to wait: cancellation that came earlier does not interrupt a later wait.
awaitable<bool> was_cancelled();

// Owns coroutines. Lifetime: must be closed (or never have been spawned into) before destruction.
class TaskScope {
 public:
  explicit TaskScope(Executor executor);
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope();

  // Starts a task; returns false, and drops it, once the scope is closing. `name` is for the log
  // and must outlive the task (a literal).
  bool spawn(const char* name, awaitable<void> task);
  // Cancels every task and refuses new ones; returns at once. The tasks end later.
  void cancel();
  // cancel(), then waits until the last task has ended, also when the caller is cancelled
  // meanwhile. Must not be awaited by one of its tasks. A caller that was cancelled before does not
  // get here at all unless it switched throw_if_cancelled off.
  awaitable<void> close();
  std::size_t size() const;
  bool closing() const;
  const Executor& executor() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the completion handlers of the tasks
};

}  // namespace oc
