#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/memory.hpp"

namespace oc {
namespace {

// Memory of this process that lies in RAM and that no file stands behind; 0 when /proc does not
// say.
std::size_t resident_bytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"),
                                                             &std::fclose);
  std::size_t resident = 0, of_files = 0;
  if (file == nullptr || std::fscanf(file.get(), "%*u %zu %zu", &resident, &of_files) != 2)
    return 0;
  return (resident - of_files) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// What of it nobody uses: free heap that was not given back, and a constant rest (stacks, globals).
std::size_t idle_bytes() {
  const auto heap = mallinfo2();
  const std::size_t used = heap.uordblks + heap.hblkhd;
  return std::max(resident_bytes(), used) - used;
}

}  // namespace

bool FreeHeap::release() {
  const std::size_t idle = idle_bytes();
  kept_ = std::min(kept_, idle);
  if (idle - kept_ <= kMaxFreeHeap) return false;
  const bool gave = malloc_trim(0) == 1;
  kept_ = idle_bytes();
  return gave;
}

}  // namespace oc
