#include "overlay/attempt_limiter.hpp"

#include <gtest/gtest.h>

namespace oc::overlay {
namespace {

using namespace std::chrono_literals;

TEST(AttemptLimiter, allows_so_many_failures_within_its_window) {
  FakeClock clock;
  AttemptLimiter limiter(3, 60s);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limiter.allowed("a", clock.now()));
    limiter.failed("a", clock.now());
    clock.advance(10s);
  }
  EXPECT_FALSE(limiter.allowed("a", clock.now()));
  EXPECT_TRUE(limiter.allowed("b", clock.now()));
}

TEST(AttemptLimiter, allows_again_when_a_failure_is_as_old_as_the_window) {
  FakeClock clock;
  AttemptLimiter limiter(2, 60s);
  limiter.failed("a", clock.now());
  clock.advance(30s);
  limiter.failed("a", clock.now());
  clock.advance(30s - 1ns);
  EXPECT_FALSE(limiter.allowed("a", clock.now()));
  clock.advance(1ns);
  EXPECT_TRUE(limiter.allowed("a", clock.now()));
  limiter.failed("a", clock.now());
  EXPECT_FALSE(limiter.allowed("a", clock.now()));
}

TEST(AttemptLimiter, remembers_a_bounded_number_of_keys_and_drops_the_stalest) {
  FakeClock clock;
  AttemptLimiter limiter(1, 60s, 3);
  for (const char* key : {"a", "b", "c", "d"}) {
    limiter.failed(key, clock.now());
    clock.advance(1s);
  }
  EXPECT_TRUE(limiter.allowed("a", clock.now()));
  for (const char* key : {"b", "c", "d"}) EXPECT_FALSE(limiter.allowed(key, clock.now())) << key;
}

}  // namespace
}  // namespace oc::overlay
