// One direction of a link: takes Ethernet frames from one TAP device and gives them to another,
// when the schedule says.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "schedule.hpp"

namespace oc::lab {

class Direction {
 public:
  // `source` and `sink` are open TAP devices (see frame.hpp); `source` does not block.
  // While `cut` is set, frames are lost, also those that are on the way. All belongs to the caller
  // and outlives this.
  Direction(int source, int sink, const Line& line, const std::atomic<bool>& cut);

  // Never returns; the only one to call, on a thread of its own. Throws std::system_error when
  // `source` fails.
  [[noreturn]] void run();

 private:
  struct Frame {
    Time due;
    std::vector<std::byte> bytes;
  };

  void deliver(Time now);
  std::size_t take(Time now);
  void admit(Time now, std::span<const std::byte> frame);
  void wait() const;

  const int source_;
  const int sink_;
  const std::atomic<bool>& cut_;
  const std::size_t most_frame_bytes_;
  Schedule schedule_;
  std::deque<Frame> on_the_way_;
  std::size_t bytes_on_the_way_ = 0;
};

}  // namespace oc::lab
