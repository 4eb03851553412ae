#include "schedule.hpp"

#include <algorithm>

namespace oc::lab {
namespace {

constexpr double kBitsPerByte = 8;

std::chrono::nanoseconds time_for(double bytes, double bits_per_second) {
  const std::chrono::duration<double> seconds(bytes * kBitsPerByte / bits_per_second);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(seconds);
}

}  // namespace

Schedule::Schedule(const Line& line) : line_(line), dice_(line.seed) {}

std::optional<Time> Schedule::arrival(Time now, std::size_t bytes, bool may_be_lost) {
  if (may_be_lost && line_.loss > 0 && std::bernoulli_distribution(line_.loss)(dice_)) {
    return std::nullopt;
  }
  const std::optional<Time> left = sent(now, bytes);
  if (!left) return std::nullopt;
  std::chrono::nanoseconds way = line_.delay;
  if (line_.jitter.count() > 0) {
    const auto most = line_.jitter.count();
    way +=
        std::chrono::nanoseconds(std::uniform_int_distribution<std::int64_t>(-most, most)(dice_));
  }
  last_ = std::max(last_, *left + way);
  return last_;
}

std::optional<Time> Schedule::sent(Time now, std::size_t bytes) {
  if (line_.bits_per_second <= 0) return now;
  const Time begins = std::max(now, free_);
  if (begins - now > time_for(static_cast<double>(line_.queue_bytes), line_.bits_per_second)) {
    return std::nullopt;
  }
  free_ = begins + time_for(static_cast<double>(bytes), line_.bits_per_second);
  return free_;
}

}  // namespace oc::lab
