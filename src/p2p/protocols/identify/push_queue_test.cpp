#include "p2p/protocols/identify/push_queue.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

ConnectionId id(std::uint64_t number) { return ConnectionId(number); }

class PushQueueTest : public testing::Test {
 protected:
  void add(std::uint64_t number, bool takes = true) {
    queue_.connected(id(number));
    queue_.told(id(number));
    queue_.takes_pushes(id(number), takes);
  }
  std::vector<ConnectionId> all_next() {
    std::vector<ConnectionId> out;
    while (auto next = queue_.next()) out.push_back(*next);
    return out;
  }
  void push(std::uint64_t number) {
    queue_.told(id(number));
    queue_.done(id(number));
  }

  PushQueue queue_;
};

TEST_F(PushQueueTest, who_takes_pushes_is_told_of_a_change_once) {
  add(1);
  add(2);
  add(3, false);
  EXPECT_FALSE(queue_.next());
  queue_.changed();
  EXPECT_EQ(all_next(), (std::vector{id(1), id(2)}));
  push(1);
  push(2);
  EXPECT_FALSE(queue_.next());
}

TEST_F(PushQueueTest, who_asked_after_the_change_needs_no_push) {
  add(1);
  queue_.changed();
  queue_.told(id(1));
  EXPECT_FALSE(queue_.next());
}

TEST_F(PushQueueTest, who_turns_out_to_take_pushes_is_told_of_the_change_before) {
  add(1, false);
  queue_.changed();
  EXPECT_FALSE(queue_.next());
  queue_.takes_pushes(id(1), true);
  EXPECT_EQ(queue_.next(), id(1));
}

TEST_F(PushQueueTest, who_no_longer_takes_pushes_is_left_alone) {
  add(1);
  queue_.changed();
  queue_.takes_pushes(id(1), false);
  EXPECT_FALSE(queue_.next());
}

TEST_F(PushQueueTest, changes_before_a_push_need_one_push_and_a_change_during_it_another) {
  add(1);
  queue_.changed();
  queue_.changed();
  EXPECT_EQ(all_next(), std::vector{id(1)});
  queue_.told(id(1));
  queue_.changed();
  EXPECT_FALSE(queue_.next()) << "never two at once to one";
  queue_.done(id(1));
  EXPECT_EQ(all_next(), std::vector{id(1)});
  push(1);
  EXPECT_FALSE(queue_.next());
}

TEST_F(PushQueueTest, a_push_that_fails_is_not_tried_again_before_the_next_change) {
  add(1);
  queue_.changed();
  EXPECT_EQ(queue_.next(), id(1));
  queue_.done(id(1));  // without having told
  EXPECT_FALSE(queue_.next());
  queue_.changed();
  EXPECT_EQ(queue_.next(), id(1));
}

TEST_F(PushQueueTest, only_so_many_are_under_way_at_once) {
  for (std::uint64_t i = 1; i <= kMaxPushesAtOnce + 2; ++i) add(i);
  queue_.changed();
  EXPECT_EQ(all_next().size(), kMaxPushesAtOnce);
  push(1);
  EXPECT_EQ(all_next(), std::vector{id(kMaxPushesAtOnce + 1)});
  queue_.disconnected(id(2));
  EXPECT_EQ(all_next(), std::vector{id(kMaxPushesAtOnce + 2)});
  queue_.done(id(2));
  EXPECT_FALSE(queue_.next()) << "what is gone frees one place only";
}

TEST_F(PushQueueTest, who_is_gone_is_not_told) {
  add(1);
  add(2);
  queue_.changed();
  queue_.disconnected(id(1));
  EXPECT_EQ(all_next(), std::vector{id(2)});
  queue_.disconnected(id(2));
  EXPECT_TRUE(queue_.empty());
}

}  // namespace
}  // namespace oc::p2p
