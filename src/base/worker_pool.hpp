// WorkerPool: a few threads for what blocks (database, password hashing), awaited from coroutines.
//
//   auto job = [path] { return read_rows(path); };
//   auto rows = co_await pool.run(job);   // Result<Rows>
//
// A pool of one thread runs its jobs one after the other, in the order of run().
#pragma once

#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/this_coro.hpp>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/assert.hpp"
#include "base/async.hpp"

namespace oc {

// Thread: run() from coroutines of any executor; close() from any thread but the pool's own.
// Lifetime: the io_context of every coroutine that called run() must outlive the pool.
class WorkerPool {
 public:
  // `queue_limit`: jobs that may wait beyond those that run. Throws std::system_error when a thread
  // cannot be started.
  WorkerPool(std::size_t threads, std::size_t queue_limit);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();  // close()

  // Runs fn on a thread of the pool and gives what it returns; an exception of fn is thrown to the
  // caller. fn must own what it uses.
  // Errors: Errc::limit_exceeded when the queue is full and Errc::closed after close(), both
  // without running fn; Errc::cancelled when the caller was cancelled: fn still runs to its end,
  // and its result is dropped.
  template <class F>
  //
  // fn is moved from, also when it has a name. It must have one when it captures more than plain
  // values, because GCC 12 destroys such a lambda twice when it is written inside a co_await
  // expression.
  awaitable<Result<std::invoke_result_t<F&>>> run(F&& fn);

  // The same for a thread that is not the network thread's loop (start-up): blocks.
  template <class F>
  Result<std::invoke_result_t<F&>> run_blocking(F fn);

  // Takes no more jobs, lets those that were taken end, and joins the threads. May be called twice.
  void close();
  std::size_t waiting() const;

 private:
  template <class R>
  struct Job;
  template <class F>
  awaitable<Result<std::invoke_result_t<F&>>> run_owned(std::shared_ptr<F> fn);
  Result<void> submit(std::function<void()> job);
  void work();

  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

// What the waiting coroutine and the worker share; it outlives whichever ends first.
template <class R>
struct WorkerPool::Job {
  std::optional<R> result;
  std::exception_ptr failure;
  Event done;  // set on the network thread only

  template <class F>
  void execute(F& fn) noexcept {
    try {
      result.emplace(fn());
    } catch (...) {
      failure = std::current_exception();
    }
  }
  R take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
};

template <class F>
awaitable<Result<std::invoke_result_t<F&>>> WorkerPool::run(F&& fn) {
  static_assert(std::is_lvalue_reference_v<F> || std::is_trivially_copyable_v<F>,
                "give a lambda that owns something a name first: auto job = …; run(job)");
  static_assert(!std::is_void_v<std::invoke_result_t<F&>>, "a job returns what it did");
  return run_owned(std::make_shared<std::remove_reference_t<F>>(std::move(fn)));
}

// The function is shared because std::function, which carries it to the worker, must be copyable.
template <class F>
awaitable<Result<std::invoke_result_t<F&>>> WorkerPool::run_owned(std::shared_ptr<F> fn) {
  using R = std::invoke_result_t<F&>;
  auto job = std::make_shared<Job<R>>();  // shared by the waiting coroutine and the worker
  const Executor executor = co_await asio::this_coro::executor;
  // The loop must not run out of work while a coroutine waits only for the pool. Kept here, not by
  // the worker, which may still hold its copy of the executor when the loop is gone.
  const Executor working = asio::prefer(executor, asio::execution::outstanding_work.tracked);
  std::function<void()> run = [job, fn = std::move(fn), executor]() mutable {
    job->execute(*fn);
    fn.reset();
    asio::post(executor, [job = std::move(job)] { job->done.set(); });
  };
  const auto submitted = submit(std::move(run));
  // Tagged, because an error_code would convert to an R of bool.
  if (!submitted) co_return Result<R>(boost::system::in_place_error, submitted.error());
  const auto waited = co_await job->done.wait();
  if (!waited) co_return Result<R>(boost::system::in_place_error, waited.error());
  co_return job->take();
}

template <class F>
Result<std::invoke_result_t<F&>> WorkerPool::run_blocking(F fn) {
  using R = std::invoke_result_t<F&>;
  Job<R> job;
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  const auto submitted = submit([&] {
    job.execute(fn);
    const std::lock_guard lock(mutex);
    done = true;
    ended.notify_one();
  });
  if (!submitted) return Result<R>(boost::system::in_place_error, submitted.error());
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return done; });
  return job.take();
}

}  // namespace oc
