#include "base/random.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.hpp"

namespace oc {

std::uint64_t Random::below(std::uint64_t bound) {
  ASSERT(bound > 0);
  // Values under `skew` would make small results more likely; draw again.
  const std::uint64_t skew = (0 - bound) % bound;
  for (;;) {
    std::uint64_t value = 0;
    fill({reinterpret_cast<Byte*>(&value), sizeof value});
    if (value >= skew) return value % bound;
  }
}

void SystemRandom::fill(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0) {
      ASSERT(errno == EINTR);
      continue;
    }
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

void FakeRandom::fill(MutableBytes out) {
  while (!out.empty()) {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    const std::size_t n = std::min(out.size(), sizeof z);
    std::memcpy(out.data(), &z, n);
    out = out.subspan(n);
  }
}

}  // namespace oc
