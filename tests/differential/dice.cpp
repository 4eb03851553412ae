#include "dice.hpp"

#include <algorithm>

namespace oc::differential {

void Dice::mutate(Bytes& bytes) {
  for (std::size_t times = 1 + below(3); times > 0; --times) {
    const std::size_t at = below(bytes.size() + 1);
    const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto length = static_cast<std::ptrdiff_t>(std::min(below(8), bytes.size() - at));
    switch (below(5)) {
      case 0:
        if (here != bytes.end()) *here ^= static_cast<Byte>(1 << below(8));
        break;
      case 1:
        if (here != bytes.end()) *here = byte();
        break;
      case 2: bytes.erase(here, here + length); break;
      case 3: {
        const Bytes piece = one_in(2) ? this->bytes(below(4)) : Bytes(here, here + length);
        bytes.insert(here, piece.begin(), piece.end());
        break;
      }
      default: bytes.resize(at); break;
    }
  }
}

}  // namespace oc::differential
