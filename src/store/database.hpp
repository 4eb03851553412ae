// Database: the node's store, one SQLite file behind SOCI, on one thread of its own.
//
// SQL is kept to what SQLite and PostgreSQL share, with bound parameters only. Binary values are
// hexadecimal text, since SOCI has no binary type that both know; times are Unix milliseconds, with
// 0 for none.
//
// Durability: write-ahead log with synchronous=FULL. A call that succeeded survives kill -9 and
// power loss; NORMAL would lose the last writes with the power, and a record's sequence number that
// goes back makes every other member ignore the node. The price, a few milliseconds a write, is
// paid on the store's thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "base/worker_pool.hpp"

namespace soci {
class session;
}

namespace oc::store {

class FileLock;

// Thread: run() on the network thread; run_blocking() before the loop runs, or in tests.
class Database {
 public:
  // Calls that may wait for the store's thread; more fail with store_unavailable at once.
  static constexpr std::size_t kQueueLimit = 1024;

  // Opens or creates the store, with the directories above it, and brings its tables up to date.
  // The files are readable by their owner only. Takes about 10 ms for a new one.
  // Faults: store_locked (another process has it open), store_too_new, and store_unavailable for
  // everything else, a damaged file included.
  static Outcome<std::unique_ptr<Database>> open(const std::filesystem::path& file, WallTime now);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();  // lets queued calls end

  // Runs fn(soci::session&) on the store's thread in a transaction of its own and gives what it
  // returns. An exception of fn rolls the transaction back: fault store_unavailable.
  // fn is an lvalue and is moved from (see WorkerPool::run). Cancelled: fn still runs to its end.
  template <class F>
  auto run(F& fn) -> awaitable<Outcome<std::invoke_result_t<F&, soci::session&>>>;
  template <class F>
  auto run_blocking(F fn) -> Outcome<std::invoke_result_t<F&, soci::session&>>;

  const std::filesystem::path& path() const { return path_; }

 private:
  Database(std::filesystem::path file, std::unique_ptr<FileLock> lock,
           std::unique_ptr<soci::session> session);
  template <class F>
  auto run_owned(std::shared_ptr<F> fn)
      -> awaitable<Outcome<std::invoke_result_t<F&, soci::session&>>>;
  // What went wrong, or nothing.
  std::optional<Fault> in_transaction(const std::function<void(soci::session&)>& fn);
  template <class F>
  auto attempt(F& fn) -> Outcome<std::invoke_result_t<F&, soci::session&>>;
  Fault refused(const error_code& why) const;

  std::filesystem::path path_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<soci::session> session_;
  WorkerPool thread_{1, kQueueLimit};  // last: its jobs use the members above
};

// What is stored for a time, and back. 0 is no time. (long long: the widest integer SOCI binds.)
long long to_stored(WallTime time);
long long to_stored(const std::optional<WallTime>& time);
WallTime from_stored(long long milliseconds);
std::optional<WallTime> optional_from_stored(long long milliseconds);
// A list of strings as a JSON array; anything else reads as an empty list.
std::string to_stored(const std::vector<std::string>& list);
std::vector<std::string> list_from_stored(const std::string& json);

template <class F>
auto Database::attempt(F& fn) -> Outcome<std::invoke_result_t<F&, soci::session&>> {
  std::optional<std::invoke_result_t<F&, soci::session&>> result;
  auto fault = in_transaction([&](soci::session& sql) { result.emplace(fn(sql)); });
  if (fault) return *std::move(fault);
  return *std::move(result);
}

template <class F>
auto Database::run(F& fn) -> awaitable<Outcome<std::invoke_result_t<F&, soci::session&>>> {
  return run_owned(std::make_shared<F>(std::move(fn)));
}

template <class F>
auto Database::run_owned(std::shared_ptr<F> fn)
    -> awaitable<Outcome<std::invoke_result_t<F&, soci::session&>>> {
  auto job = [this, fn = std::move(fn)] { return attempt(*fn); };
  auto ended = co_await thread_.run(job);
  if (!ended) co_return refused(ended.error());
  co_return *std::move(ended);
}

template <class F>
auto Database::run_blocking(F fn) -> Outcome<std::invoke_result_t<F&, soci::session&>> {
  auto ended = thread_.run_blocking([this, &fn] { return attempt(fn); });
  if (!ended) return refused(ended.error());
  return *std::move(ended);
}

}  // namespace oc::store
