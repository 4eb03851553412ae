// The heap's standing with the system.
#pragma once

#include <cstddef>

namespace oc {

// What the allocator may keep of freed memory before it is worth giving back.
inline constexpr std::size_t kMaxFreeHeap = std::size_t{2} * 1024 * 1024;

// Gives freed memory back to the system: after a burst of connections or tunnels it lies scattered,
// and the allocator would keep it for good. Thread: any one at a time.
class FreeHeap {
 public:
  // Does so when more than kMaxFreeHeap lies idle beyond what was left the last time, and returns
  // whether. Holds the allocator's lock meanwhile, about 0.1 ms for a MiB given back.
  bool release();

 private:
  std::size_t kept_ = 0;  // idle, and not to be had back
};

}  // namespace oc
