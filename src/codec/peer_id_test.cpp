#include "codec/peer_id.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

#include "codec/base58.hpp"
#include "codec/multibase.hpp"
#include "codec/multihash.hpp"
#include "support/vectors.hpp"

namespace oc::codec {
namespace {

using test::hex;

// The examples of libp2p/specs peer-ids/peer-ids.md.
constexpr const char* kSha256Text = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
constexpr const char* kSha256Cid = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";
constexpr const char* kEd25519Text = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

TEST(PeerId, both_forms_of_the_specification_name_the_same_peer) {
  const PeerId id = *PeerId::parse(kSha256Text);
  EXPECT_EQ(*PeerId::parse(kSha256Cid), id);
  EXPECT_EQ(id.to_string(), kSha256Text);
  EXPECT_EQ(id.to_cid(), kSha256Cid);
}

TEST(PeerId, an_ed25519_id_holds_its_key) {
  const PeerId id = *PeerId::parse(kEd25519Text);
  EXPECT_EQ(id.to_string(), kEd25519Text);
  EXPECT_EQ(to_hex(BytesView(id.bytes()).first(6)), "002408011220");
  EXPECT_EQ(PeerId::of_public_key(id.inline_public_key()), id);
  EXPECT_TRUE(PeerId::parse(kSha256Text)->inline_public_key().empty());
}

TEST(PeerId, any_multibase_of_a_cid_is_read) {
  const PeerId id = *PeerId::parse(kEd25519Text);
  const Bytes cid = *multibase_decode(id.to_cid());
  for (Multibase base : {Multibase::base16, Multibase::base32upper, Multibase::base36,
                         Multibase::base58btc, Multibase::base64url}) {
    EXPECT_EQ(*PeerId::parse(multibase_encode(base, cid)), id);
  }
}

TEST(PeerId, a_key_of_up_to_42_bytes_is_its_own_hash) {
  EXPECT_EQ(PeerId::of_public_key(Bytes(42, 1)).bytes().size(), 44u);
  const PeerId hashed = PeerId::of_public_key(Bytes(43, 1));
  EXPECT_EQ(hashed.bytes(), encode_multihash(HashCode::sha2_256, sha2_256(Bytes(43, 1))));
}

TEST(PeerId, short_string_ends_the_text) {
  EXPECT_EQ(PeerId::parse(kEd25519Text)->short_string(), "AJU5SA");
  EXPECT_EQ(PeerId().short_string(), "");
}

TEST(PeerId, the_empty_id_equals_only_itself) {
  EXPECT_TRUE(PeerId().empty());
  EXPECT_EQ(PeerId(), PeerId());
  EXPECT_NE(PeerId(), *PeerId::parse(kEd25519Text));
  EXPECT_EQ(PeerId().to_string(), "");
  EXPECT_EQ(PeerId().to_cid(), "");
}

TEST(PeerId, hashes_by_value) {
  const std::unordered_set<PeerId> set = {*PeerId::parse(kSha256Text), *PeerId::parse(kSha256Cid),
                                          *PeerId::parse(kEd25519Text)};
  EXPECT_EQ(set.size(), 2u);
}

TEST(PeerId, every_truncated_prefix_is_refused) {
  for (const char* text : {kSha256Text, kEd25519Text}) {
    const Bytes whole = PeerId::parse(text)->bytes();
    for (std::size_t n = 0; n < whole.size(); ++n) {
      EXPECT_FALSE(PeerId::from_bytes(BytesView(whole).first(n)).has_value());
    }
  }
  for (const std::string_view text : {kSha256Text, kSha256Cid}) {
    for (std::size_t n = 0; n < text.size(); ++n) {
      EXPECT_FALSE(PeerId::parse(text.substr(0, n)).has_value());
    }
  }
}

TEST(PeerId, refuses_other_hashes_and_wrong_lengths) {
  EXPECT_EQ(PeerId::from_bytes(encode_multihash(HashCode::sha2_512, Bytes(64))).error(),
            Errc::unsupported);
  EXPECT_EQ(PeerId::from_bytes(encode_multihash(HashCode::sha2_256, Bytes(31))).error(),
            Errc::malformed);
  EXPECT_EQ(PeerId::from_bytes(encode_multihash(HashCode::identity, Bytes(43))).error(),
            Errc::limit_exceeded);
  EXPECT_EQ(PeerId::from_bytes(encode_multihash(HashCode::identity, {})).error(), Errc::malformed);
  Bytes longer = PeerId::parse(kSha256Text)->bytes();
  longer.push_back(0);
  EXPECT_EQ(PeerId::from_bytes(longer).error(), Errc::malformed);
}

// Malformed texts of go-multiaddr's tests, and some of our own.
TEST(PeerId, refuses_malformed_text) {
  for (const char* text :
       {"", "1", "Qm", "QmxoHT6iViN5xAjoz1VZ553cL31U9F94ht3QvWR1FrEbZY",
        "k2k4r8oqamigqdo6o7hsbfwd45y70oyynp98usk7zmyfrzpqxh1pohl-", "?unknownmultibase",
        "k2jmtxwoe2phm1hbqp0e7nufqf6umvuu2e9qd7ana7h411a0haqj6i2z", "bafzbei", "12D3Koo!", "Zm9v",
        "\xff"}) {
    EXPECT_FALSE(PeerId::parse(text).has_value()) << text;
  }
  EXPECT_EQ(PeerId::parse("Qm" + std::string(100'000, 'z')).error(), Errc::limit_exceeded);
}

TEST(PeerId, refuses_a_cid_of_another_version_or_codec) {
  const Bytes multihash = PeerId::parse(kSha256Text)->bytes();
  for (const char* head : {"0072", "0272", "0155", "0170"}) {
    Bytes cid = hex(head);
    append(cid, multihash);
    EXPECT_EQ(PeerId::parse(multibase_encode(Multibase::base32, cid)).error(), Errc::unsupported);
  }
}

}  // namespace
}  // namespace oc::codec
