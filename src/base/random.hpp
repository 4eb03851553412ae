// Randomness, injected. SystemRandom is the kernel's; FakeRandom repeats a sequence for tests.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace oc {

class Random {
 public:
  virtual ~Random() = default;
  // Fills with bytes fit for keys.
  virtual void fill(MutableBytes out) = 0;
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

class SystemRandom final : public Random {
 public:
  void fill(MutableBytes out) override;
};

// A repeatable sequence (splitmix64). Never for keys.
class FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableBytes out) override;

 private:
  std::uint64_t state_;
};

}  // namespace oc
