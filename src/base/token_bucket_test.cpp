#include "base/token_bucket.hpp"

#include <gtest/gtest.h>

namespace oc {
namespace {

using namespace std::chrono_literals;

class TokenBucketTest : public testing::Test {
 protected:
  int take_all() {
    int taken = 0;
    while (bucket_.take(now_)) ++taken;
    return taken;
  }

  TokenBucket bucket_{5s, 3};
  TimePoint now_{1h};
};

TEST_F(TokenBucketTest, a_full_one_gives_a_burst) {
  EXPECT_EQ(take_all(), 3);
  EXPECT_EQ(bucket_.wait(now_), 5s);
}

TEST_F(TokenBucketTest, one_token_comes_back_every_interval) {
  take_all();
  now_ += 4999ms;
  EXPECT_EQ(bucket_.wait(now_), 1ms);
  EXPECT_EQ(take_all(), 0);
  now_ += 1ms;
  EXPECT_EQ(bucket_.wait(now_), 0s);
  EXPECT_EQ(take_all(), 1);
  now_ += 10s;
  EXPECT_EQ(take_all(), 2);
}

TEST_F(TokenBucketTest, no_pause_makes_it_more_than_full) {
  take_all();
  now_ += 1000h;
  EXPECT_EQ(take_all(), 3);
}

TEST_F(TokenBucketTest, a_refusal_costs_nothing) {
  take_all();
  now_ += 4s;
  EXPECT_FALSE(bucket_.take(now_));
  now_ += 1s;
  EXPECT_TRUE(bucket_.take(now_));
}

}  // namespace
}  // namespace oc
