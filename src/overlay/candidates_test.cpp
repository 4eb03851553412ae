#include "overlay/candidates.hpp"

#include <gtest/gtest.h>

#include "support/overlay_world.hpp"

namespace oc::overlay {
namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<codec::Multiaddr>;

const TimePoint kStart{1h};

codec::PeerId peer(std::uint64_t number) { return test::key_of(number).peer_id(); }
Addresses at(const std::string& ip) {
  return {*codec::Multiaddr::parse("/ip4/" + ip + "/tcp/1985")};
}

TEST(Candidates, one_that_is_new_may_be_dialed_at_once) {
  Candidates candidates;
  EXPECT_TRUE(candidates.add(peer(1), at("192.168.0.1"), kStart));
  EXPECT_EQ(candidates.due(kStart), std::vector{peer(1)});
  EXPECT_EQ(candidates.addresses_of(peer(1)), at("192.168.0.1"));
  EXPECT_TRUE(candidates.take(peer(1), kStart));
}

TEST(Candidates, who_has_waited_longest_comes_first) {
  Candidates candidates;
  for (std::uint64_t i = 1; i <= 8; ++i)
    (void)candidates.add(peer(i), at("192.168.0.1"), kStart + i * 1ms);
  std::vector<codec::PeerId> expected;
  for (std::uint64_t i = 1; i <= 8; ++i) expected.push_back(peer(i));
  EXPECT_EQ(candidates.due(kStart + 1s), expected);
}

TEST(Candidates, one_that_is_not_reached_is_dialed_less_and_less_often) {
  Candidates candidates;
  TimePoint now = kStart;
  for (const Duration pause : {30s, 60s, 120s, 240s, 480s, 600s, 600s}) {
    (void)candidates.add(peer(1), at("192.168.0.1"), now);
    ASSERT_TRUE(candidates.take(peer(1), now));
    EXPECT_TRUE(candidates.due(now + pause - 1ms).empty());
    EXPECT_FALSE(candidates.take(peer(1), now + pause - 1ms));
    now += pause;
    EXPECT_EQ(candidates.due(now).size(), 1u);
  }
}

TEST(Candidates, one_that_is_no_member_is_left_alone_however_often_it_is_heard_of) {
  Candidates candidates;
  (void)candidates.add(peer(1), at("192.168.0.1"), kStart);
  ASSERT_TRUE(candidates.take(peer(1), kStart));
  candidates.refused(peer(1), kStart + 1s);
  for (TimePoint now = kStart + 2s; now < kStart + kRefusedCandidateRetry; now += 10s) {
    (void)candidates.add(peer(1), at("192.168.0.2"), now);
    EXPECT_TRUE(candidates.due(now).empty());
  }
  EXPECT_EQ(candidates.due(kStart + 1s + kRefusedCandidateRetry), std::vector{peer(1)});
  EXPECT_EQ(candidates.addresses_of(peer(1)), at("192.168.0.2"));
}

TEST(Candidates, many_that_are_invented_are_dialed_at_a_bounded_rate) {
  Candidates candidates;
  for (std::uint64_t i = 0; i < kMaxCandidates; ++i)
    (void)candidates.add(peer(i), at("192.168.0.1"), kStart);
  int dialed = 0;
  for (TimePoint now = kStart; now < kStart + 100s; now += 250ms) {
    for (const codec::PeerId& due : candidates.due(now))
      dialed += candidates.take(due, now) ? 1 : 0;
  }
  EXPECT_EQ(dialed, kCandidateBurst + 9);
}

TEST(Candidates, too_many_are_refused_until_others_are_forgotten) {
  Candidates candidates;
  for (std::uint64_t i = 0; i < kMaxCandidates; ++i)
    EXPECT_TRUE(candidates.add(peer(i), at("192.168.0.1"), kStart));
  EXPECT_FALSE(candidates.add(peer(1000), at("192.168.0.1"), kStart + kCandidateLifetime));
  EXPECT_TRUE(candidates.add(peer(1), at("192.168.0.3"), kStart + kCandidateLifetime));
  EXPECT_EQ(candidates.size(), kMaxCandidates);
  EXPECT_TRUE(candidates.add(peer(1000), at("192.168.0.1"), kStart + kCandidateLifetime + 1ms));
  EXPECT_EQ(candidates.size(), 2u);
}

TEST(Candidates, only_some_addresses_of_one_are_kept) {
  Candidates candidates;
  Addresses many;
  for (std::size_t i = 0; i < 2 * kMaxCandidateAddresses; ++i)
    many.push_back(at("10.0.0." + std::to_string(i)).front());
  (void)candidates.add(peer(1), many, kStart);
  many.resize(kMaxCandidateAddresses);
  EXPECT_EQ(candidates.addresses_of(peer(1)), many);
}

TEST(Candidates, nobody_knows_a_stranger) {
  Candidates candidates;
  candidates.refused(peer(1), kStart);
  EXPECT_FALSE(candidates.take(peer(1), kStart));
  EXPECT_TRUE(candidates.addresses_of(peer(1)).empty());
  EXPECT_EQ(candidates.size(), 0u);
}

}  // namespace
}  // namespace oc::overlay
