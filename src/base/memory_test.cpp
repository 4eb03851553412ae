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

constexpr std::size_t kPieces = 40'000;
constexpr std::size_t kSize = 2'000;

// Uses and frees much. What stays lies on top of it, so that the heap cannot shrink by itself.
std::vector<std::unique_ptr<char[]>> burst() {
  std::vector<std::unique_ptr<char[]>> freed, kept;
  for (std::size_t i = 0; i < kPieces; ++i) {
    freed.push_back(std::make_unique<char[]>(kSize));
    if (i % 1000 == 999) kept.push_back(std::make_unique<char[]>(kSize));
  }
  return kept;
}

TEST(Memory, what_a_burst_has_left_scattered_goes_back_to_the_system) {
  if (mallinfo2().arena == 0) GTEST_SKIP() << "a sanitizer has an allocator of its own";
  const auto kept = burst();
  const std::size_t before = resident_bytes();
  FreeHeap heap;
  EXPECT_TRUE(heap.release());
  EXPECT_LT(resident_bytes() + kPieces * kSize / 2, before);
  EXPECT_FALSE(heap.release()) << "there is nothing more to give";
}

TEST(Memory, what_was_given_back_and_used_again_meanwhile_goes_back_again) {
  if (mallinfo2().arena == 0) GTEST_SKIP() << "a sanitizer has an allocator of its own";
  auto kept = burst();
  FreeHeap heap;
  EXPECT_TRUE(heap.release());
  // Nobody looks while the memory is in use.
  const auto again = burst();
  const std::size_t before = resident_bytes();
  EXPECT_TRUE(heap.release());
  EXPECT_LT(resident_bytes() + kPieces * kSize / 2, before);
}

}  // namespace
}  // namespace oc
