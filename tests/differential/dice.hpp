// Chance, repeatable: what the inputs are made with.
#pragma once

#include <span>

#include "base/random.hpp"

namespace oc::differential {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.below(bound)); }
  Byte byte() { return static_cast<Byte>(below(256)); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class Row>
  const auto& pick(const Row& row) {
    return row[below(std::size(row))];
  }
  Bytes bytes(std::size_t size) {
    Bytes out(size);
    random_.fill(out);
    return out;
  }
  // Changes a few bytes, or takes some out, or puts some in, or doubles a piece.
  void mutate(Bytes& bytes);

 private:
  FakeRandom random_;
};

}  // namespace oc::differential
