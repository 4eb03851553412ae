#include "crypto/secret.hpp"

#include <sodium.h>

namespace oc::crypto {

void wipe(MutableBytes bytes) noexcept { sodium_memzero(bytes.data(), bytes.size()); }

bool constant_time_equal(BytesView a, BytesView b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace oc::crypto
