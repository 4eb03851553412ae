#include "p2p/protocols/relay/relay_message.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "crypto/error.hpp"
#include "crypto/keys.hpp"
#include "p2p/protocols/relay/relay_voucher.hpp"
#include "p2p/relay.pb.h"
#include "support/vectors.hpp"

namespace oc::p2p {
namespace {

using test::hex;

crypto::PrivateKey key(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random);
}

WallTime at(std::uint64_t seconds) { return from_unix_seconds(seconds); }

HopMessage full_answer() {
  HopMessage message;
  message.status = RelayStatus::ok;
  message.reservation =
      Reservation{at(1'800'000'000), {*codec::Multiaddr::parse("/ip4/192.0.2.1/tcp/1985")}, {1, 2}};
  message.limit = CircuitLimit{std::chrono::seconds(120), 131'072};
  return message;
}

TEST(RelayMessage, comes_back_as_it_was) {
  HopMessage reserve;
  reserve.type = HopMessage::Type::reserve;
  HopMessage connect;
  connect.type = HopMessage::Type::connect;
  connect.peer = key(1).peer_id();
  for (const HopMessage& message : {reserve, connect, full_answer()}) {
    const auto back = decode_hop(encode(message));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, message);
  }
  StopMessage stop;
  stop.type = StopMessage::Type::connect;
  stop.peer = key(2).peer_id();
  stop.limit = CircuitLimit{};
  const auto back = decode_stop(encode(stop));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, stop) << "a limit of nothing is a limit all the same";
}

// By the field numbers of the specification.
TEST(RelayMessage, has_the_bytes_of_the_specification) {
  HopMessage reserve;
  reserve.type = HopMessage::Type::reserve;
  EXPECT_EQ(to_hex(encode(reserve)), "0800");
  HopMessage refused;
  refused.status = RelayStatus::no_reservation;
  EXPECT_EQ(to_hex(encode(refused)), "080228cc01");
  EXPECT_EQ(to_hex(encode(full_answer())),
            "0802"          // type STATUS
            "1a14"          // reservation
            "0880a4a7da06"  // expire
            "1208"
            "04c00002010607c1"  // addrs
            "1a02"
            "0102"  // voucher
            "2206"
            "0878"
            "10808008"  // limit: duration, data
            "2864");    // status OK
  StopMessage stop;
  stop.status = RelayStatus::ok;
  EXPECT_EQ(to_hex(encode(stop)), "08012064");
}

TEST(RelayMessage, what_is_none_is_refused) {
  EXPECT_FALSE(decode_hop({})) << "no type";
  EXPECT_FALSE(decode_hop(hex("28cc01"))) << "a status alone";
  EXPECT_FALSE(decode_hop(hex("0807"))) << "an unknown type counts as none";
  EXPECT_FALSE(
      decode_hop(hex("0801"
                     "1203"
                     "0a0101")))
      << "a peer id that is none";
  EXPECT_FALSE(decode_stop(hex("ffff")));
}

TEST(RelayMessage, every_cut_is_taken_or_refused_in_peace) {
  const Bytes whole = encode(full_answer());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto decoded = decode_hop(BytesView(whole).first(size));
    EXPECT_FALSE(decoded && *decoded == full_answer());
  }
}

TEST(RelayMessage, an_expiry_beyond_all_time_is_the_end_of_time) {
  pb::HopMessage wire;
  wire.set_type(pb::HopMessage::STATUS);
  wire.mutable_reservation()->set_expire(~std::uint64_t{0});
  const auto decoded = decode_hop(as_bytes(wire.SerializeAsString()));
  ASSERT_TRUE(decoded && decoded->reservation);
  EXPECT_GT(decoded->reservation->expires, at(9'000'000'000));
}

TEST(RelayMessage, addresses_are_bounded_both_ways) {
  HopMessage message = full_answer();
  const std::string name(250, 'a');
  message.reservation->addresses.assign(200, *codec::Multiaddr::parse("/dns4/" + name + "/tcp/1"));
  const Bytes bytes = encode(message);
  EXPECT_LE(bytes.size(), kMaxRelayMessage);
  pb::HopMessage wire;
  wire.set_type(pb::HopMessage::STATUS);
  for (std::size_t i = 0; i < 3 * kMaxReservationAddresses; ++i) {
    wire.mutable_reservation()->add_addrs(i % 3 == 0 ? "garbage"
                                                     : std::string("\4\300\0\2\1\6\7\301", 8));
  }
  const auto decoded = decode_hop(as_bytes(wire.SerializeAsString()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->reservation->addresses.size(), kMaxReservationAddresses);
}

TEST(RelayVoucher, is_opened_by_anybody_and_was_made_by_the_relay) {
  const RelayVoucher voucher{key(1).peer_id(), key(2).peer_id(), at(1'800'000'000)};
  const auto opened = open_voucher(seal_voucher(key(1), voucher));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->relay, voucher.relay);
  EXPECT_EQ(opened->peer, voucher.peer);
  EXPECT_EQ(opened->expires, voucher.expires);
}

TEST(RelayVoucher, with_any_byte_changed_is_void) {
  const RelayVoucher voucher{key(1).peer_id(), key(2).peer_id(), at(1'800'000'000)};
  const Bytes good = seal_voucher(key(1), voucher);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    const auto opened = open_voucher(bad);
    EXPECT_FALSE(opened) << i;
  }
}

}  // namespace
}  // namespace oc::p2p
