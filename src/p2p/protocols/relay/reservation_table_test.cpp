#include "p2p/protocols/relay/reservation_table.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "crypto/keys.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;

codec::PeerId peer(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random).peer_id();
}

struct Table : testing::Test {
  ReservationLimits limits{.members = 3, .strangers = 3, .strangers_of_source = 2, .lifetime = 1h};
  ReservationTable table{limits};
  TimePoint now{100h};

  bool reserve(std::uint64_t who, bool member, const std::string& source = "a") {
    return table.reserve(peer(who), member, source, now).has_value();
  }
};

using Reservations = Table;

TEST_F(Reservations, last_for_their_time_and_are_renewed) {
  EXPECT_EQ(table.reserve(peer(1), true, "a", now), now + 1h);
  EXPECT_TRUE(table.has(peer(1), now + 59min));
  EXPECT_FALSE(table.has(peer(1), now + 1h));
  EXPECT_EQ(table.reserve(peer(1), true, "a", now + 30min), now + 90min);
  EXPECT_TRUE(table.has(peer(1), now + 1h));
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(Reservations, end_when_told) {
  EXPECT_TRUE(reserve(1, true));
  table.end(peer(1));
  table.end(peer(2));
  EXPECT_FALSE(table.has(peer(1), now));
}

TEST_F(Reservations, of_strangers_are_bounded_by_source_and_together) {
  EXPECT_TRUE(reserve(1, false, "a"));
  EXPECT_TRUE(reserve(2, false, "a"));
  EXPECT_FALSE(reserve(3, false, "a"));
  EXPECT_TRUE(reserve(3, false, "b"));
  EXPECT_FALSE(reserve(4, false, "c"));
  EXPECT_TRUE(reserve(1, false, "a")) << "renewing takes no second place";
  EXPECT_TRUE(reserve(5, true, "a")) << "members have places of their own";
}

TEST_F(Reservations, of_members_are_bounded_too) {
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(reserve(i, true));
  EXPECT_FALSE(reserve(4, true));
  now += 1h;
  EXPECT_TRUE(reserve(4, true)) << "those that ran out make room";
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(Reservations, a_refused_renewal_leaves_the_old_one) {
  EXPECT_TRUE(reserve(1, true));
  EXPECT_TRUE(reserve(2, false, "a"));
  EXPECT_TRUE(reserve(3, false, "a"));
  EXPECT_FALSE(reserve(1, false, "a")) << "as a stranger it has no place left";
  EXPECT_TRUE(table.has(peer(1), now));
}

TEST(ReservationLimits, a_thousand_peers_of_one_address_leave_room_for_others) {
  const ReservationLimits limits;
  ReservationTable table(limits);
  const TimePoint now{100h};
  std::size_t granted = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    if (table.reserve(peer(i), false, "a", now)) ++granted;
  }
  EXPECT_EQ(granted, limits.strangers_of_source);
  EXPECT_EQ(table.size(), granted);
  EXPECT_TRUE(table.reserve(peer(1001), false, "b", now));
  EXPECT_TRUE(table.reserve(peer(1002), true, "a", now));
}

}  // namespace
}  // namespace oc::p2p
