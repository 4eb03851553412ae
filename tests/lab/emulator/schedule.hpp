// What a line does to frames: when each gets out at the other end, or that it never does.
//
//   frame ──▶ lost? ──▶ queue (bytes) ──▶ transmitter (rate) ──▶ way (delay ± jitter) ──▶ out
//              drop      full: drop        one after another      never overtaking
//
// No I/O and no clock: the same frames at the same times with the same seed have the same fate.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>

namespace oc::lab {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

struct Line {
  std::chrono::nanoseconds delay{0};   // one way, beside what queue and transmitter take
  std::chrono::nanoseconds jitter{0};  // added or taken, evenly distributed; at most `delay`
  double loss = 0;                     // of IP packets, 0 to 1, each by itself
  double bits_per_second = 0;          // of Ethernet frames as the kernel sees them; 0: no bound
  std::size_t mtu = 1500;       // of IP; what bridges and offloads let come beyond it is lost
  std::size_t queue_bytes = 0;  // what may wait for the transmitter; when full, the newest is lost
  std::uint64_t seed = 1;
};

// One direction of a line. For one thread.
class Schedule {
 public:
  explicit Schedule(const Line& line);

  // The fate of a frame that comes at `now`, not before the one before it. `may_be_lost` is false
  // for what is no IP (ARP): a network that forgets who is who for a second is not what loss means.
  std::optional<Time> arrival(Time now, std::size_t bytes, bool may_be_lost);

 private:
  std::optional<Time> sent(Time now, std::size_t bytes);

  const Line line_;
  std::mt19937_64 dice_;
  Time free_;  // when the transmitter has sent all it was given
  Time last_;  // when the newest frame gets out
};

}  // namespace oc::lab
