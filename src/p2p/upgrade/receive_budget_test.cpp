#include "p2p/upgrade/receive_budget.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace oc::p2p {
namespace {

TEST(ReceiveBudget, gives_so_much_and_no_more) {
  ReceiveBudget budget(100);
  EXPECT_TRUE(budget.take(60));
  EXPECT_TRUE(budget.take(40));
  EXPECT_FALSE(budget.take(1));
  EXPECT_TRUE(budget.take(0));
  budget.give_back(10);
  EXPECT_FALSE(budget.take(11));
  EXPECT_TRUE(budget.take(10));
  EXPECT_EQ(budget.taken(), 100u);
}

TEST(ReceiveBudget, takes_from_the_wider_ones_as_well_or_from_none) {
  ReceiveBudget system(100), peer(80), session(60), other(60);
  peer.move_into(&system);
  session.move_into(&peer);
  other.move_into(&system);
  EXPECT_TRUE(other.take(50));
  EXPECT_TRUE(session.take(30));
  EXPECT_FALSE(session.take(25)) << "the session and the peer had it, the system had not";
  EXPECT_EQ(session.taken(), 30u);
  EXPECT_EQ(peer.taken(), 30u);
  EXPECT_EQ(system.taken(), 80u);
  other.give_back(50);
  EXPECT_TRUE(session.take(25));
  EXPECT_EQ(system.taken(), 55u);
}

TEST(ReceiveBudget, the_one_that_refuses_is_told) {
  int of_session = 0, of_system = 0;
  ReceiveBudget system(10), session(100);
  session.move_into(&system);
  session.on_refused = [&] { ++of_session; };
  system.on_refused = [&] { ++of_system; };
  EXPECT_FALSE(session.take(50));
  EXPECT_FALSE(session.take(101));
  EXPECT_EQ(of_system, 1);
  EXPECT_EQ(of_session, 1);
}

TEST(ReceiveBudget, moves_to_another_with_what_is_taken) {
  ReceiveBudget system(1000), strangers(50);
  strangers.move_into(&system);
  ReceiveBudget session(100);
  session.move_into(&strangers);
  EXPECT_TRUE(session.take(40));
  session.move_into(&system);
  EXPECT_EQ(strangers.taken(), 0u);
  EXPECT_EQ(system.taken(), 40u);
  session.move_into(nullptr);
  EXPECT_EQ(system.taken(), 0u);
  session.give_back(40);
  EXPECT_EQ(session.taken(), 0u);
}

TEST(ReceiveBudget, a_smaller_bound_takes_nothing_back_but_gives_no_more) {
  ReceiveBudget budget(100);
  EXPECT_TRUE(budget.take(80));
  budget.set_most(50);
  EXPECT_EQ(budget.taken(), 80u);
  EXPECT_FALSE(budget.take(1));
  budget.give_back(40);
  EXPECT_TRUE(budget.take(10));
}

TEST(ReceiveBudget, what_goes_gives_everything_back) {
  ReceiveBudget system(100);
  auto session = std::make_unique<ReceiveBudget>(100);
  session->move_into(&system);
  EXPECT_TRUE(session->take(70));
  session.reset();
  EXPECT_EQ(system.taken(), 0u);
}

}  // namespace
}  // namespace oc::p2p
