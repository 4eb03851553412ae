#include "base/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <ctime>
#include <unordered_map>

namespace oc {
namespace {

// Of the steady clock, but goes on while the machine is asleep.
TimePoint boot_time() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return TimePoint(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

awaitable<Result<void>> Clock::sleep_for(Duration delay) {
  // The event outlives the timer: sleep_for cancels it before it returns or unwinds.
  struct Sleep {
    Clock& clock;
    Event fired;
    TimerId timer;
    ~Sleep() { clock.cancel(timer); }
  } sleep{*this, {}, {}};
  sleep.timer = call_after(delay, [&sleep] { sleep.fired.set(); });
  co_return co_await sleep.fired.wait();
}

// One asio timer serves the whole program: the callbacks wait in an ordered map.
struct SystemClock::State {
  explicit State(Executor executor) : timer(executor) {}
  asio::steady_timer timer;
  std::uint64_t next_id = 1;
  std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> due;
  std::unordered_map<std::uint64_t, TimePoint> when;
  TimePoint armed_for = TimePoint::max();
  bool stopped = false;

  static void arm(const std::shared_ptr<State>& state);
  void run_due();
};

void SystemClock::State::run_due() {
  const TimePoint now = boot_time();
  while (!stopped && !due.empty() && due.begin()->first.first <= now) {
    auto what = std::move(due.begin()->second);
    when.erase(due.begin()->first.second);
    due.erase(due.begin());
    what();
  }
}

void SystemClock::State::arm(const std::shared_ptr<State>& state) {
  if (state->stopped || state->due.empty()) return;
  const TimePoint next = state->due.begin()->first.first;
  if (next >= state->armed_for) return;
  state->armed_for = next;
  state->timer.expires_after(next - boot_time());
  state->timer.async_wait([state](error_code error) {
    if (error || state->stopped) return;
    state->armed_for = TimePoint::max();
    state->run_due();
    arm(state);
  });
}

SystemClock::SystemClock(Executor executor) : state_(std::make_shared<State>(executor)) {}

SystemClock::~SystemClock() {
  state_->stopped = true;
  state_->due.clear();
  state_->timer.cancel();
}

TimePoint SystemClock::now() const { return boot_time(); }
WallTime SystemClock::wall_now() const { return std::chrono::system_clock::now(); }

TimerId SystemClock::call_after(Duration delay, std::function<void()> what) {
  const TimePoint at = now() + delay;
  const std::uint64_t id = state_->next_id++;
  state_->due.emplace(std::pair(at, id), std::move(what));
  state_->when.emplace(id, at);
  State::arm(state_);
  return TimerId(id);
}

void SystemClock::cancel(TimerId timer) {
  auto found = state_->when.find(timer.value());
  if (found == state_->when.end()) return;
  state_->due.erase(std::pair(found->second, timer.value()));
  state_->when.erase(found);
  if (!state_->due.empty()) return;
  // Nothing to wait for: a loop that has no other work may end.
  state_->armed_for = TimePoint::max();
  state_->timer.cancel();
}

TimerId FakeClock::call_after(Duration delay, std::function<void()> what) {
  const std::uint64_t id = next_id_++;
  timers_.emplace(std::pair(now_ + delay, id), std::move(what));
  return TimerId(id);
}

void FakeClock::cancel(TimerId timer) {
  for (auto it = timers_.begin(); it != timers_.end(); ++it) {
    if (it->first.second == timer.value()) {
      timers_.erase(it);
      return;
    }
  }
}

void FakeClock::advance(Duration by) {
  const TimePoint end = now_ + by;
  while (!timers_.empty() && timers_.begin()->first.first <= end) {
    auto what = std::move(timers_.begin()->second);
    const TimePoint at = timers_.begin()->first.first;
    timers_.erase(timers_.begin());
    if (at > now_) {
      wall_ += at - now_;
      now_ = at;
    }
    what();
  }
  wall_ += end - now_;
  now_ = end;
}

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::int64_t unix_milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime from_unix_seconds(std::uint64_t seconds) {
  constexpr auto kLatest =
      std::chrono::duration_cast<std::chrono::seconds>(WallTime::max().time_since_epoch());
  const auto latest = static_cast<std::uint64_t>(kLatest.count());
  return WallTime(std::chrono::seconds(std::min(seconds, latest)));
}

std::string iso8601(WallTime time) {
  const std::time_t seconds = unix_seconds(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace oc
