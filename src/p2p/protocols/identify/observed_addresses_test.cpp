#include "p2p/protocols/identify/observed_addresses.hpp"

#include <gtest/gtest.h>

#include <map>

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<codec::Multiaddr>;

codec::Multiaddr address(const std::string& text) { return *codec::Multiaddr::parse(text); }

// Any peer id of a number.
codec::PeerId peer(std::uint32_t number) {
  Bytes key(36);
  put_be32(key.data(), number);
  return codec::PeerId::of_public_key(key);
}

class ObservedAddressesTest : public testing::Test {
 protected:
  // What peer `number` sees on its one connection, from a place of its own.
  Observation seen(std::uint32_t number) {
    return {peer(number), address("/ip4/198.51.100." + std::to_string(number) + "/tcp/4001"),
            local_,       external_,
            true,         false};
  }
  void observe(std::uint32_t number) { observe(number, seen(number)); }
  void observe(std::uint32_t number, Observation observation) {
    observed_.observe(ConnectionId(number), std::move(observation), now_);
  }
  void trusted(std::uint32_t number) {
    observe(number);
    observed_.trust(ConnectionId(number));
  }
  void ended(std::uint32_t number) { observed_.ended(ConnectionId(number), now_); }
  Addresses confirmed() const { return observed_.confirmed(now_); }
  // Whether four observers of this kind make an address ours.
  template <class Change>
  bool confirms(Change change) {
    for (std::uint32_t i = 1; i <= 4; ++i) {
      Observation observation = seen(i);
      change(observation);
      observe(i, observation);
    }
    return !confirmed().empty();
  }

  const codec::Multiaddr local_ = address("/ip4/192.168.1.2/tcp/4001");
  const codec::Multiaddr external_ = address("/ip4/203.0.113.7/tcp/4001");
  TimePoint now_{1h};
  ObservedAddresses observed_;
};

TEST_F(ObservedAddressesTest, four_observers_that_agree_make_an_address_ours) {
  for (std::uint32_t i = 1; i <= 3; ++i) observe(i);
  EXPECT_TRUE(confirmed().empty());
  observe(4);
  EXPECT_EQ(confirmed(), Addresses{external_});
}

TEST_F(ObservedAddressesTest, observers_that_do_not_agree_prove_nothing) {
  EXPECT_FALSE(confirms([port = 1](Observation& o) mutable {
    o.observed = address("/ip4/203.0.113.7/tcp/" + std::to_string(port++));
  }));
}

TEST_F(ObservedAddressesTest, two_observers_that_the_owner_trusts_are_enough) {
  trusted(1);
  EXPECT_TRUE(confirmed().empty());
  observe(2);
  EXPECT_TRUE(confirmed().empty());
  observed_.trust(ConnectionId(2));
  EXPECT_EQ(confirmed(), Addresses{external_});
}

TEST_F(ObservedAddressesTest, how_many_are_enough_can_be_set) {
  observed_ = ObservedAddresses({.any = 2, .trusted = 1});
  observe(1);
  EXPECT_TRUE(confirmed().empty());
  observed_.trust(ConnectionId(1));
  EXPECT_EQ(confirmed().size(), 1u);
  observed_ = ObservedAddresses({.any = 2, .trusted = 1});
  observe(1);
  observe(2);
  EXPECT_EQ(confirmed().size(), 1u);
}

TEST_F(ObservedAddressesTest, all_peers_at_one_ip4_address_are_one_observer) {
  EXPECT_FALSE(confirms([port = 1](Observation& o) mutable {
    o.remote = address("/ip4/198.51.100.1/tcp/" + std::to_string(port++));
  }));
}

TEST_F(ObservedAddressesTest, all_peers_in_one_ip6_network_are_one_observer) {
  const auto from = [&](const char* format) {
    observed_ = ObservedAddresses();
    return confirms([format, i = 1](Observation& o) mutable {
      std::string ip = format;
      ip.replace(ip.find('#'), 1, std::to_string(i++));
      o.remote = address(ip);
      o.local = address("/ip6/fd00::2/tcp/4001");
      o.observed = address("/ip6/2001:db8:99::7/tcp/4001");
    });
  };
  EXPECT_FALSE(from("/ip6/2001:db8:0:10#::1/tcp/1")) << "one /56";
  EXPECT_TRUE(from("/ip6/2001:db8:0:#00::1/tcp/1")) << "four of them";
}

TEST_F(ObservedAddressesTest, one_peer_in_four_places_is_one_observer) {
  EXPECT_FALSE(confirms([](Observation& o) { o.observer = peer(1); }));
}

TEST_F(ObservedAddressesTest, what_proves_nothing_is_left_out) {
  using Change = void (*)(Observation&);
  const std::map<std::string, Change> changes{
      {"a port taken for the dial", [](Observation& o) { o.at_listen_port = false; }},
      {"over loopback", [](Observation& o) { o.remote = address("/ip4/127.0.0.1/tcp/1"); }},
      {"over a relay",
       [](Observation& o) {
         const auto circuit = o.remote.with_peer(peer(99)).concat(address("/p2p-circuit"));
         o.remote = *circuit;
       }},
      {"through NAT64",
       [](Observation& o) { o.remote = address("/ip6/64:ff9b::c633:6401/tcp/1"); }},
      {"through a local NAT64",
       [](Observation& o) { o.remote = address("/ip6/64:ff9b:1::c633:6401/tcp/1"); }},
      {"seen on loopback", [](Observation& o) { o.observed = address("/ip4/127.0.0.1/tcp/1"); }},
      {"seen on the link", [](Observation& o) { o.observed = address("/ip4/169.254.1.1/tcp/1"); }},
      {"no host", [](Observation& o) { o.observed = address("/ip4/0.0.0.0/tcp/1"); }},
      {"private, seen from outside",
       [](Observation& o) { o.observed = address("/ip4/10.0.0.1/tcp/1"); }},
      {"another family", [](Observation& o) { o.observed = address("/ip6/2001:db8::1/tcp/1"); }},
      {"another protocol",
       [](Observation& o) { o.observed = address("/ip4/203.0.113.7/udp/1/quic-v1"); }},
      {"no port", [](Observation& o) { o.observed = address("/ip4/203.0.113.7/tcp/0"); }},
      {"a name", [](Observation& o) { o.observed = address("/dns4/a.example/tcp/1"); }},
      {"nothing new", [](Observation& o) { o.observed = o.local; }},
  };
  for (const auto& [what, change] : changes) {
    EXPECT_FALSE(confirms(change)) << what;
    EXPECT_EQ(observed_.size(), 0u) << what;
  }
  // An observer without an IP address, too: there is no telling how many it is.
  EXPECT_FALSE(confirms([](Observation& o) { o.remote = address("/dns4/a.example/tcp/1"); }));
}

TEST_F(ObservedAddressesTest, a_private_address_counts_in_a_private_network) {
  EXPECT_TRUE(confirms([i = 1](Observation& o) mutable {
    o.remote = address("/ip4/10.1.0." + std::to_string(i++) + "/tcp/1");
    o.observed = address("/ip4/10.0.0.1/tcp/4001");
  }));
}

TEST_F(ObservedAddressesTest, at_most_three_addresses_are_taken_and_those_with_the_most_observers) {
  std::uint32_t number = 0;
  for (int ip = 1; ip <= 5; ++ip) {
    for (int i = 0; i < 3 + ip; ++i) {
      Observation observation = seen(++number);
      observation.observed = address("/ip4/203.0.113." + std::to_string(ip) + "/tcp/4001");
      observe(number, observation);
    }
  }
  EXPECT_EQ(confirmed(),
            (Addresses{address("/ip4/203.0.113.5/tcp/4001"), address("/ip4/203.0.113.4/tcp/4001"),
                       address("/ip4/203.0.113.3/tcp/4001")}));
}

TEST_F(ObservedAddressesTest, each_address_listened_on_has_its_own) {
  for (std::uint32_t i = 1; i <= 4; ++i) observe(i);
  for (std::uint32_t i = 5; i <= 8; ++i) {
    Observation other = seen(i);
    other.local = address("/ip4/192.168.7.2/tcp/4001");
    other.observed = address("/ip4/203.0.113.99/tcp/4001");
    observe(i, other);
  }
  EXPECT_EQ(confirmed().size(), 2u);
}

TEST_F(ObservedAddressesTest, a_second_word_on_a_connection_takes_the_place_of_the_first) {
  for (std::uint32_t i = 1; i <= 4; ++i) observe(i);
  Observation other = seen(4);
  other.observed = address("/ip4/203.0.113.8/tcp/4001");
  observe(4, other);
  EXPECT_TRUE(confirmed().empty());
  observe(4);
  EXPECT_EQ(confirmed().size(), 1u);
}

TEST_F(ObservedAddressesTest, an_observation_outlives_its_connection_by_a_while) {
  for (std::uint32_t i = 1; i <= 4; ++i) observe(i);
  now_ += 10 * kObservationLife;
  EXPECT_EQ(confirmed().size(), 1u) << "as long as the connection lives";
  for (std::uint32_t i = 1; i <= 4; ++i) ended(i);
  now_ += kObservationLife - 1s;
  EXPECT_EQ(confirmed().size(), 1u);
  now_ += 1s;
  EXPECT_TRUE(confirmed().empty());
  observe(5);
  EXPECT_EQ(observed_.size(), 1u) << "and is then forgotten";
}

TEST_F(ObservedAddressesTest, an_observer_that_comes_back_is_believed_anew) {
  for (std::uint32_t i = 1; i <= 4; ++i) observe(i);
  for (std::uint32_t i = 1; i <= 4; ++i) ended(i);
  const auto moved = address("/ip4/203.0.113.8/tcp/4001");
  for (std::uint32_t i = 1; i <= 4; ++i) {
    Observation later = seen(i);
    later.observed = moved;
    observe(10 + i, later);
  }
  EXPECT_EQ(confirmed(), Addresses{moved}) << "nobody says the old one any more";
  EXPECT_EQ(observed_.size(), 4u);
}

TEST_F(ObservedAddressesTest, those_that_see_us_now_come_before_those_that_did) {
  for (std::uint32_t i = 1; i <= 6; ++i) observe(i);
  for (std::uint32_t i = 1; i <= 6; ++i) ended(i);
  const auto moved = address("/ip4/203.0.113.99/tcp/4001");
  for (std::uint32_t i = 11; i <= 14; ++i) {
    Observation later = seen(i);
    later.observed = moved;
    observe(i, later);
  }
  EXPECT_EQ(confirmed(), (Addresses{moved, external_}));
}

TEST_F(ObservedAddressesTest, is_bounded_and_strangers_do_not_drive_out_who_is_trusted) {
  trusted(1);
  trusted(2);
  ended(1);
  ended(2);
  for (std::uint32_t i = 0; i < kMaxObservations + 10; ++i) {
    Observation stranger = seen(3);
    stranger.observer = peer(100 + i);
    stranger.remote =
        address("/ip4/9." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
                std::to_string(i & 255) + "/tcp/1");
    stranger.observed = address("/ip4/203.0.113.66/tcp/" + std::to_string(i + 1));
    observe(100 + i, stranger);
    now_ += 1ms;
    ended(100 + i);
    EXPECT_LE(observed_.size(), kMaxObservations);
  }
  EXPECT_EQ(confirmed(), Addresses{external_});
}

TEST_F(ObservedAddressesTest, when_it_is_full_of_living_connections_a_new_one_is_not_taken) {
  const auto observed_by = [this](std::uint32_t connection, std::uint32_t place) {
    observe(connection, seen(place));
    return observed_.size();
  };
  for (std::uint32_t i = 0; i < kMaxObservations; ++i) observed_by(i, 1);
  EXPECT_EQ(observed_by(10'000, 2), kMaxObservations);
  ended(7);
  ended(8);
  EXPECT_EQ(observed_by(10'001, 2), kMaxObservations) << "it has the place of one that ended";
  now_ += kObservationLife;
  EXPECT_EQ(observed_by(10'002, 2), kMaxObservations) << "and this that of the other";
  EXPECT_EQ(observed_by(10'003, 2), kMaxObservations);
}

}  // namespace
}  // namespace oc::p2p
