#include "p2p/protocols/identify/identify.hpp"

#include <gtest/gtest.h>

#include "crypto/peer_record.hpp"
#include "p2p/identify.pb.h"

namespace oc::p2p {
namespace {

crypto::PrivateKey key(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random);
}

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

codec::Multiaddr address(const std::string& text) { return *codec::Multiaddr::parse(text); }

Bytes serialized(const pb::Identify& message) {
  return to_bytes(as_bytes(message.SerializeAsString()));
}

class MergeIdentify : public testing::Test {
 protected:
  Result<void> merge(const pb::Identify& message) {
    return merge_identify(info_, serialized(message), peer_);
  }

  const crypto::PrivateKey peer_key_ = key(1);
  const codec::PeerId peer_ = peer_key_.peer_id();
  PeerInfo info_;
};

TEST_F(MergeIdentify, takes_what_a_message_says) {
  pb::Identify message;
  message.set_public_key(text_of(peer_key_.public_key().marshal()));
  message.set_agent_version("agent/1");
  message.set_protocol_version("ipfs/0.1.0");
  message.add_protocols("/a");
  message.add_protocols("/b");
  message.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  message.set_observed_addr(text_of(address("/ip4/192.0.2.9/tcp/9").bytes()));
  ASSERT_TRUE(merge(message));
  EXPECT_EQ(info_.agent_version, "agent/1");
  EXPECT_EQ(info_.protocol_version, "ipfs/0.1.0");
  EXPECT_EQ(info_.protocols, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(info_.listen_addresses, std::vector{address("/ip4/192.0.2.1/tcp/1")});
  EXPECT_EQ(info_.observed_address, address("/ip4/192.0.2.9/tcp/9"));
}

TEST_F(MergeIdentify, what_a_later_message_leaves_out_stays) {
  pb::Identify first;
  first.set_agent_version("agent/1");
  first.add_protocols("/a");
  first.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  ASSERT_TRUE(merge(first));
  ASSERT_TRUE(merge(pb::Identify()));
  EXPECT_EQ(info_.agent_version, "agent/1");
  EXPECT_EQ(info_.protocols.size(), 1u);
  EXPECT_EQ(info_.listen_addresses.size(), 1u);
  pb::Identify second;
  second.set_agent_version("");
  ASSERT_TRUE(merge(second));
  EXPECT_EQ(info_.agent_version, "") << "empty is not absent";
}

TEST_F(MergeIdentify, a_signed_record_in_a_second_message_replaces_the_addresses) {
  pb::Identify first;
  first.add_listen_addrs(text_of(address("/ip4/192.0.2.66/tcp/6").bytes()));
  ASSERT_TRUE(merge(first));
  pb::Identify second;
  const crypto::PeerRecord record{peer_, 5, {address("/ip4/192.0.2.1/tcp/1")}};
  second.set_signed_peer_record(text_of(crypto::seal_peer_record(peer_key_, record)));
  ASSERT_TRUE(merge(second));
  EXPECT_EQ(info_.listen_addresses, record.addresses);
}

TEST_F(MergeIdentify, a_record_of_another_peer_counts_for_nothing) {
  const auto other = key(2);
  pb::Identify message;
  const crypto::PeerRecord record{other.peer_id(), 5, {address("/ip4/192.0.2.66/tcp/1")}};
  message.set_signed_peer_record(text_of(crypto::seal_peer_record(other, record)));
  ASSERT_TRUE(merge(message));
  EXPECT_TRUE(info_.listen_addresses.empty());
}

TEST_F(MergeIdentify, a_record_with_a_byte_changed_counts_for_nothing) {
  const crypto::PeerRecord record{peer_, 5, {address("/ip4/192.0.2.1/tcp/1")}};
  const Bytes sealed = crypto::seal_peer_record(peer_key_, record);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes changed = sealed;
    changed[at] ^= 1;
    pb::Identify message;
    message.set_signed_peer_record(text_of(changed));
    info_ = {};
    (void)merge(message);
    EXPECT_TRUE(info_.listen_addresses.empty()) << at;
  }
}

TEST_F(MergeIdentify, a_public_key_of_another_peer_is_refused) {
  pb::Identify message;
  message.set_public_key(text_of(key(2).public_key().marshal()));
  message.set_agent_version("liar/1");
  EXPECT_EQ(merge(message).error(), Errc::malformed);
  EXPECT_EQ(info_.agent_version, "") << "with all that it says";
  message.set_public_key("no key");
  EXPECT_EQ(merge(message).error(), Errc::malformed);
}

TEST_F(MergeIdentify, addresses_of_another_peer_are_left_out) {
  pb::Identify message;
  const auto plain = address("/ip4/192.0.2.1/tcp/1");
  message.add_listen_addrs(text_of(plain.with_peer(peer_).bytes()));
  message.add_listen_addrs(text_of(plain.with_peer(key(2).peer_id()).bytes()));
  ASSERT_TRUE(merge(message));
  EXPECT_EQ(info_.listen_addresses, std::vector{plain}) << "and the peer's own name is taken off";
}

TEST_F(MergeIdentify, what_is_no_address_is_left_out) {
  pb::Identify message;
  message.add_listen_addrs("");
  message.add_listen_addrs("garbage");
  message.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  message.set_observed_addr("garbage");
  ASSERT_TRUE(merge(message));
  EXPECT_EQ(info_.listen_addresses.size(), 1u);
  EXPECT_FALSE(info_.observed_address);
}

TEST_F(MergeIdentify, invalid_utf8_is_no_error) {
  pb::Identify message;
  message.set_agent_version("\xff\xfe");
  message.add_protocols("\xc0\x27");
  EXPECT_TRUE(merge(message));
}

TEST_F(MergeIdentify, lists_are_bounded_over_all_messages) {
  pb::Identify message;
  for (int i = 0; i < 300; ++i) {
    message.add_protocols("/p" + std::to_string(i));
    message.add_listen_addrs(
        text_of(address("/ip4/192.0.2.1/tcp/" + std::to_string(i + 1)).bytes()));
  }
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(merge(message));
  EXPECT_EQ(info_.protocols.size(), kMaxIdentifyProtocols);
  EXPECT_EQ(info_.listen_addresses.size(), kMaxIdentifyAddresses);
}

TEST_F(MergeIdentify, every_cut_of_a_message_is_taken_or_refused_in_peace) {
  pb::Identify message;
  message.set_public_key(text_of(peer_key_.public_key().marshal()));
  message.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  const crypto::PeerRecord record{peer_, 5, {address("/ip4/192.0.2.1/tcp/1")}};
  message.set_signed_peer_record(text_of(crypto::seal_peer_record(peer_key_, record)));
  const Bytes whole = serialized(message);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    PeerInfo info;
    (void)merge_identify(info, BytesView(whole).first(n), peer_);
    EXPECT_LE(info.listen_addresses.size(), 1u);
  }
}

}  // namespace
}  // namespace oc::p2p
