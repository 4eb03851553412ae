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
  // Does so when more than kMaxFreeHeap was freed since the last time, and returns whether. Holds
  // the allocator's lock meanwhile, about 0.1 ms for a MiB given back.
  bool release();

 private:
  std::size_t given_back_ = 0;  // of what is free
};

}  // namespace oc
