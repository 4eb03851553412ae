// Time, injected: everything that reads a clock or waits takes a Clock&, so that tests run days in
// milliseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/async.hpp"
#include "base/strong.hpp"

namespace oc {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;
using TimerId = Strong<struct TimerIdTag, std::uint64_t>;

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic; for durations and deadlines. Counts the time that the machine was asleep, after
  // which timers that are overdue fire within the next second or so.
  virtual TimePoint now() const = 0;
  // Calendar time (UTC); for what is stored, signed or shown.
  virtual WallTime wall_now() const = 0;
  // Calls `what` once, on the network thread, not before `delay` has passed. Zero or negative
  // delays fire on the next turn. A cancelled timer's callback is never called.
  virtual TimerId call_after(Duration delay, std::function<void()> what) = 0;
  virtual void cancel(TimerId timer) = 0;

  // Suspends the calling coroutine. Errc::cancelled when it was cancelled.
  awaitable<Result<void>> sleep_for(Duration delay);
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  explicit SystemClock(Executor executor);
  ~SystemClock() override;
  TimePoint now() const override;
  WallTime wall_now() const override;
  TimerId call_after(Duration delay, std::function<void()> what) override;
  void cancel(TimerId timer) override;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the one pending timer completion
};

// A clock that stands still until advance() moves it. For tests.
class FakeClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall_now() const override { return wall_; }
  TimerId call_after(Duration delay, std::function<void()> what) override;
  void cancel(TimerId timer) override;
  // Moves time on, calling due timers in order, each at its own time.
  void advance(Duration by);
  std::size_t pending() const { return timers_.size(); }

 private:
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::hours(24 * 365 * 55)};  // about the year 2025
  std::uint64_t next_id_ = 1;
  std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> timers_;
};

std::int64_t unix_seconds(WallTime time);
std::int64_t unix_milliseconds(WallTime time);
// The latest time there is for one that is later.
WallTime from_unix_seconds(std::uint64_t seconds);
// "2026-01-02T03:04:05Z"
std::string iso8601(WallTime time);

}  // namespace oc
