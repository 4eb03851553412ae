#include "base/async.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace oc {

struct Event::Waiter {
  virtual ~Waiter() = default;
  virtual void complete(bool cancelled) = 0;
};

struct EventAccess {
  template <class Handler>
  struct Suspended final : Event::Waiter {
    explicit Suspended(Handler h) : handler(std::move(h)) {}
    // Posted, so that set() never runs the waiter's code inside the setter's.
    void complete(bool cancelled) override {
      auto executor = asio::get_associated_executor(handler);
      asio::post(executor,
                 [h = std::move(handler), cancelled]() mutable { std::move(h)(cancelled); });
    }
    Handler handler;
  };

  template <class Handler>
  static void suspend(Event& event, Handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    event.waiter_ = std::make_unique<Suspended<Handler>>(std::move(handler));
    if (!slot.is_connected()) return;
    slot.assign([&event](asio::cancellation_type) {
      if (auto waiter = std::move(event.waiter_)) waiter->complete(true);
    });
  }
};

Event::Event() = default;
Event::~Event() { ASSERT(waiter_ == nullptr); }

void Event::set() {
  if (auto waiter = std::move(waiter_)) {
    waiter->complete(false);
  } else {
    set_ = true;
  }
}

awaitable<Result<void>> Event::wait() {
  if (set_) {
    set_ = false;
    co_return success();
  }
  ASSERT(waiter_ == nullptr);
  const bool cancelled = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      [this](auto handler) { EventAccess::suspend(*this, std::move(handler)); },
      asio::use_awaitable);
  if (cancelled) co_return Errc::cancelled;
  co_return success();
}

awaitable<bool> was_cancelled() {
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

struct TaskScope::State {
  explicit State(Executor e) : executor(std::move(e)) {}
  struct Task {
    const char* name;
    asio::cancellation_signal signal;
  };
  Executor executor;
  std::list<Task> tasks;
  bool closing = false;
  Event drained;
};

TaskScope::TaskScope(Executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskScope::~TaskScope() { ASSERT(state_->tasks.empty()); }

std::size_t TaskScope::size() const { return state_->tasks.size(); }
bool TaskScope::closing() const { return state_->closing; }
const Executor& TaskScope::executor() const { return state_->executor; }

namespace {

void report_task_failure(const char* name, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) return;
    log::fatal("task {} failed: {}", name, error.what());
  } catch (const std::exception& error) {
    log::fatal("task {} failed: {}", name, error.what());
  }
}

}  // namespace

bool TaskScope::spawn(const char* name, awaitable<void> task) {
  if (state_->closing) return false;
  auto state = state_;
  state->tasks.emplace_front();
  auto entry = state->tasks.begin();
  entry->name = name;
  asio::co_spawn(state->executor, std::move(task),
                 asio::bind_cancellation_slot(entry->signal.slot(),
                                              [state, entry](std::exception_ptr failure) {
                                                if (failure)
                                                  report_task_failure(entry->name, failure);
                                                state->tasks.erase(entry);
                                                if (state->closing && state->tasks.empty())
                                                  state->drained.set();
                                              }));
  return true;
}

void TaskScope::cancel() {
  state_->closing = true;
  // A cancelled task completes by a posted handler, so the list does not change under the loop.
  for (auto& task : state_->tasks) task.signal.emit(asio::cancellation_type::terminal);
}

awaitable<void> TaskScope::close() {
  auto state = state_;
  cancel();
  // The tasks may use what their owner holds, so a cancelled owner, too, waits for their end.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!state->tasks.empty()) (void)co_await state->drained.wait();
  co_await asio::this_coro::throw_if_cancelled(throws);
}

}  // namespace oc
