#include "direction.hpp"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "frame.hpp"

namespace oc::lab {
namespace {

// Frames taken before those that are due are looked at again: some tens of microseconds.
constexpr std::size_t kBatch = 32;
// Two seconds of 1 Gbit/s: a line without a rate must not eat the machine's memory.
constexpr std::size_t kMostBytesOnTheWay = std::size_t{256} << 20;

}  // namespace

Direction::Direction(int source, int sink, const Line& line, const std::atomic<bool>& cut)
    : source_(source),
      sink_(sink),
      cut_(cut),
      most_frame_bytes_(line.mtu + ETH_HLEN),
      schedule_(line) {}

void Direction::run() {
  for (;;) {
    const Time now = Clock::now();
    deliver(now);
    if (take(now) == 0) wait();
  }
}

void Direction::deliver(Time now) {
  while (!on_the_way_.empty() && on_the_way_.front().due <= now) {
    const std::vector<std::byte>& bytes = on_the_way_.front().bytes;
    if (!cut_) {
      // A device that is down takes nothing, and the frame is lost.
      [[maybe_unused]] const auto written = ::write(sink_, bytes.data(), bytes.size());
    }
    bytes_on_the_way_ -= bytes.size();
    on_the_way_.pop_front();
  }
}

std::size_t Direction::take(Time now) {
  std::array<std::byte, kMostFrameBytes> buffer;
  for (std::size_t count = 0; count < kBatch; ++count) {
    const auto got = ::read(source_, buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) return count;
      throw std::system_error(errno, std::generic_category(), "reading from a TAP device");
    }
    admit(now, {buffer.data(), static_cast<std::size_t>(got)});
  }
  return kBatch;
}

void Direction::admit(Time now, std::span<const std::byte> frame) {
  const WireSize size = wire_size(frame);
  if (cut_ || size.largest > most_frame_bytes_) return;
  if (bytes_on_the_way_ + frame.size() > kMostBytesOnTheWay) return;
  if (const auto due = schedule_.arrival(now, size.bytes, is_ip(frame))) {
    on_the_way_.push_back({*due, {frame.begin(), frame.end()}});
    bytes_on_the_way_ += frame.size();
  }
}

void Direction::wait() const {
  pollfd readable{source_, POLLIN, 0};
  if (on_the_way_.empty()) {
    ::ppoll(&readable, 1, nullptr, nullptr);
    return;
  }
  const auto left = std::max(on_the_way_.front().due - Clock::now(), Clock::duration::zero());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  const timespec timeout{seconds.count(), (left - seconds).count()};
  ::ppoll(&readable, 1, &timeout, nullptr);
}

}  // namespace oc::lab
