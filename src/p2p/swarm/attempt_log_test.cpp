#include "p2p/swarm/attempt_log.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "crypto/keys.hpp"
#include "p2p/error.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;

codec::PeerId peer_of(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random).peer_id();
}

codec::Multiaddr address_of(std::size_t port) {
  return *codec::Multiaddr::parse("/ip4/198.51.100.1/tcp/" + std::to_string(port));
}

class AttemptLogTable : public testing::Test {
 protected:
  FakeClock clock_;
  AttemptLog log_;
};

TEST_F(AttemptLogTable, an_attempt_is_logged_with_its_time_and_its_outcome) {
  const TimePoint start = clock_.now();
  {
    LoggedAttempt attempt(log_, clock_, peer_of(1), address_of(7), Origin::punched);
    clock_.advance(30ms);
    attempt.end(P2pErrc::wrong_peer);
    EXPECT_TRUE(log_.of(peer_of(1)).empty()) << "it is still under way";
  }
  const std::vector<Attempt> logged = log_.of(peer_of(1));
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].address, address_of(7));
  EXPECT_EQ(logged[0].how, Origin::punched);
  EXPECT_EQ(logged[0].started, start);
  EXPECT_EQ(logged[0].took, 30ms);
  EXPECT_EQ(logged[0].outcome, P2pErrc::wrong_peer);
  EXPECT_TRUE(log_.of(peer_of(2)).empty());
}

TEST_F(AttemptLogTable, an_attempt_that_was_dropped_is_logged_as_cancelled) {
  {
    LoggedAttempt attempt(log_, clock_, peer_of(1), address_of(7), Origin::dialed);
  }
  EXPECT_EQ(log_.of(peer_of(1)).at(0).outcome, Errc::cancelled);
}

TEST_F(AttemptLogTable, the_newest_of_a_peer_are_kept_and_come_first) {
  for (std::size_t port = 1; port <= kMaxLoggedAttempts + 5; ++port)
    LoggedAttempt(log_, clock_, peer_of(1), address_of(port), Origin::dialed).end({});
  const std::vector<Attempt> logged = log_.of(peer_of(1));
  ASSERT_EQ(logged.size(), kMaxLoggedAttempts);
  EXPECT_EQ(logged.front().address, address_of(kMaxLoggedAttempts + 5));
  EXPECT_EQ(logged.back().address, address_of(6));
}

TEST_F(AttemptLogTable, when_it_is_full_the_peer_goes_that_was_tried_longest_ago) {
  const auto log = [&](std::uint64_t seed) {
    clock_.advance(1s);
    LoggedAttempt(log_, clock_, peer_of(seed), address_of(1), Origin::dialed).end({});
  };
  for (std::uint64_t seed = 1; seed <= kMaxLoggedPeers; ++seed) log(seed);
  log(1);
  log(kMaxLoggedPeers + 1);
  EXPECT_EQ(log_.peers(), kMaxLoggedPeers);
  EXPECT_EQ(log_.of(peer_of(1)).size(), 2u);
  EXPECT_TRUE(log_.of(peer_of(2)).empty());
  EXPECT_EQ(log_.of(peer_of(kMaxLoggedPeers + 1)).size(), 1u);
}

}  // namespace
}  // namespace oc::p2p
