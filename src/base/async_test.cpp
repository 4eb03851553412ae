#include "base/async.hpp"

#include "base/deadline.hpp"
#include "support/run_async.hpp"

namespace oc {
namespace {

using namespace std::chrono_literals;
using test::run_async;

TEST(Event, set_before_wait_is_kept) {
  run_async([]() -> awaitable<void> {
    Event event;
    event.set();
    EXPECT_TRUE(co_await event.wait());
  });
}

TEST(Event, set_wakes_the_waiter) {
  run_async([]() -> awaitable<void> {
    Event event;
    bool woken = false;
    TaskScope scope(co_await asio::this_coro::executor);
    auto waiter = [](Event& e, bool& flag) -> awaitable<void> {
      EXPECT_TRUE(co_await e.wait());
      flag = true;
    };
    scope.spawn("waiter", waiter(event, woken));
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    EXPECT_FALSE(woken);
    event.set();
    EXPECT_FALSE(woken) << "set() must not run the waiter inline";
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    EXPECT_TRUE(woken);
    co_await scope.close();
  });
}

TEST(Event, cancelled_wait_leaves_the_event_usable) {
  run_async([]() -> awaitable<void> {
    Event event;
    error_code seen;
    auto waiter = [](Event& e, error_code& out) -> awaitable<void> {
      auto result = co_await e.wait();
      out = result ? error_code() : result.error();
    };
    {
      TaskScope scope(co_await asio::this_coro::executor);
      scope.spawn("waiter", waiter(event, seen));
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      co_await scope.close();
    }
    EXPECT_EQ(seen, Errc::cancelled);
    event.set();
    EXPECT_TRUE(co_await event.wait());
  });
}

TEST(TaskScope, close_cancels_and_waits_for_every_task) {
  run_async([]() -> awaitable<void> {
    int ended = 0;
    Event never;
    Event never2;
    struct Count {
      int& n;
      ~Count() { ++n; }
    };
    auto task = [](Event& e, int& n) -> awaitable<void> {
      Count count{n};
      (void)co_await e.wait();
      (void)co_await e.wait();  // awaiting again after cancellation unwinds the task
      ADD_FAILURE() << "a cancelled task went on";
    };
    TaskScope scope(co_await asio::this_coro::executor);
    EXPECT_TRUE(scope.spawn("one", task(never, ended)));
    EXPECT_TRUE(scope.spawn("two", task(never2, ended)));
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_await scope.close();
    EXPECT_EQ(ended, 2);
    EXPECT_FALSE(scope.spawn("late", task(never, ended))) << "a closed scope takes no new work";
  });
}

// Ends only when it is let go, cancelled or not.
awaitable<void> reluctant(Event& let_go) {
  co_await asio::this_coro::throw_if_cancelled(false);
  (void)co_await let_go.wait();
  (void)co_await let_go.wait();
}

TEST(TaskScope, close_waits_for_every_task_though_its_caller_is_cancelled) {
  run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Event let_go, never;
    bool closed = false;
    bool went_on = false;
    auto owner = [](Event& event, Event& after, bool& done, bool& on) -> awaitable<void> {
      TaskScope inner(co_await asio::this_coro::executor);
      inner.spawn("reluctant", reluctant(event));
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      co_await inner.close();
      done = inner.size() == 0;
      (void)co_await after.wait();
      on = true;
    };
    TaskScope outer(executor);
    outer.spawn("owner", owner(let_go, never, closed, went_on));
    for (int i = 0; i < 5; ++i) co_await asio::post(executor, asio::use_awaitable);
    outer.cancel();
    for (int i = 0; i < 5; ++i) co_await asio::post(executor, asio::use_awaitable);
    EXPECT_EQ(outer.size(), 1u);
    outer.cancel();
    for (int i = 0; i < 5; ++i) co_await asio::post(executor, asio::use_awaitable);
    EXPECT_FALSE(closed) << "the task is still there";
    let_go.set();
    co_await outer.close();
    EXPECT_TRUE(closed);
    EXPECT_FALSE(went_on) << "afterwards the cancelled caller is unwound as ever";
  });
}

TEST(WithDeadline, returns_the_result_of_an_operation_in_time) {
  run_async([]() -> awaitable<void> {
    FakeClock clock;
    auto op = []() -> awaitable<Result<int>> { co_return 7; };
    auto result = co_await with_deadline<int>(clock, 1s, op());
    EXPECT_EQ(*result, 7);
    EXPECT_EQ(clock.pending(), 0u);
  });
}

awaitable<Result<int>> wait_for(Event& event) {
  CO_CHECK(co_await event.wait());
  co_return 1;
}

TEST(WithDeadline, cancels_the_operation_when_time_is_up) {
  run_async([]() -> awaitable<void> {
    FakeClock clock;
    Event never;
    auto executor = co_await asio::this_coro::executor;
    error_code seen;
    auto task = [](FakeClock& c, Event& e, error_code& out) -> awaitable<void> {
      auto result = co_await with_deadline<int>(c, 5s, wait_for(e));
      out = result.error();
    };
    TaskScope scope(executor);
    scope.spawn("op", task(clock, never, seen));
    for (int i = 0; i < 5; ++i) co_await asio::post(executor, asio::use_awaitable);
    clock.advance(4s);
    for (int i = 0; i < 5; ++i) co_await asio::post(executor, asio::use_awaitable);
    EXPECT_FALSE(seen);
    clock.advance(2s);
    for (int i = 0; i < 9; ++i) co_await asio::post(executor, asio::use_awaitable);
    EXPECT_EQ(seen, Errc::timed_out);
    EXPECT_FALSE(never.waiting());
    co_await scope.close();
  });
}

TEST(WithDeadline, passes_the_callers_cancellation_on) {
  run_async([]() -> awaitable<void> {
    FakeClock clock;
    Event never;
    auto executor = co_await asio::this_coro::executor;
    bool unwound = false;
    auto task = [](FakeClock& c, Event& e, bool& flag) -> awaitable<void> {
      auto result = co_await with_deadline<int>(c, 5s, wait_for(e));
      EXPECT_FALSE(result);
      flag = true;
    };
    TaskScope scope(executor);
    scope.spawn("op", task(clock, never, unwound));
    for (int i = 0; i < 5; ++i) co_await asio::post(executor, asio::use_awaitable);
    co_await scope.close();
    EXPECT_TRUE(unwound);
    EXPECT_FALSE(never.waiting());
    EXPECT_EQ(clock.pending(), 0u);
  });
}

TEST(FakeClock, calls_timers_in_order_at_their_time) {
  FakeClock clock;
  const TimePoint start = clock.now();
  std::string order;
  clock.call_after(3s, [&] { order += 'c'; });
  clock.call_after(1s, [&] {
    order += 'a';
    EXPECT_EQ(clock.now() - start, 1s);
    clock.call_after(1s, [&] { order += 'b'; });
  });
  const TimerId cancelled = clock.call_after(2s, [&] { order += 'x'; });
  clock.cancel(cancelled);
  clock.advance(10s);
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(clock.now() - start, 10s);
}

TEST(SystemClock, sleeps_about_as_long_as_asked) {
  run_async([]() -> awaitable<void> {
    SystemClock clock(co_await asio::this_coro::executor);
    const TimePoint start = clock.now();
    EXPECT_TRUE(co_await clock.sleep_for(20ms));
    EXPECT_GE(clock.now() - start, 20ms);
  });
}

TEST(SystemClock, a_cancelled_timer_does_not_keep_the_loop_alive) {
  asio::io_context io;
  SystemClock clock(io.get_executor());
  bool fired = false;
  const TimerId late = clock.call_after(1h, [&] { fired = true; });
  clock.cancel(late);
  io.run();
  EXPECT_FALSE(fired);
  clock.call_after(1ms, [&] { fired = true; });
  io.restart();
  io.run();
  EXPECT_TRUE(fired) << "a timer after a cancelled one must be armed again";
}

}  // namespace
}  // namespace oc
