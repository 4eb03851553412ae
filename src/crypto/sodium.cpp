#include "crypto/sodium.hpp"

#include <sodium.h>

#include "base/assert.hpp"

namespace oc::crypto {

void init_sodium() {
  static const bool ready = sodium_init() >= 0;
  ASSERT(ready);
}

}  // namespace oc::crypto
