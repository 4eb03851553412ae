#include "p2p/swarm/connection_trimmer.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;

codec::PeerId peer_of(std::uint64_t number) {
  return codec::PeerId::of_public_key(as_bytes("peer " + std::to_string(number)));
}

class Trimmer : public testing::Test {
 protected:
  // A connection long past its grace period; its id and its peer's number are the same.
  TrimCandidate old(std::uint64_t number, bool trusted = false) const {
    TrimCandidate out;
    out.id = ConnectionId(number);
    out.peer = peer_of(number);
    out.trusted = trusted;
    out.opened = now_ - 1h;
    return out;
  }
  std::vector<std::uint64_t> choose(std::vector<TrimCandidate> connections) {
    std::vector<std::uint64_t> out;
    for (const ConnectionId id : trimmer_.choose(std::move(connections), now_))
      out.push_back(id.value());
    return out;
  }

  using Ids = std::vector<std::uint64_t>;
  TimePoint now_{std::chrono::hours(10)};
  ConnectionTrimmer trimmer_{{.high_water = 4, .low_water = 2}};
};

TEST_F(Trimmer, closes_nothing_up_to_high_water_and_then_down_to_low_water) {
  std::vector<TrimCandidate> all{old(1), old(2), old(3), old(4)};
  EXPECT_EQ(choose(all), Ids{});
  all.push_back(old(5));
  EXPECT_EQ(choose(all).size(), 3u);
}

TEST_F(Trimmer, strangers_go_before_trusted_peers_whatever_their_value) {
  trimmer_.tag(peer_of(1), "liked", 1000);
  std::vector<TrimCandidate> all{old(2, true), old(3, true), old(1), old(4, true), old(5)};
  EXPECT_EQ(choose(all), (Ids{5, 1, 4}));
}

TEST_F(Trimmer, low_value_goes_before_high) {
  trimmer_.tag(peer_of(1), "a", 5);
  trimmer_.tag(peer_of(1), "b", 10);
  trimmer_.tag(peer_of(2), "a", 14);
  trimmer_.tag(peer_of(3), "a", -1);
  trimmer_.tag(peer_of(5), "a", 20);
  EXPECT_EQ(choose({old(1), old(2), old(3), old(4), old(5)}), (Ids{3, 4, 2}));
}

TEST_F(Trimmer, a_tag_has_one_value_and_can_be_taken_off) {
  trimmer_.tag(peer_of(1), "a", 5);
  trimmer_.tag(peer_of(1), "a", 7);
  EXPECT_EQ(trimmer_.value(peer_of(1)), 7);
  trimmer_.untag(peer_of(1), "b");
  trimmer_.untag(peer_of(1), "a");
  trimmer_.untag(peer_of(1), "a");
  EXPECT_EQ(trimmer_.value(peer_of(1)), 0);
}

TEST_F(Trimmer, idle_goes_before_busy_inbound_before_outbound_young_before_old) {
  std::vector<TrimCandidate> all{old(1), old(2), old(3), old(4), old(5)};
  all[0].streams = 1;
  all[1].direction = Direction::outbound;
  EXPECT_EQ(choose(all), (Ids{5, 4, 3}));
  EXPECT_EQ(choose({all[0], all[1], all[0], all[1], all[1]}), (Ids{2, 2, 2}));
}

TEST_F(Trimmer, protected_peers_stay_until_the_last_protection_is_gone) {
  for (std::uint64_t i = 1; i <= 5; ++i) trimmer_.protect(peer_of(i), "mesh");
  trimmer_.protect(peer_of(1), "relay");
  const std::vector<TrimCandidate> all{old(1), old(2), old(3), old(4), old(5)};
  EXPECT_EQ(choose(all), Ids{});
  trimmer_.unprotect(peer_of(1), "mesh");
  trimmer_.unprotect(peer_of(2), "mesh");
  trimmer_.unprotect(peer_of(6), "mesh");
  EXPECT_TRUE(trimmer_.is_protected(peer_of(1)));
  EXPECT_EQ(choose(all), Ids{2});
}

TEST_F(Trimmer, streams_in_use_protect_a_trusted_peer_and_no_stranger) {
  std::vector<TrimCandidate> all{old(1, true), old(2, true), old(3), old(4, true), old(5, true)};
  for (TrimCandidate& each : all) each.streams = 1;
  EXPECT_EQ(choose(all), Ids{3});
}

TEST_F(Trimmer, young_connections_have_a_grace_period_strangers_a_shorter_one) {
  std::vector<TrimCandidate> all{old(1), old(2), old(3, true), old(4), old(5, true)};
  for (TrimCandidate& each : all) each.opened = now_;
  EXPECT_EQ(choose(all), Ids{});
  now_ += TrimOptions().untrusted_grace - 1ms;
  EXPECT_EQ(choose(all), Ids{});
  now_ += 1ms;
  all.push_back(old(6));
  all.back().opened = now_;
  EXPECT_EQ(choose(all), (Ids{4, 2, 1}));
  now_ += TrimOptions().grace;
  EXPECT_EQ(choose(all), (Ids{6, 4, 2, 1}));
}

TEST_F(Trimmer, of_several_connections_to_a_peer_one_side_closes_the_idle_ones) {
  std::vector<TrimCandidate> of_peer{old(1), old(1), old(1), old(1)};
  for (std::size_t i = 0; i < of_peer.size(); ++i) of_peer[i].id = ConnectionId(i);
  of_peer[1].streams = 1;
  of_peer[3].opened = now_;
  const codec::PeerId smaller = std::min(peer_of(1), peer_of(2));
  const codec::PeerId larger = std::max(peer_of(1), peer_of(2));
  for (TrimCandidate& each : of_peer) each.peer = larger;
  EXPECT_EQ(trimmer_.surplus(smaller, of_peer, now_), std::vector{ConnectionId(2)});
  for (TrimCandidate& each : of_peer) each.peer = smaller;
  EXPECT_TRUE(trimmer_.surplus(larger, of_peer, now_).empty());
}

TEST_F(Trimmer, a_single_connection_is_never_surplus) {
  EXPECT_TRUE(trimmer_.surplus(codec::PeerId(), {old(1)}, now_).empty());
  EXPECT_TRUE(trimmer_.surplus(codec::PeerId(), {}, now_).empty());
}

}  // namespace
}  // namespace oc::p2p
