#include "p2p/swarm/source_gate.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using Refused = SourceGate::Refused;
using boost::asio::ip::make_address;

ResourceLimits few() {
  ResourceLimits limits;
  limits.source = {.connections = 3, .burst = 5, .per_second = 0.5};
  limits.source_v6_48 = {.connections = 4, .burst = 100, .per_second = 1};
  limits.relay = {.connections = 2, .burst = 3, .per_second = 1};
  return limits;
}

codec::PeerId relay_of(Byte id) {
  Bytes multihash(34, id);
  multihash[0] = 0x12;
  multihash[1] = 32;
  return *codec::PeerId::from_bytes(multihash);
}

class Sources : public testing::Test {
 protected:
  // How many of `tries` connections are let in.
  std::size_t enter(const std::string& source, std::size_t tries) {
    std::size_t in = 0;
    for (std::size_t i = 0; i < tries; ++i) in += gate_.enter(make_address(source), now_) ? 0 : 1;
    return in;
  }
  void leave(const std::string& source, std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) gate_.leave(make_address(source));
  }
  std::optional<Refused> refusal(const std::string& source) {
    return gate_.enter(make_address(source), now_);
  }

  TimePoint now_{std::chrono::hours(1)};
  SourceGate gate_{few()};
};

TEST_F(Sources, an_ipv4_address_has_so_many_connections) {
  EXPECT_EQ(enter("192.0.2.1", 10), 3u);
  EXPECT_EQ(refusal("192.0.2.1"), Refused::count);
  EXPECT_EQ(enter("192.0.2.2", 1), 1u) << "its neighbour is another source";
  leave("192.0.2.1", 1);
  EXPECT_EQ(enter("192.0.2.1", 10), 1u);
}

TEST_F(Sources, a_relay_has_so_many_circuits_and_new_ones_a_second) {
  const codec::PeerId relay = relay_of(1);
  EXPECT_FALSE(gate_.enter(relay, now_));
  EXPECT_FALSE(gate_.enter(relay, now_));
  EXPECT_EQ(gate_.enter(relay, now_), Refused::count);
  EXPECT_FALSE(gate_.enter(relay_of(2), now_)) << "the other relay is another source";
  gate_.leave(relay);
  EXPECT_FALSE(gate_.enter(relay, now_));
  gate_.leave(relay);
  EXPECT_EQ(gate_.enter(relay, now_), Refused::rate);
  now_ += 1s;
  EXPECT_FALSE(gate_.enter(relay, now_));
}

TEST_F(Sources, so_many_connections_of_one_are_welcome_beside_those_that_are_not_yet) {
  ResourceLimits limits = few();
  limits.source.trusted = 4;
  limits.source_v6_48.trusted = 5;
  SourceGate gate(limits);
  const auto welcomed = [&](const char* address, int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) {
      EXPECT_FALSE(gate.enter(make_address(address), now_));
      const bool taken = gate.welcome(make_address(address), true);
      if (!taken) gate.leave(make_address(address));
      count += taken ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(welcomed("192.0.2.1", 6), 4);
  EXPECT_EQ(welcomed("192.0.2.2", 1), 1) << "its neighbour is another source";
  gate.leave(make_address("192.0.2.1"), true);
  EXPECT_EQ(welcomed("192.0.2.1", 2), 1);
  EXPECT_EQ(welcomed("2001:db8::1", 5), 4);
  EXPECT_EQ(welcomed("2001:db8:0:100::1", 2), 1) << "the /48 has five";
}

TEST_F(Sources, new_connections_come_at_a_bounded_rate) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(enter("192.0.2.1", 1), 1u);
    leave("192.0.2.1", 1);
  }
  EXPECT_EQ(refusal("192.0.2.1"), Refused::rate);
  now_ += 2s;
  EXPECT_EQ(enter("192.0.2.1", 3), 1u) << "one every two seconds";
  leave("192.0.2.1", 1);
  now_ += 1h;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(enter("192.0.2.1", 1), 1u) << "no more than the burst is saved up";
    leave("192.0.2.1", 1);
  }
  EXPECT_EQ(refusal("192.0.2.1"), Refused::rate);
}

TEST_F(Sources, a_refused_connection_costs_nothing) {
  EXPECT_EQ(enter("192.0.2.1", 100), 3u);
  leave("192.0.2.1", 3);
  EXPECT_EQ(enter("192.0.2.1", 2), 2u) << "two of five tokens are left";
}

TEST_F(Sources, a_welcome_visitor_does_not_use_up_the_rate) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(enter("192.0.2.1", 1), 1u);
    EXPECT_TRUE(gate_.welcome(make_address("192.0.2.1"), true));
  }
}

TEST_F(Sources, an_ipv6_site_is_one_source_within_its_network) {
  EXPECT_EQ(enter("2001:db8:1:100::1", 2), 2u);
  EXPECT_EQ(enter("2001:db8:1:1ff::2", 2), 1u) << "the same /56";
  EXPECT_EQ(enter("2001:db8:1:200::1", 3), 1u) << "another /56 of the same /48";
  EXPECT_EQ(refusal("2001:db8:1:300::1"), Refused::count);
  EXPECT_EQ(enter("2001:db8:2:100::1", 3), 3u) << "another /48";
}

TEST_F(Sources, an_address_of_ipv4_in_ipv6_is_that_ipv4_address) {
  EXPECT_EQ(enter("192.0.2.1", 2), 2u);
  EXPECT_EQ(enter("::ffff:192.0.2.1", 3), 1u);
}

TEST_F(Sources, loopback_is_free) {
  EXPECT_EQ(enter("127.0.0.1", 1000), 1000u);
  EXPECT_EQ(enter("127.1.2.3", 1000), 1000u);
  EXPECT_EQ(enter("::1", 1000), 1000u);
  leave("127.0.0.1", 1000);
  EXPECT_EQ(gate_.size(), 0u);
}

TEST_F(Sources, the_table_is_bounded_and_keeps_what_is_in_use) {
  EXPECT_EQ(enter("192.0.2.1", 3), 3u);
  for (std::uint32_t i = 0; i < 3 * kMaxSources; ++i) {
    const boost::asio::ip::address_v4 source(0x0a000000 + i);
    ASSERT_FALSE(gate_.enter(source, now_));
    gate_.leave(source);
    EXPECT_LE(gate_.size(), kMaxSources);
  }
  EXPECT_EQ(refusal("192.0.2.1"), Refused::count);
}

TEST_F(Sources, sources_whose_buckets_are_full_first_are_forgotten_first) {
  EXPECT_EQ(enter("192.0.2.1", 3), 3u);
  leave("192.0.2.1", 3);
  for (std::uint32_t i = 0; i < kMaxSources; ++i) {
    const boost::asio::ip::address_v4 source(0x0a000000 + i);
    ASSERT_FALSE(gate_.enter(source, now_));
    gate_.leave(source);
  }
  EXPECT_EQ(enter("192.0.2.1", 3), 2u) << "it had used up three of five tokens, and is remembered";
}

}  // namespace
}  // namespace oc::p2p
