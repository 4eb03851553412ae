#include "overlay/record.hpp"

#include <gtest/gtest.h>

#include "crypto/error.hpp"
#include "crypto/signed_envelope.hpp"
#include "overlay/record.pb.h"
#include "support/wire_page.hpp"

namespace oc::overlay {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{std::chrono::seconds(1'735'689'600)};  // 2025-01-01T00:00:00Z

// The key of docs/wire/records.md: the seed is the bytes 00 to 1f.
crypto::PrivateKey page_key() {
  Bytes seed(32);
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<Byte>(i);
  return crypto::PrivateKey::from_seed(seed);
}

NodeRecord record_of(const crypto::PrivateKey& key, std::uint64_t seq = 1) {
  NodeRecord record;
  record.peer = key.peer_id();
  record.seq = seq;
  record.addresses = {*codec::Multiaddr::parse("/ip4/203.0.113.7/tcp/1985")};
  record.name = "nas";
  record.version = "0.1.0";
  record.issued = kNow;
  return record;
}

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

pb::NodeRecord message_of(const NodeRecord& record) {
  pb::NodeRecord message;
  message.set_peer_id(text_of(record.peer.bytes()));
  message.set_seq(record.seq);
  message.set_name(record.name);
  message.set_version(record.version);
  message.set_issued(unix_seconds(record.issued));
  return message;
}

// Any payload, sealed like a record.
Bytes seal(const crypto::PrivateKey& key, const pb::NodeRecord& message,
           std::string_view domain = "open-chat-node-record",
           std::string_view type = "/open-chat/node-record/1") {
  const std::string payload = message.SerializeAsString();
  return crypto::seal_envelope(key, domain, as_bytes(type), as_bytes(payload));
}

TEST(Record, is_read_back_as_it_was_sealed) {
  const auto key = page_key();
  NodeRecord record = record_of(key, 42);
  record.addresses.push_back(*codec::Multiaddr::parse("/ip6/2001:db8::1/tcp/1985"));
  record.roles = {"relay", "exit"};
  const SealedRecord sealed = seal_record(key, record);
  const auto opened = open_record(sealed.envelope);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->record, record);
  EXPECT_EQ(opened->record, sealed.record);
  EXPECT_EQ(opened->envelope, sealed.envelope);
}

TEST(Record, has_the_bytes_of_the_documentation) {
  const auto key = page_key();
  const SealedRecord sealed = seal_record(key, record_of(key, 1'735'689'600'000));
  EXPECT_TRUE(test::page_shows("records.md", sealed.envelope)) << to_hex(sealed.envelope);
}

TEST(Record, is_cut_to_what_others_take) {
  const auto key = page_key();
  NodeRecord record = record_of(key);
  record.name = std::string(kMaxRecordText - 1, 'n') + "λ";  // the bound falls into the character
  record.version = "bad\n";
  record.roles.assign(kMaxRecordRoles + 5, std::string(kMaxRecordText + 1, 'r'));
  const auto long_name = "/dns4/" + std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                         std::string(60, 'c') + "." + std::string(60, 'd') + "/tcp/1985";
  record.addresses.assign(kMaxRecordAddresses + 5, *codec::Multiaddr::parse(long_name));
  const SealedRecord sealed = seal_record(key, record);
  EXPECT_LE(sealed.envelope.size(), kMaxRecordSize);
  const auto opened = open_record(sealed.envelope);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->record, sealed.record);
  EXPECT_EQ(opened->record.name, std::string(kMaxRecordText - 1, 'n'));
  EXPECT_EQ(opened->record.version, "");
  EXPECT_EQ(opened->record.roles.size(), kMaxRecordRoles);
  EXPECT_LT(opened->record.addresses.size(), kMaxRecordAddresses);
  EXPECT_FALSE(opened->record.addresses.empty());
}

TEST(Record, of_somebody_else_is_refused) {
  FakeRandom random(7);
  const auto mallory = crypto::PrivateKey::generate(random);
  const auto opened = open_record(seal(mallory, message_of(record_of(page_key()))));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), Errc::permission_denied);
}

TEST(Record, with_any_byte_changed_is_refused) {
  const auto key = page_key();
  const SealedRecord sealed = seal_record(key, record_of(key));
  for (std::size_t i = 0; i < sealed.envelope.size(); ++i) {
    Bytes changed = sealed.envelope;
    changed[i] ^= 0x01;
    const auto opened = open_record(changed);
    // A change that leaves everything signed as it was would be no forgery.
    EXPECT_TRUE(!opened || opened->record == sealed.record) << "byte " << i;
  }
}

TEST(Record, cut_short_anywhere_is_refused) {
  const auto key = page_key();
  const SealedRecord sealed = seal_record(key, record_of(key));
  for (std::size_t size = 0; size < sealed.envelope.size(); ++size) {
    EXPECT_FALSE(open_record(BytesView(sealed.envelope).first(size))) << size;
  }
}

TEST(Record, of_another_domain_or_type_is_refused) {
  const auto key = page_key();
  const auto message = message_of(record_of(key));
  ASSERT_TRUE(open_record(seal(key, message)));
  EXPECT_EQ(open_record(seal(key, message, "libp2p-peer-record")).error(),
            crypto::CryptoErrc::bad_signature);
  EXPECT_EQ(open_record(seal(key, message, "open-chat-node-record", "/other")).error(),
            Errc::malformed);
}

TEST(Record, beyond_a_bound_is_refused) {
  const auto key = page_key();
  const auto good = message_of(record_of(key));
  const auto refused = [&key, &good](auto change) {
    pb::NodeRecord message = good;
    change(message);
    return !open_record(seal(key, message));
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_FALSE(refused([](auto& m) { m.set_seq(kMaxRecordSeq); }));
  EXPECT_TRUE(refused([](auto& m) { m.set_seq(kMaxRecordSeq + 1); }));
  EXPECT_TRUE(refused([](auto& m) { m.set_seq(~std::uint64_t{0}); }));
  EXPECT_TRUE(refused([](auto& m) { m.set_name(std::string(kMaxRecordText + 1, 'n')); }));
  EXPECT_TRUE(refused([](auto& m) { m.set_version(std::string(kMaxRecordText + 1, 'v')); }));
  EXPECT_TRUE(refused([](auto& m) { m.set_name("\x1b[2J"); }));
  EXPECT_TRUE(refused([](auto& m) { m.set_name("\xff\xfe"); }));
  EXPECT_TRUE(refused([](auto& m) { m.add_roles(std::string(kMaxRecordText + 1, 'r')); }));
  EXPECT_TRUE(refused([](auto& m) { m.add_roles("a\nb"); }));
  EXPECT_TRUE(refused([](auto& m) {
    for (std::size_t i = 0; i <= kMaxRecordRoles; ++i) m.add_roles("r");
  }));
  EXPECT_TRUE(refused([](auto& m) {
    for (std::size_t i = 0; i <= kMaxRecordAddresses; ++i) m.add_addresses("x");
  }));
  EXPECT_TRUE(refused([](auto& m) { m.set_peer_id(""); }));
  EXPECT_TRUE(refused([](auto& m) { m.set_peer_id("no multihash"); }));
  EXPECT_EQ(open_record(Bytes(kMaxRecordSize + 1)).error(), Errc::limit_exceeded);
}

TEST(Record, keeps_what_it_understands_of_a_newer_versions_addresses) {
  const auto key = page_key();
  pb::NodeRecord message = message_of(record_of(key));
  message.add_addresses("\x99 of a protocol to come");
  message.add_addresses(text_of(codec::Multiaddr::parse("/ip4/192.0.2.1/tcp/1")->bytes()));
  const auto opened = open_record(seal(key, message));
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->record.addresses.size(), 1u);
  EXPECT_EQ(opened->record.addresses[0].to_string(), "/ip4/192.0.2.1/tcp/1");
}

TEST(RecordDate, may_be_a_little_ahead_and_a_month_old) {
  NodeRecord record = record_of(page_key());
  const auto at = [&record](Duration offset) {
    record.issued = kNow + offset;
    return check_record_date(record, kNow);
  };
  EXPECT_TRUE(at(0s));
  EXPECT_TRUE(at(kMaxClockSkew));
  EXPECT_EQ(at(kMaxClockSkew + 1s).error(), Errc::protocol_violation);
  EXPECT_TRUE(at(-kMaxRecordAge));
  EXPECT_EQ(at(-kMaxRecordAge - 1s).error(), Errc::timed_out);
}

TEST(RecordDate, at_the_ends_of_time_is_refused_and_harms_nothing) {
  const auto key = page_key();
  pb::NodeRecord message = message_of(record_of(key));
  for (const std::int64_t issued : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
                                    std::int64_t{4'102'444'800},  // the year 2100
                                    std::numeric_limits<std::int64_t>::max()}) {
    message.set_issued(issued);
    const auto opened = open_record(seal(key, message));
    ASSERT_TRUE(opened) << issued;
    EXPECT_FALSE(check_record_date(opened->record, kNow)) << issued;
  }
}

}  // namespace
}  // namespace oc::overlay
