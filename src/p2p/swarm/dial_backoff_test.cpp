#include "p2p/swarm/dial_backoff.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "crypto/keys.hpp"
#include "p2p/error.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
namespace errc = boost::system::errc;

codec::PeerId peer_of(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random).peer_id();
}

codec::Multiaddr address_of(std::size_t port) {
  return *codec::Multiaddr::parse("/ip4/198.51.100.1/tcp/" + std::to_string(port));
}

const error_code kRefused = errc::make_error_code(errc::connection_refused);

class DialBackoffTable : public testing::Test {
 protected:
  // How long an address is left alone now; looked for in steps of a second.
  Duration wait() const {
    Duration out{};
    while (backoff_.waits(peer_, address_, now_ + out)) out += 1s;
    return out;
  }
  void fail(error_code why = kRefused) { backoff_.failed(peer_, address_, why, now_); }

  const codec::PeerId peer_ = peer_of(1);
  const codec::Multiaddr address_ = address_of(1);
  TimePoint now_{std::chrono::hours(1)};
  DialBackoff backoff_;
};

TEST_F(DialBackoffTable, waits_grow_with_the_square_of_the_failures_up_to_five_minutes) {
  EXPECT_EQ(wait(), 0s);
  for (const Duration expected : {5s, 6s, 9s, 14s, 21s, 30s}) {
    fail();
    EXPECT_EQ(wait(), expected);
    now_ += wait();
  }
  for (int i = 0; i < 2000; ++i) {
    fail();
    EXPECT_LE(wait(), kMaxDialBackoff);
    now_ += wait();
  }
  fail();
  EXPECT_EQ(wait(), kMaxDialBackoff);
}

TEST_F(DialBackoffTable, one_address_of_one_peer_waits_and_no_other) {
  fail();
  EXPECT_TRUE(backoff_.waits(peer_, address_, now_));
  EXPECT_FALSE(backoff_.waits(peer_, address_of(2), now_));
  EXPECT_FALSE(backoff_.waits(peer_of(2), address_, now_));
}

TEST_F(DialBackoffTable, a_peer_that_was_reached_starts_anew_with_all_its_addresses) {
  fail();
  fail();
  backoff_.failed(peer_, address_of(2), kRefused, now_);
  backoff_.failed(peer_of(2), address_, kRefused, now_);
  backoff_.reached(peer_);
  EXPECT_EQ(wait(), 0s);
  EXPECT_FALSE(backoff_.waits(peer_, address_of(2), now_));
  EXPECT_EQ(backoff_.size(), 1u) << "the other peer's entry stays";
  fail();
  EXPECT_EQ(wait(), 5s);
}

TEST_F(DialBackoffTable, old_failures_are_forgotten) {
  for (int i = 0; i < 5; ++i) fail();
  now_ += wait() + kDialBackoffMemory;
  fail();
  EXPECT_EQ(wait(), 5s);
}

TEST_F(DialBackoffTable, what_our_own_side_lacks_is_not_held_against_an_address) {
  for (const error_code why :
       {error_code(Errc::cancelled), error_code(Errc::closed),
        error_code(P2pErrc::connection_limit), errc::make_error_code(errc::network_unreachable),
        errc::make_error_code(errc::network_down),
        errc::make_error_code(errc::address_not_available),
        errc::make_error_code(errc::too_many_files_open)}) {
    fail(why);
    EXPECT_EQ(wait(), 0s) << why.message();
  }
  EXPECT_EQ(backoff_.size(), 0u);
  for (const error_code why :
       {kRefused, errc::make_error_code(errc::host_unreachable), error_code(Errc::timed_out),
        error_code(Errc::reset), error_code(P2pErrc::wrong_peer),
        error_code(P2pErrc::handshake_failed), error_code(P2pErrc::dial_to_self)}) {
    fail(why);
    EXPECT_GT(wait(), 0s) << why.message();
    backoff_.reached(peer_);
  }
}

TEST_F(DialBackoffTable, the_table_is_bounded_and_keeps_what_waits_longest) {
  for (int i = 0; i < 9; ++i) fail();
  now_ += 1s;
  const codec::PeerId other = peer_of(2);
  for (std::size_t i = 0; i < kMaxDialBackoffs + 100; ++i) {
    backoff_.failed(other, address_of(2 + i), kRefused, now_ + 1us * i);
  }
  EXPECT_EQ(backoff_.size(), kMaxDialBackoffs);
  EXPECT_TRUE(backoff_.waits(peer_, address_, now_));
}

}  // namespace
}  // namespace oc::p2p
