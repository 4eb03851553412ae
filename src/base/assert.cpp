#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace oc {
void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "open-chat: bug: %s is false at %s:%d\n", condition, file, line);
  std::abort();
}
}  // namespace oc
