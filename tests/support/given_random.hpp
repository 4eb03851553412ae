// A source of randomness that hands out given bytes, once: for vectors that fix what is drawn.
#pragma once

#include <stdexcept>

#include "base/random.hpp"

namespace oc::test {

class GivenRandom final : public Random {
 public:
  explicit GivenRandom(Bytes bytes) : bytes_(std::move(bytes)) {}

  void fill(MutableBytes out) override {
    if (bytes_.size() - taken_ < out.size()) throw std::out_of_range("the given bytes are used up");
    std::memcpy(out.data(), bytes_.data() + taken_, out.size());
    taken_ += out.size();
  }

 private:
  Bytes bytes_;
  std::size_t taken_ = 0;
};

}  // namespace oc::test
