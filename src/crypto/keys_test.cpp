#include "crypto/keys.hpp"

#include <gtest/gtest.h>

#include "crypto/error.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex;
using test::hex_of;

Bytes published_key(const std::string& name) {
  const nlohmann::json file = test::load_json("libp2p/keys.json");
  for (const auto& key : file["peer_ids"]) {
    if (test::text_of(key, "name") == name) return hex_of(key, "bytes");
  }
  throw std::invalid_argument("no key " + name);
}

const char* const kPublicNames[] = {"rsa public key", "ed25519 public key", "secp256k1 public key",
                                    "ecdsa public key"};

TEST(PublicKey, the_published_keys_of_all_types_round_trip) {
  for (int type = 0; type < 4; ++type) {
    const Bytes bytes = published_key(kPublicNames[type]);
    const auto key = PublicKey::unmarshal(bytes);
    ASSERT_TRUE(key.has_value()) << kPublicNames[type];
    EXPECT_EQ(static_cast<int>(key->type()), type);
    EXPECT_EQ(key->marshal(), bytes);
    EXPECT_EQ(key->peer_id(), codec::PeerId::of_public_key(bytes));
  }
}

TEST(PublicKey, peer_ids_begin_as_their_type_has_it) {
  const std::pair<const char*, const char*> prefixes[] = {{kPublicNames[0], "Qm"},
                                                          {kPublicNames[1], "12D3KooW"},
                                                          {kPublicNames[2], "16Uiu2HA"},
                                                          {kPublicNames[3], "Qm"}};
  for (const auto& [name, prefix] : prefixes) {
    const PublicKey key = *PublicKey::unmarshal(published_key(name));
    EXPECT_TRUE(key.peer_id().to_string().starts_with(prefix)) << key.peer_id().to_string();
  }
}

TEST(PublicKey, verifies_the_signatures_of_go) {
  const nlohmann::json fixtures = test::load_json("libp2p/keys.json")["go_fixtures"];
  const std::string message = test::text_of(fixtures, "message");
  ASSERT_EQ(fixtures["keys"].size(), 3u);
  for (const auto& fixture : fixtures["keys"]) {
    const PublicKey key = *PublicKey::unmarshal(hex_of(fixture, "public"));
    EXPECT_EQ(static_cast<int>(key.type()), fixture["type"].get<int>());
    Bytes signature = hex_of(fixture, "signature");
    EXPECT_TRUE(key.verify(as_bytes(message), signature));
    EXPECT_FALSE(key.verify(as_bytes(message + '!'), signature));
    EXPECT_FALSE(key.verify(as_bytes(message), {}));
    for (std::size_t n = 0; n < signature.size(); ++n) {
      EXPECT_FALSE(key.verify(as_bytes(message), BytesView(signature).first(n)));
    }
    signature.back() ^= 1;
    EXPECT_FALSE(key.verify(as_bytes(message), signature));
  }
}

TEST(PublicKey, every_truncated_prefix_is_refused) {
  for (const char* name : kPublicNames) {
    const Bytes whole = published_key(name);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      EXPECT_FALSE(PublicKey::unmarshal(BytesView(whole).first(n)).has_value()) << name << n;
    }
  }
}

TEST(PublicKey, the_order_of_fields_does_not_change_the_peer) {
  const Bytes bytes = published_key("ed25519 public key");
  Bytes swapped(bytes.begin() + 2, bytes.end());
  append(swapped, BytesView(bytes).first(2));
  append(swapped, hex("1801"));  // an unknown field
  EXPECT_EQ(PublicKey::unmarshal(swapped)->peer_id(), codec::PeerId::of_public_key(bytes));
}

TEST(PublicKey, refuses_missing_fields_unknown_types_and_hostile_lengths) {
  const std::string data = "1220" + std::string(64, '1');
  EXPECT_EQ(PublicKey::unmarshal(hex(data)).error(), Errc::malformed);
  EXPECT_EQ(PublicKey::unmarshal(hex("0801")).error(), Errc::malformed);
  EXPECT_EQ(PublicKey::unmarshal({}).error(), Errc::malformed);
  EXPECT_EQ(PublicKey::unmarshal(hex("0804" + data)).error(), Errc::unsupported);
  EXPECT_EQ(PublicKey::unmarshal(hex("08ffffffff0f" + data)).error(), Errc::unsupported);
  EXPECT_EQ(PublicKey::unmarshal(hex("080112ffffffffffffffffff01")).error(), Errc::malformed);
  EXPECT_EQ(PublicKey::unmarshal(Bytes(kMaxPublicKeySize + 1)).error(), Errc::limit_exceeded);
  EXPECT_EQ(PublicKey::from_raw(KeyType::ed25519, Bytes(31)).error(), Errc::malformed);
  EXPECT_EQ(PublicKey::from_raw(KeyType::ed25519, Bytes(33)).error(), Errc::malformed);
}

TEST(PublicKey, points_off_the_curve_are_refused) {
  Bytes secp = PublicKey::unmarshal(published_key("secp256k1 public key"))->raw();
  for (Byte first : Bytes{0x00, 0x04, 0x05, 0xff}) {
    Bytes bent = secp;
    bent[0] = first;
    EXPECT_EQ(PublicKey::from_raw(KeyType::secp256k1, bent).error(), Errc::malformed);
  }
  std::fill(secp.begin() + 1, secp.end(), Byte{0xff});
  EXPECT_EQ(PublicKey::from_raw(KeyType::secp256k1, secp).error(), Errc::malformed);

  Bytes ecdsa = PublicKey::unmarshal(published_key("ecdsa public key"))->raw();
  for (std::size_t i = 0; i < ecdsa.size(); ++i) {
    Bytes bent = ecdsa;
    bent[i] ^= 1;
    EXPECT_FALSE(PublicKey::from_raw(KeyType::ecdsa, bent).has_value()) << i;
  }
}

// A P-256 key whose curve is spelled out instead of named: what CVE-2022-0778 needed.
TEST(PublicKey, explicit_curve_parameters_are_refused) {
  const Bytes key = hex(
      "308201333081ec06072a8648ce3d02013081e0020101302c06072a8648ce3d0101022100ffffffff0000000100"
      "0000000000000000000000ffffffffffffffffffffffff30440420ffffffff000000010000000000000000000000"
      "00fffffffffffffffffffffffc04205ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d260"
      "4b0441046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7"
      "eb4a7c0f9e162bce33576b315ececbb6406837bf51f5022100ffffffff00000000ffffffffffffffffbce6faada7"
      "179e84f3b9cac2fc632551020101034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945"
      "d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  EXPECT_EQ(PublicKey::from_raw(KeyType::ecdsa, key).error(), Errc::malformed);
}

TEST(PublicKey, is_found_in_a_peer_id_that_holds_it) {
  for (const char* name : {"ed25519 public key", "secp256k1 public key"}) {
    const PublicKey key = *PublicKey::unmarshal(published_key(name));
    EXPECT_EQ(*public_key_of(key.peer_id()), key);
  }
  const PublicKey rsa = *PublicKey::unmarshal(published_key("rsa public key"));
  EXPECT_EQ(public_key_of(rsa.peer_id()).error(), Errc::not_found);
}

TEST(PrivateKey, the_published_key_has_the_published_public_key) {
  const Bytes bytes = published_key("ed25519 private key");
  const PrivateKey key = *PrivateKey::unmarshal(bytes);
  EXPECT_TRUE(equal(key.marshal().view(), bytes));
  EXPECT_EQ(key.public_key().marshal(), published_key("ed25519 public key"));
  EXPECT_EQ(key.peer_id(), key.public_key().peer_id());
}

// RFC 8032, section 7.1, tests 1 and 3.
TEST(PrivateKey, signs_as_the_rfc_does) {
  const PrivateKey first = PrivateKey::from_seed(
      hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  EXPECT_EQ(to_hex(first.public_key().raw()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(
      to_hex(first.sign({})),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
      "cf9b46bd25bf5f0595bbe24655141438e7a100b");
  const PrivateKey third = PrivateKey::from_seed(
      hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
  EXPECT_EQ(
      to_hex(third.sign(hex("af82"))),
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
      "84dc6594a7c15e9716ed28dc027beceea1ec40a");
}

TEST(PrivateKey, generated_keys_sign_and_round_trip) {
  FakeRandom random(3);
  const PrivateKey key = PrivateKey::generate(random);
  const PrivateKey other = PrivateKey::generate(random);
  const Bytes signature = key.sign(as_bytes("message"));
  EXPECT_TRUE(key.public_key().verify(as_bytes("message"), signature));
  EXPECT_FALSE(key.public_key().verify(as_bytes("messagf"), signature));
  EXPECT_FALSE(other.public_key().verify(as_bytes("message"), signature));
  const PrivateKey again = *PrivateKey::unmarshal(key.marshal().view());
  EXPECT_EQ(again.sign(as_bytes("message")), signature);
}

TEST(PrivateKey, the_old_form_with_the_public_key_twice_is_read) {
  const Bytes bytes = published_key("ed25519 private key");
  Bytes legacy = hex("08011260");
  append(legacy, BytesView(bytes).subspan(4));
  append(legacy, BytesView(bytes).last(32));
  EXPECT_TRUE(equal(PrivateKey::unmarshal(legacy)->marshal().view(), bytes));
  legacy.back() ^= 1;
  EXPECT_EQ(PrivateKey::unmarshal(legacy).error(), Errc::malformed);
}

TEST(PrivateKey, refuses_keys_that_do_not_fit_together_or_are_cut) {
  const Bytes whole = published_key("ed25519 private key");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(PrivateKey::unmarshal(BytesView(whole).first(n)).has_value());
  }
  for (std::size_t i = 4; i < whole.size(); ++i) {
    Bytes bent = whole;
    bent[i] ^= 1;
    EXPECT_EQ(PrivateKey::unmarshal(bent).error(), Errc::malformed);
  }
  Bytes other_type = whole;
  other_type[1] = 2;
  EXPECT_EQ(PrivateKey::unmarshal(other_type).error(), Errc::unsupported);
  EXPECT_EQ(PrivateKey::unmarshal(Bytes(1000)).error(), Errc::limit_exceeded);
}

}  // namespace
}  // namespace oc::crypto
