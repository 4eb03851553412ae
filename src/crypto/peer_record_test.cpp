#include "crypto/peer_record.hpp"

#include <gtest/gtest.h>

#include "codec/varint.hpp"
#include "crypto/error.hpp"
#include "crypto/signed_envelope.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using codec::Multiaddr;
using test::hex;
using test::hex_of;

PrivateKey key_of(std::uint64_t seed) {
  FakeRandom random(seed);
  return PrivateKey::generate(random);
}

PeerRecord record_of(const PrivateKey& key, std::size_t addresses) {
  PeerRecord record{key.peer_id(), 7, {}};
  for (std::size_t i = 0; i < addresses; ++i) {
    record.addresses.push_back(*Multiaddr::parse("/ip4/192.0.2.1/tcp/" + std::to_string(i)));
  }
  return record;
}

// The protobuf of a record, written by hand: peer, sequence number, and address fields as given.
Bytes payload_of(const codec::PeerId& peer, BytesView addresses) {
  Bytes payload = hex("0a");
  codec::put_length_prefixed(payload, peer.bytes());
  append(payload, hex("1007"));
  append(payload, addresses);
  return payload;
}

TEST(PeerRecord, a_record_of_go_opens_and_seals_to_the_same_bytes) {
  const nlohmann::json file = test::load_json("libp2p/peer_record.json");
  const PrivateKey key = *PrivateKey::unmarshal(hex_of(file, "private_key"));
  const Bytes envelope = hex_of(file, "envelope");
  const auto record = open_peer_record(envelope);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->peer, key.peer_id());
  EXPECT_EQ(record->seq, 1598453001624231000u);
  ASSERT_EQ(record->addresses.size(), 10u);
  EXPECT_EQ(record->addresses[9].to_string(), "/ip4/1.2.3.4/tcp/9");
  EXPECT_EQ(seal_peer_record(key, *record), envelope);
}

TEST(PeerRecord, what_is_sealed_opens) {
  const PrivateKey key = key_of(1);
  for (std::size_t addresses : {0u, 1u, 64u}) {
    const PeerRecord record = record_of(key, addresses);
    EXPECT_EQ(*open_peer_record(seal_peer_record(key, record)), record);
  }
}

TEST(PeerRecord, the_form_of_the_rfc_is_read_as_well) {
  const PrivateKey key = key_of(1);
  const Bytes payload = payload_of(key.peer_id(), hex("1a0a0a0804010203040600 01"));
  const Bytes envelope =
      seal_envelope(key, "libp2p-routing-state", as_bytes("/libp2p/routing-state-record"), payload);
  const auto record = open_peer_record(envelope);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->seq, 7u);
  EXPECT_EQ(record->addresses.at(0).to_string(), "/ip4/1.2.3.4/tcp/1");
}

TEST(PeerRecord, the_type_must_be_that_of_the_domain) {
  const PrivateKey key = key_of(1);
  const Bytes payload = payload_of(key.peer_id(), {});
  EXPECT_EQ(
      open_peer_record(seal_envelope(key, "libp2p-peer-record", hex("0302"), payload)).error(),
      Errc::unsupported);
  EXPECT_EQ(
      open_peer_record(seal_envelope(key, "libp2p-routing-state", hex("0301"), payload)).error(),
      Errc::unsupported);
  EXPECT_EQ(open_peer_record(seal_envelope(key, "libp2p-relay-rsvp", hex("0301"), payload)).error(),
            CryptoErrc::bad_signature);
}

TEST(PeerRecord, nobody_can_speak_for_another_peer) {
  const Bytes payload = payload_of(key_of(2).peer_id(), {});
  const Bytes envelope = seal_envelope(key_of(1), "libp2p-peer-record", hex("0301"), payload);
  EXPECT_EQ(open_peer_record(envelope).error(), CryptoErrc::wrong_signer);
}

TEST(PeerRecord, addresses_that_are_not_understood_are_left_out) {
  const PrivateKey key = key_of(1);
  // An unknown protocol, a cut address, an empty one, and one that is good.
  const Bytes payload =
      payload_of(key.peer_id(), hex("1a050a03ffff03 1a040a020401 1a00 1a0a0a080401020304060001"));
  const auto record =
      open_peer_record(seal_envelope(key, "libp2p-peer-record", hex("0301"), payload));
  ASSERT_TRUE(record.has_value());
  ASSERT_EQ(record->addresses.size(), 1u);
  EXPECT_EQ(record->addresses[0].to_string(), "/ip4/1.2.3.4/tcp/1");
}

TEST(PeerRecord, addresses_beyond_the_bound_are_left_out) {
  const PrivateKey key = key_of(1);
  const auto kept = open_peer_record(seal_peer_record(key, record_of(key, 500)));
  EXPECT_EQ(kept->addresses.size(), kMaxPeerRecordAddresses);

  Bytes many;
  for (int i = 0; i < 600; ++i) append(many, hex("1a0a0a080401020304060001"));
  const Bytes payload = payload_of(key.peer_id(), many);
  const auto read =
      open_peer_record(seal_envelope(key, "libp2p-peer-record", hex("0301"), payload));
  EXPECT_EQ(read->addresses.size(), kMaxPeerRecordAddresses);
}

TEST(PeerRecord, long_addresses_never_make_an_envelope_too_large) {
  const PrivateKey key = key_of(1);
  PeerRecord record{key.peer_id(), ~std::uint64_t{0}, {}};
  const Multiaddr longest = *Multiaddr::parse("/unix/" + std::string(1000, 'a'));
  record.addresses.assign(64, longest);
  const auto read = open_peer_record(seal_peer_record(key, record));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->addresses.size(), 7u);
  EXPECT_EQ(read->seq, ~std::uint64_t{0});
}

TEST(PeerRecord, every_truncated_prefix_is_refused) {
  const PrivateKey key = key_of(1);
  const Bytes whole = seal_peer_record(key, record_of(key, 2));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(open_peer_record(BytesView(whole).first(n)).has_value()) << n;
  }
}

TEST(PeerRecord, payloads_that_are_no_record_are_refused) {
  const PrivateKey key = key_of(1);
  for (const char* payload : {"", "ff", "0a00", "0affffffff0f", "1007"}) {
    const Bytes envelope = seal_envelope(key, "libp2p-peer-record", hex("0301"), hex(payload));
    EXPECT_FALSE(open_peer_record(envelope).has_value()) << payload;
  }
}

}  // namespace
}  // namespace oc::crypto
