#include "base/memory.hpp"

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <vector>

namespace oc {
namespace {

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(Memory, what_a_burst_has_left_scattered_goes_back_to_the_system) {
  if (mallinfo2().arena == 0) GTEST_SKIP() << "a sanitizer has an allocator of its own";
  constexpr std::size_t kPieces = 40'000;
  constexpr std::size_t kSize = 2'000;
  std::vector<std::unique_ptr<char[]>> kept;
  {
    std::vector<std::unique_ptr<char[]>> burst;
    for (std::size_t i = 0; i < kPieces; ++i) {
      burst.push_back(std::make_unique<char[]>(kSize));
      // Something that stays lies on top, so that the heap cannot shrink by itself.
      if (i % 1000 == 999) kept.push_back(std::make_unique<char[]>(kSize));
    }
  }
  const std::size_t before = resident_bytes();
  FreeHeap heap;
  EXPECT_TRUE(heap.release());
  EXPECT_LT(resident_bytes() + kPieces * kSize / 2, before);
  EXPECT_FALSE(heap.release()) << "there is nothing more to give";
}

}  // namespace
}  // namespace oc
