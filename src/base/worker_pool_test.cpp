#include "base/worker_pool.hpp"

#include <atomic>
#include <latch>

#include "support/run_async.hpp"

namespace oc {
namespace {

using test::run_async;

TEST(WorkerPool, runs_a_job_on_another_thread_and_gives_its_result) {
  asio::io_context io;  // outlives the pool
  WorkerPool pool(2, 8);
  run_async(io, [&]() -> awaitable<void> {
    const auto here = std::this_thread::get_id();
    auto there = co_await pool.run([] { return std::this_thread::get_id(); });
    EXPECT_TRUE(there);
    EXPECT_NE(*there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
  });
}

TEST(WorkerPool, takes_jobs_that_can_only_be_moved) {
  asio::io_context io;  // outlives the pool
  WorkerPool pool(1, 8);
  run_async(io, [&]() -> awaitable<void> {
    auto job = [value = std::make_unique<int>(7)] { return *value; };
    auto moved = co_await pool.run(job);
    EXPECT_EQ(*moved, 7);
  });
}

TEST(WorkerPool, throws_a_jobs_exception_to_the_caller) {
  asio::io_context io;  // outlives the pool
  WorkerPool pool(1, 8);
  run_async(io, [&]() -> awaitable<void> {
    bool caught = false;
    try {
      (void)co_await pool.run([]() -> int { throw std::runtime_error("boom"); });
    } catch (const std::runtime_error&) {
      caught = true;
    }
    EXPECT_TRUE(caught);
  });
}

awaitable<void> append_value(WorkerPool& pool, std::vector<int>& order, int value) {
  (void)co_await pool.run([&order, value] {
    order.push_back(value);
    return true;
  });
}

TEST(WorkerPool, of_one_thread_keeps_the_order) {
  asio::io_context io;  // outlives the pool
  WorkerPool pool(1, 100);
  std::vector<int> order;
  run_async(io, [&]() -> awaitable<void> {
    TaskScope scope(co_await asio::this_coro::executor);
    for (int i = 0; i < 50; ++i) scope.spawn("job", append_value(pool, order, i));
    while (scope.size() != 0) co_await asio::post(scope.executor(), asio::use_awaitable);
    co_await scope.close();
  });
  ASSERT_EQ(order.size(), 50u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

// Keeps a pool's only thread busy until release().
struct Blocker {
  std::latch started{1};
  std::latch released{1};
  void occupy() {
    started.count_down();
    released.wait();
  }
  void release() { released.count_down(); }
};

awaitable<void> occupy(WorkerPool& pool, Blocker& blocker) {
  (void)co_await pool.run([&blocker] {
    blocker.occupy();
    return true;
  });
}

awaitable<void> record_error(WorkerPool& pool, std::shared_ptr<std::atomic<int>> ran,
                             error_code& error) {
  auto job = [ran] { return ++*ran; };
  auto result = co_await pool.run(job);
  error = result ? error_code() : result.error();
}

awaitable<void> until_busy(Blocker& blocker) {
  auto executor = co_await asio::this_coro::executor;
  while (!blocker.started.try_wait()) co_await asio::post(executor, asio::use_awaitable);
}

TEST(WorkerPool, refuses_what_its_queue_cannot_hold) {
  asio::io_context io;  // outlives the pool
  WorkerPool pool(1, 1);
  Blocker blocker;
  run_async(io, [&]() -> awaitable<void> {
    TaskScope scope(co_await asio::this_coro::executor);
    scope.spawn("blocker", occupy(pool, blocker));
    co_await until_busy(blocker);
    auto ran = std::make_shared<std::atomic<int>>(0);
    error_code queued, refused;
    scope.spawn("queued", record_error(pool, ran, queued));
    while (pool.waiting() == 0) co_await asio::post(scope.executor(), asio::use_awaitable);
    co_await record_error(pool, ran, refused);
    EXPECT_EQ(refused, Errc::limit_exceeded);
    blocker.release();
    while (scope.size() != 0) co_await asio::post(scope.executor(), asio::use_awaitable);
    EXPECT_EQ(*ran, 1) << "the refused job must not run";
    EXPECT_FALSE(queued);
    co_await scope.close();
  });
}

TEST(WorkerPool, a_cancelled_waiter_leaves_the_job_running_with_what_it_owns) {
  asio::io_context io;
  Blocker blocker;
  auto ran = std::make_shared<std::atomic<int>>(0);
  {
    WorkerPool pool(1, 4);
    run_async(io, [&]() -> awaitable<void> {
      TaskScope scope(co_await asio::this_coro::executor);
      error_code error;
      scope.spawn("blocker", occupy(pool, blocker));
      co_await until_busy(blocker);
      scope.spawn("waiter", record_error(pool, ran, error));
      while (pool.waiting() == 0) co_await asio::post(scope.executor(), asio::use_awaitable);
      co_await scope.close();
      EXPECT_EQ(error, Errc::cancelled);
      EXPECT_EQ(*ran, 0);
      blocker.release();
      pool.close();
    });
  }
  EXPECT_EQ(*ran, 1) << "close() lets queued jobs end";
  EXPECT_EQ(ran.use_count(), 1) << "the job's captures are freed";
}

TEST(WorkerPool, takes_nothing_after_close) {
  asio::io_context io;  // outlives the pool
  WorkerPool pool(2, 4);
  pool.close();
  run_async(io, [&]() -> awaitable<void> {
    auto result = co_await pool.run([] { return true; });
    EXPECT_EQ(result.error(), Errc::closed);
  });
  EXPECT_EQ(pool.run_blocking([] { return 1; }).error(), Errc::closed);
}

TEST(WorkerPool, can_be_waited_for_without_a_loop) {
  WorkerPool pool(1, 4);
  EXPECT_EQ(*pool.run_blocking([] { return 42; }), 42);
  EXPECT_THROW((void)pool.run_blocking([]() -> int { throw std::runtime_error("boom"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace oc
