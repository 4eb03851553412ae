#include "overlay/dial_schedule.hpp"

#include <gtest/gtest.h>

namespace oc::overlay {
namespace {

using namespace std::chrono_literals;

const codec::PeerId kPeer = codec::PeerId::of_public_key(as_bytes("a peer"));
const codec::PeerId kOther = codec::PeerId::of_public_key(as_bytes("another"));

// How long after `from` the peer is due.
Duration wait_of(const DialSchedule& schedule, TimePoint from) {
  Duration wait{0};
  while (!schedule.due(kPeer, from + wait)) wait += 1ms;
  return wait;
}

TEST(DialSchedule, dials_a_new_peer_at_once) {
  FakeRandom random(1);
  EXPECT_TRUE(DialSchedule(random).due(kPeer, FakeClock().now()));
}

TEST(DialSchedule, doubles_the_wait_up_to_its_end_within_the_jitter) {
  const TimePoint now = FakeClock().now();
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    FakeRandom random(seed);
    DialSchedule schedule(random);
    Duration expected = kFirstRetry;
    for (int failure = 0; failure < 14; ++failure) {
      schedule.failed(kPeer, now);
      const Duration wait = wait_of(schedule, now);
      EXPECT_GE(wait, expected * 3 / 4) << failure;
      EXPECT_LE(wait, expected * 5 / 4 + 1ms) << failure;
      expected = std::min(kLastRetry, expected * 2);
    }
  }
}

TEST(DialSchedule, spreads_nodes_that_lost_the_same_peer) {
  const TimePoint now = FakeClock().now();
  std::set<Duration> waits;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    FakeRandom random(seed);
    DialSchedule schedule(random);
    schedule.failed(kPeer, now);
    waits.insert(wait_of(schedule, now));
  }
  EXPECT_GT(waits.size(), 10u);
}

TEST(DialSchedule, tries_a_peer_that_refuses_us_seldom) {
  FakeRandom random(1);
  DialSchedule schedule(random);
  const TimePoint now = FakeClock().now();
  schedule.refused(kPeer, now);
  EXPECT_FALSE(schedule.due(kPeer, now + kRefusedRetry - 1ns));
  EXPECT_TRUE(schedule.due(kPeer, now + kRefusedRetry));
}

TEST(DialSchedule, keeps_only_those_that_are_still_wanted) {
  FakeRandom random(1);
  DialSchedule schedule(random);
  const TimePoint now = FakeClock().now();
  schedule.refused(kPeer, now);
  schedule.refused(kOther, now);
  schedule.keep_only([](const codec::PeerId& peer) { return peer == kOther; });
  EXPECT_TRUE(schedule.due(kPeer, now));
  EXPECT_FALSE(schedule.due(kOther, now));
}

TEST(DialSchedule, begins_anew_after_news_of_the_peer) {
  FakeRandom random(1);
  DialSchedule schedule(random);
  const TimePoint now = FakeClock().now();
  for (int i = 0; i < 10; ++i) schedule.failed(kPeer, now);
  schedule.failed(kOther, now);
  schedule.reset(kPeer);
  EXPECT_TRUE(schedule.due(kPeer, now));
  EXPECT_FALSE(schedule.due(kOther, now));
  schedule.failed(kPeer, now);
  EXPECT_LE(wait_of(schedule, now), kFirstRetry * 5 / 4 + 1ms);
}

}  // namespace
}  // namespace oc::overlay
