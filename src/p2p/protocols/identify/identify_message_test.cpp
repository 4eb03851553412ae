#include "p2p/protocols/identify/identify_message.hpp"

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

using Addresses = std::vector<codec::Multiaddr>;

class IdentifyMessage : public testing::Test {
 protected:
  Result<void> add(const pb::Identify& message) {
    return add_message(claims_, serialized(message), peer_);
  }
  // Ends the exchange.
  const PeerInfo& learn() {
    update(info_, std::exchange(claims_, {}), peer_, remote_);
    return info_;
  }
  pb::Identify with_record(const crypto::PrivateKey& signer, std::uint64_t seq, Addresses listed) {
    pb::Identify message;
    const crypto::PeerRecord record{signer.peer_id(), seq, std::move(listed)};
    message.set_signed_peer_record(text_of(crypto::seal_peer_record(signer, record)));
    return message;
  }

  const crypto::PrivateKey peer_key_ = key(1);
  const codec::PeerId peer_ = peer_key_.peer_id();
  codec::Multiaddr remote_ = address("/ip4/192.0.2.200/tcp/4001");
  IdentifyClaims claims_;
  PeerInfo info_;
};

TEST_F(IdentifyMessage, takes_what_a_message_says) {
  pb::Identify message;
  message.set_public_key(text_of(peer_key_.public_key().marshal()));
  message.set_agent_version("agent/1");
  message.set_protocol_version("ipfs/0.1.0");
  message.add_protocols("/a");
  message.add_protocols("/b");
  message.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  message.set_observed_addr(text_of(address("/ip4/192.0.2.9/tcp/9").bytes()));
  ASSERT_TRUE(add(message));
  const PeerInfo& info = learn();
  EXPECT_EQ(info.agent_version, "agent/1");
  EXPECT_EQ(info.protocol_version, "ipfs/0.1.0");
  EXPECT_EQ(info.protocols, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(info.listen_addresses, Addresses{address("/ip4/192.0.2.1/tcp/1")});
  EXPECT_EQ(info.observed_address, address("/ip4/192.0.2.9/tcp/9"));
  EXPECT_FALSE(info.record_seq);
}

TEST_F(IdentifyMessage, reads_the_bytes_of_the_specifications_fields) {
  // publicKey 1, listenAddrs 2, protocols 3, observedAddr 4, protocolVersion 5, agentVersion 6, and
  // an unknown field 99, which is skipped.
  const auto bytes = from_hex(
      "1208"
      "04c0000201060001"
      "1a02"
      "2f61"
      "2208"
      "04c0000209060009"
      "2a01"
      "70"
      "3201"
      "61"
      "9a0603"
      "010203");
  ASSERT_TRUE(bytes);
  ASSERT_TRUE(add_message(claims_, *bytes, peer_));
  const PeerInfo& info = learn();
  EXPECT_EQ(info.listen_addresses, Addresses{address("/ip4/192.0.2.1/tcp/1")});
  EXPECT_EQ(info.protocols, std::vector<std::string>{"/a"});
  EXPECT_EQ(info.observed_address, address("/ip4/192.0.2.9/tcp/9"));
  EXPECT_EQ(info.protocol_version, "p");
  EXPECT_EQ(info.agent_version, "a");
}

TEST_F(IdentifyMessage, what_a_later_exchange_leaves_out_stays) {
  pb::Identify first;
  first.set_agent_version("agent/1");
  first.add_protocols("/a");
  first.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  ASSERT_TRUE(add(first));
  learn();
  ASSERT_TRUE(add(pb::Identify()));
  learn();
  EXPECT_EQ(info_.agent_version, "agent/1");
  EXPECT_EQ(info_.protocols.size(), 1u);
  EXPECT_EQ(info_.listen_addresses.size(), 1u);
  pb::Identify second;
  second.set_agent_version("");
  ASSERT_TRUE(add(second));
  EXPECT_EQ(learn().agent_version, "") << "empty is not absent";
}

TEST_F(IdentifyMessage, lists_of_a_later_exchange_take_the_place_of_earlier_ones) {
  pb::Identify first;
  first.add_protocols("/a");
  first.add_protocols("/b");
  first.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  ASSERT_TRUE(add(first));
  learn();
  pb::Identify second;
  second.add_protocols("/c");
  second.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/2").bytes()));
  ASSERT_TRUE(add(second));
  learn();
  EXPECT_EQ(info_.protocols, std::vector<std::string>{"/c"});
  EXPECT_EQ(info_.listen_addresses, Addresses{address("/ip4/192.0.2.1/tcp/2")});
}

TEST_F(IdentifyMessage, the_messages_of_one_exchange_add_up) {
  pb::Identify first;
  first.set_agent_version("agent/1");
  first.add_protocols("/a");
  first.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  pb::Identify second;
  second.set_agent_version("agent/2");
  second.add_protocols("/b");
  second.add_listen_addrs(text_of(address("/ip4/192.0.2.2/tcp/2").bytes()));
  ASSERT_TRUE(add(first));
  ASSERT_TRUE(add(second));
  learn();
  EXPECT_EQ(info_.agent_version, "agent/2");
  EXPECT_EQ(info_.protocols, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(info_.listen_addresses.size(), 2u);
}

TEST_F(IdentifyMessage, a_signed_record_in_a_second_message_replaces_the_addresses) {
  pb::Identify first;
  first.add_listen_addrs(text_of(address("/ip4/192.0.2.66/tcp/6").bytes()));
  ASSERT_TRUE(add(first));
  const Addresses listed{address("/ip4/192.0.2.1/tcp/1")};
  ASSERT_TRUE(add(with_record(peer_key_, 5, listed)));
  EXPECT_EQ(learn().listen_addresses, listed);
  EXPECT_EQ(info_.record_seq, 5u);
}

TEST_F(IdentifyMessage, a_newer_record_replaces_the_addresses_and_an_older_one_does_not) {
  ASSERT_TRUE(add(with_record(peer_key_, 5, Addresses(3, address("/ip4/192.0.2.1/tcp/1")))));
  learn();
  const Addresses newer{address("/ip4/192.0.2.1/tcp/2")};
  ASSERT_TRUE(add(with_record(peer_key_, 6, newer)));
  EXPECT_EQ(learn().listen_addresses, newer);
  auto older = with_record(peer_key_, 4, {address("/ip4/192.0.2.1/tcp/3")});
  older.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/4").bytes()));
  ASSERT_TRUE(add(older));
  EXPECT_EQ(learn().listen_addresses, newer);
  EXPECT_EQ(info_.record_seq, 6u);
}

TEST_F(IdentifyMessage, a_newer_record_without_addresses_leaves_none) {
  ASSERT_TRUE(add(with_record(peer_key_, 5, {address("/ip4/192.0.2.1/tcp/1")})));
  learn();
  ASSERT_TRUE(add(with_record(peer_key_, 6, {})));
  EXPECT_TRUE(learn().listen_addresses.empty());
}

TEST_F(IdentifyMessage, a_record_of_another_peer_counts_for_nothing) {
  ASSERT_TRUE(add(with_record(key(2), 5, {address("/ip4/192.0.2.66/tcp/1")})));
  EXPECT_TRUE(learn().listen_addresses.empty());
  EXPECT_FALSE(info_.record_seq);
}

TEST_F(IdentifyMessage, a_record_with_a_byte_changed_counts_for_nothing) {
  const auto whole = with_record(peer_key_, 5, {address("/ip4/192.0.2.1/tcp/1")});
  const std::string sealed = whole.signed_peer_record();
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    pb::Identify message;
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    message.set_signed_peer_record(changed);
    info_ = {};
    (void)add(message);
    EXPECT_TRUE(learn().listen_addresses.empty()) << at;
    EXPECT_FALSE(info_.record_seq) << at;
  }
}

TEST_F(IdentifyMessage, a_public_key_of_another_peer_is_refused) {
  pb::Identify message;
  message.set_public_key(text_of(key(2).public_key().marshal()));
  message.set_agent_version("liar/1");
  EXPECT_EQ(add(message).error(), Errc::malformed);
  EXPECT_EQ(learn().agent_version, "") << "with all that it says";
  message.set_public_key("no key");
  EXPECT_EQ(add(message).error(), Errc::malformed);
}

TEST_F(IdentifyMessage, addresses_of_another_peer_are_left_out) {
  pb::Identify message;
  const auto plain = address("/ip4/192.0.2.1/tcp/1");
  message.add_listen_addrs(text_of(plain.with_peer(peer_).bytes()));
  message.add_listen_addrs(text_of(plain.with_peer(key(2).peer_id()).bytes()));
  ASSERT_TRUE(add(message));
  EXPECT_EQ(learn().listen_addresses, Addresses{plain}) << "and the peer's own name is taken off";
}

TEST_F(IdentifyMessage, what_is_no_address_is_left_out) {
  pb::Identify message;
  message.add_listen_addrs("");
  message.add_listen_addrs("garbage");
  message.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  message.add_listen_addrs(text_of(address("/ip4/0.0.0.0/tcp/1").bytes()));
  message.add_listen_addrs(text_of(codec::Multiaddr().with_peer(peer_).bytes()));
  message.set_observed_addr("garbage");
  ASSERT_TRUE(add(message));
  EXPECT_EQ(learn().listen_addresses.size(), 1u);
  EXPECT_FALSE(info_.observed_address);
}

TEST_F(IdentifyMessage, invalid_utf8_is_no_error) {
  pb::Identify message;
  message.set_agent_version("\xff\xfe");
  message.add_protocols("\xc0\x27");
  EXPECT_TRUE(add(message));
  EXPECT_EQ(learn().agent_version, "\xff\xfe");
}

TEST_F(IdentifyMessage, lists_are_bounded_over_all_messages) {
  pb::Identify message;
  for (int i = 0; i < 300; ++i) {
    message.add_protocols("/p" + std::to_string(i));
    message.add_listen_addrs(
        text_of(address("/ip4/192.0.2.1/tcp/" + std::to_string(i + 1)).bytes()));
  }
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(add(message));
  learn();
  EXPECT_EQ(info_.protocols.size(), kMaxIdentifyProtocols);
  EXPECT_EQ(info_.listen_addresses.size(), kMaxIdentifyAddresses);
}

TEST_F(IdentifyMessage, every_cut_of_a_message_is_taken_or_refused_in_peace) {
  pb::Identify message = with_record(peer_key_, 5, {address("/ip4/192.0.2.1/tcp/1")});
  message.set_public_key(text_of(peer_key_.public_key().marshal()));
  message.add_listen_addrs(text_of(address("/ip4/192.0.2.1/tcp/1").bytes()));
  const Bytes whole = serialized(message);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    info_ = {};
    (void)add_message(claims_, BytesView(whole).first(n), peer_);
    EXPECT_LE(learn().listen_addresses.size(), 1u);
  }
}

const Addresses kOfEveryScope{address("/ip4/192.0.2.1/tcp/1"),   address("/ip6/2001:db8::1/tcp/1"),
                              address("/dns4/a.example/tcp/1"),  address("/ip4/100.64.0.1/tcp/1"),
                              address("/ip4/192.168.1.1/tcp/1"), address("/ip6/fd00::1/tcp/1"),
                              address("/ip4/169.254.1.1/tcp/1"), address("/ip4/127.0.0.1/tcp/1"),
                              address("/ip6/::1/tcp/1"),         address("/ip4/0.0.0.0/tcp/1")};

Addresses first_of_every_scope(std::ptrdiff_t count) {
  return {kOfEveryScope.begin(), kOfEveryScope.begin() + count};
}

struct Telling {
  const char* remote;
  std::ptrdiff_t count;  // how many of kOfEveryScope are told there
};
class IdentifyTelling : public testing::TestWithParam<Telling> {};

TEST_P(IdentifyTelling, only_what_the_other_end_may_know_is_told_and_believed) {
  const auto remote = address(GetParam().remote);
  const Addresses expected = first_of_every_scope(GetParam().count);
  EXPECT_EQ(told_over(kOfEveryScope, remote), expected);
  PeerInfo info;
  IdentifyClaims claims;
  claims.listen_addresses = kOfEveryScope;
  update(info, claims, key(1).peer_id(), remote);
  EXPECT_EQ(info.listen_addresses, expected);
}

INSTANTIATE_TEST_SUITE_P(
    EveryScope, IdentifyTelling,
    testing::Values(Telling{"/ip4/198.51.100.1/tcp/1", 3}, Telling{"/ip6/2001:db8::2/tcp/1", 3},
                    Telling{"/ip4/10.0.0.1/tcp/1", 7}, Telling{"/ip4/100.64.9.9/tcp/1", 7},
                    Telling{"/ip6/fd12::1/tcp/1", 7}, Telling{"/ip4/127.0.0.1/tcp/1", 9},
                    Telling{"/ip6/::1/tcp/1", 9}));

TEST(IdentifyToldAddresses, are_bounded_in_number_and_in_bytes) {
  const auto remote = address("/ip4/192.0.2.1/tcp/1");
  EXPECT_EQ(told_over(Addresses(200, remote), remote).size(), kMaxIdentifyAddresses);
  const auto large = address("/dns4/" + std::string(200, 'a') + "/tcp/1");
  EXPECT_EQ(told_over(Addresses(200, large), remote).size(),
            kMaxToldAddressBytes / large.bytes().size());
}

class IdentifyEncoding : public testing::Test {
 protected:
  IdentifyEncoding() {
    self_.public_key = key_.public_key().marshal();
    self_.agent_version = "agent/1";
    self_.protocol_version = "ipfs/0.1.0";
    self_.observed_address = address("/ip4/192.0.2.9/tcp/9");
    self_.listen_addresses = {address("/ip4/192.0.2.1/tcp/1")};
    self_.protocols = {"/a", "/b"};
    seal();
  }
  void seal() {
    const crypto::PeerRecord record{key_.peer_id(), 7, self_.listen_addresses};
    self_.signed_record = crypto::seal_peer_record(key_, record);
  }
  PeerInfo read(const std::vector<Bytes>& messages) {
    IdentifyClaims claims;
    for (const Bytes& message : messages) {
      EXPECT_LE(message.size(), kMaxIdentifySent);
      EXPECT_TRUE(add_message(claims, message, key_.peer_id()));
    }
    PeerInfo info;
    update(info, std::move(claims), key_.peer_id(), address("/ip4/192.0.2.200/tcp/1"));
    return info;
  }

  const crypto::PrivateKey key_ = key(1);
  SelfDescription self_;
};

TEST_F(IdentifyEncoding, comes_back_as_it_was_from_one_message) {
  const auto messages = encode_identify(self_);
  ASSERT_EQ(messages.size(), 1u);
  const PeerInfo info = read(messages);
  EXPECT_EQ(info.agent_version, self_.agent_version);
  EXPECT_EQ(info.protocol_version, self_.protocol_version);
  EXPECT_EQ(info.observed_address, self_.observed_address);
  EXPECT_EQ(info.listen_addresses, self_.listen_addresses);
  EXPECT_EQ(info.protocols, self_.protocols);
  EXPECT_EQ(info.record_seq, 7u);
}

TEST_F(IdentifyEncoding, what_is_too_large_for_one_message_goes_into_several) {
  self_.listen_addresses = told_over(
      Addresses(kMaxIdentifyAddresses, address("/ip6/2001:db8::1/tcp/1")), self_.observed_address);
  seal();
  for (std::size_t i = 0; i < kMaxIdentifyProtocols; ++i)
    self_.protocols.push_back("/some/protocol/" + std::to_string(i));
  const auto messages = encode_identify(self_);
  EXPECT_GT(messages.size(), 1u);
  const PeerInfo info = read(messages);
  EXPECT_EQ(info.listen_addresses, self_.listen_addresses);
  EXPECT_EQ(info.record_seq, 7u);
  EXPECT_EQ(info.protocols.size(), kMaxIdentifyProtocols);
  IdentifyClaims first;
  EXPECT_TRUE(add_message(first, messages.front(), key_.peer_id()));
  EXPECT_TRUE(first.listen_addresses) << "whoever reads one message only learns the addresses";
}

TEST_F(IdentifyEncoding, is_bounded_however_much_there_is_to_say) {
  self_.protocols.assign(10'000, std::string(100, 'p'));
  self_.protocols.push_back(std::string(5000, 'p'));
  EXPECT_EQ(encode_identify(self_).size(), kMaxIdentifyMessages);
  self_.protocols.assign(1, std::string(kMaxIdentifySent + 1, 'p'));
  EXPECT_TRUE(read(encode_identify(self_)).protocols.empty());
}

}  // namespace
}  // namespace oc::p2p
