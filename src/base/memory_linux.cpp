#include <malloc.h>

#include <algorithm>

#include "base/memory.hpp"

namespace oc {

bool FreeHeap::release() {
  const std::size_t free = mallinfo2().fordblks;
  given_back_ = std::min(given_back_, free);
  if (free - given_back_ <= kMaxFreeHeap) return false;
  const bool gave = malloc_trim(0) == 1;
  given_back_ = mallinfo2().fordblks;
  return gave;
}

}  // namespace oc
