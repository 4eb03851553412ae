#include "codec/multiaddr.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

#include "base/random.hpp"
#include "codec/varint.hpp"
#include "support/vectors.hpp"

namespace oc::codec {
namespace {

using test::hex;

constexpr const char* kPeer = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";
constexpr const char* kRelay = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";

Multiaddr address(std::string_view text) {
  const Result<Multiaddr> parsed = Multiaddr::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? *parsed : Multiaddr();
}

PeerId peer(std::string_view text) { return *PeerId::parse(text); }

// The tables of go-multiaddr's multiaddr_test.go.
TEST(Multiaddr, takes_what_go_takes_and_round_trips_it) {
  const nlohmann::json table = test::load_json("multiformats/multiaddr.json");
  for (const auto& text : table["good"]) {
    const Multiaddr parsed = address(text.get<std::string>());
    EXPECT_EQ(address(parsed.to_string()), parsed) << text;
    const Result<Multiaddr> again = Multiaddr::from_bytes(parsed.bytes());
    ASSERT_TRUE(again.has_value()) << text;
    EXPECT_EQ(*again, parsed);
  }
}

TEST(Multiaddr, refuses_what_go_refuses) {
  const nlohmann::json table = test::load_json("multiformats/multiaddr.json");
  for (const auto& text : table["bad"]) {
    EXPECT_FALSE(Multiaddr::parse(text.get<std::string>()).has_value()) << text;
  }
}

TEST(Multiaddr, has_the_bytes_that_go_gives) {
  const nlohmann::json table = test::load_json("multiformats/multiaddr.json");
  for (const auto& row : table["bytes"]) {
    const std::string text = test::text_of(row, "text");
    EXPECT_EQ(to_hex(address(text).bytes()), test::text_of(row, "hex"));
    EXPECT_EQ(Multiaddr::from_bytes(test::hex_of(row, "hex"))->to_string(), text);
  }
  EXPECT_EQ(to_hex(address("/ip6zone/eth0/ip6/::1").bytes()),
            "2a04657468302900000000000000000000000000000001");
}

TEST(Multiaddr, every_truncated_prefix_of_every_protocol_is_refused_or_a_shorter_address) {
  const nlohmann::json table = test::load_json("multiformats/multiaddr.json");
  for (const auto& text : table["good"]) {
    const Multiaddr whole = address(text.get<std::string>());
    for (std::size_t n = 0; n < whole.bytes().size(); ++n) {
      const auto part = Multiaddr::from_bytes(BytesView(whole.bytes()).first(n));
      if (!part) continue;
      EXPECT_LT(part->components().size(), whole.components().size()) << text << n;
    }
  }
}

TEST(Multiaddr, every_truncated_text_is_refused_or_round_trips) {
  const std::string whole = std::string("/ip6zone/eth0/ip6/fe80::1/udp/4001/quic-v1/p2p/") +
                            kRelay + "/p2p-circuit/p2p/" + kPeer;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto part = Multiaddr::parse(std::string_view(whole).substr(0, n));
    if (!part) continue;
    EXPECT_EQ(address(part->to_string()), *part);
  }
}

TEST(Multiaddr, every_protocol_of_the_table_is_found_by_code_and_name) {
  for (const ProtocolEntry& entry : protocol_table()) {
    EXPECT_EQ(find_protocol(static_cast<std::uint64_t>(entry.code)), &entry);
    EXPECT_EQ(find_protocol(entry.name), &entry);
    EXPECT_EQ(entry.from_text == nullptr, entry.size == 0) << entry.name;
    EXPECT_EQ(entry.to_text == nullptr, entry.size == 0) << entry.name;
  }
  EXPECT_EQ(find_protocol(0xffffffffffff), nullptr);
}

TEST(Multiaddr, text_is_normalised) {
  EXPECT_EQ(address(std::string("/ipfs/") + kRelay).to_string(), std::string("/p2p/") + kRelay);
  EXPECT_EQ(address("/ip6/0:0:0:0:0:0:0:1/tcp/080").to_string(), "/ip6/::1/tcp/80");
  EXPECT_EQ(address("/ip4/1.2.3.4/tcp/80/").to_string(), "/ip4/1.2.3.4/tcp/80");
  EXPECT_EQ(address("/ip6/::ffff:1.2.3.4").to_string(), "/ip6/::ffff:1.2.3.4");
  EXPECT_EQ(address("/ip6/::1.2.3.4").to_string(), "/ip6/::102:304") << "as go and rust have it";
  EXPECT_EQ(address("/ip6/::1:0").to_string(), "/ip6/::1:0");
}

TEST(Multiaddr, refuses_malformed_text) {
  for (const char* text : {"ip4/1.2.3.4",
                           "//ip4/1.2.3.4",
                           "/ip4//tcp/1",
                           "/ip4/1.2.3.4/tcp/+1",
                           "/ip4/1.2.3.4/tcp/ 1",
                           "/ip4/1.2.3.4/tcp/0x10",
                           "/ip4/1.2.3.4.5",
                           "/ip4/1.2.3",
                           "/ip4/01.2.3.4",
                           "/ip6/:::",
                           "/ip6/fe80::1%eth0",
                           "/dns4/",
                           "/dns4/a b",
                           "/dns4/a\nb",
                           "/dns4/\xff",
                           "/http-path/%f",
                           "/http-path/%zz",
                           "/http-path/",
                           "/certhash/uEg",
                           "/certhash/!",
                           "/ip4/1.2.3.4/nonsense",
                           "/unix//",
                           "/memory/-1",
                           "/memory/18446744073709551616",
                           "/quic-v1/1",
                           "\xff",
                           "/\xff"}) {
    EXPECT_FALSE(Multiaddr::parse(text).has_value()) << text;
  }
}

TEST(Multiaddr, refuses_malformed_bytes) {
  const char* hostile[] = {
      "00",                    // no such protocol
      "8400",                  // code not minimal
      "04010203",              // ip4 too short
      "ffffffffffffffffff01",  // code too long
      "35ffffffffffffffff7f",  // dns of 2^62 bytes
      "3500",                  // dns without a name
      "3503612f62",            // dns name with a slash
      "3502ff41",              // dns name that is no text
      "35048061626364",        // length not minimal
      "a50300",                // p2p without a peer
      "a5030712ffffffffff0f",  // p2p with a multihash of hostile length
      "a503221221c05877cbae039d70a5e600ea02c6f9f2942439285c9e344e26f8d280c850fad6",
      "bd03adadec040be047f9658668b11a504f3155001f231a37f54c4476c07fb4cc139ed7e30300",  // onion3 cut
      "bd03adadec040be047f9658668b11a504f3155001f231a37f54c4476c07fb4cc139ed7e3030000",  // port 0
      "be0301aa",            // garlic64 too short
      "9003012f",            // unix path of one slash
      "9003026162",          // unix path without a slash
      "9003032f612f",        // unix path that ends in one
      "900302 2f61 0601bb",  // something behind a path
      "d20301aa",            // certhash that is no multihash
      "e10300"};             // http-path without a path
  for (const char* bytes : hostile) {
    EXPECT_FALSE(Multiaddr::from_bytes(hex(bytes)).has_value()) << bytes;
  }
  EXPECT_EQ(Multiaddr::from_bytes({}).error(), Errc::malformed);
}

TEST(Multiaddr, is_bounded_in_bytes_text_and_depth) {
  std::string text;
  for (std::size_t i = 0; i < Multiaddr::kMaxComponents; ++i) text += "/p2p-circuit";
  const Multiaddr deepest = address(text);
  EXPECT_EQ(deepest.components().size(), Multiaddr::kMaxComponents);
  EXPECT_EQ(Multiaddr::parse(text + "/ws").error(), Errc::limit_exceeded);
  Bytes deeper = deepest.bytes();
  append(deeper, deepest.bytes());
  EXPECT_EQ(Multiaddr::from_bytes(deeper).error(), Errc::limit_exceeded);
  EXPECT_EQ(Multiaddr::from_bytes(Bytes(Multiaddr::kMaxBytes + 1)).error(), Errc::limit_exceeded);
  EXPECT_EQ(Multiaddr::parse('/' + std::string(Multiaddr::kMaxText, 'a')).error(),
            Errc::limit_exceeded);
  EXPECT_EQ(deepest.concat(address("/ws")).error(), Errc::limit_exceeded);
}

TEST(Multiaddr, random_bytes_never_give_an_address_that_does_not_round_trip) {
  FakeRandom random(7);
  const std::span<const ProtocolEntry> table = protocol_table();
  std::size_t accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes;
    for (std::uint64_t steps = 1 + random.below(3); steps > 0; --steps) {
      put_uvarint(bytes, static_cast<std::uint64_t>(table[random.below(table.size())].code));
      Bytes value(random.below(20));
      random.fill(value);
      append(bytes, value);
    }
    const Result<Multiaddr> parsed = Multiaddr::from_bytes(bytes);
    if (!parsed) continue;
    ++accepted;
    EXPECT_EQ(address(parsed->to_string()), *parsed) << to_hex(bytes);
  }
  EXPECT_GT(accepted, 100u);
}

TEST(Multiaddr, components_come_outermost_first) {
  const Multiaddr whole = address("/ip4/1.2.3.4/udp/1234/quic-v1");
  const auto all = whole.components();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].code, Protocol::ip4);
  EXPECT_EQ(to_hex(all[0].value), "01020304");
  EXPECT_EQ(to_hex(all[1].value), "04d2");
  EXPECT_TRUE(all[2].value.empty());
  EXPECT_TRUE(whole.has(Protocol::quic_v1));
  EXPECT_FALSE(whole.has(Protocol::tcp));
}

TEST(Multiaddr, a_tcp_endpoint_is_read_and_built) {
  for (const char* text : {"/ip4/192.0.2.7/tcp/4001", "/ip6/2001:db8::7/tcp/0",
                           "/ip6zone/eth0/ip6/fe80::7/tcp/65535"}) {
    const Multiaddr whole = address(text);
    const auto endpoint = whole.tcp_endpoint();
    ASSERT_TRUE(endpoint.has_value()) << text;
    EXPECT_EQ(Multiaddr::from_tcp(*endpoint), whole);
    EXPECT_EQ(whole.with_peer(peer(kPeer)).tcp_endpoint(), endpoint);
  }
  const auto zoned = address("/ip6zone/eth0/ip6/fe80::7/tcp/65535").tcp_endpoint();
  EXPECT_TRUE(zoned->v6);
  EXPECT_EQ(zoned->zone, "eth0");
  EXPECT_EQ(zoned->port, 65535);
}

TEST(Multiaddr, only_plain_tcp_is_a_tcp_endpoint) {
  const std::string circuit = std::string("/ip4/1.2.3.4/tcp/1/p2p/") + kRelay + "/p2p-circuit";
  for (const std::string& text :
       {std::string("/ip4/1.2.3.4"), std::string("/ip4/1.2.3.4/udp/1"), std::string("/tcp/1"),
        std::string("/ip4/1.2.3.4/tcp/1/ws"), std::string("/ip4/1.2.3.4/tcp/443/tls/ws"),
        std::string("/dns4/example.com/tcp/1"), std::string("/ip6zone/eth0/ip4/1.2.3.4/tcp/1"),
        std::string("/ip6zone/eth0"), circuit, circuit + "/p2p/" + kPeer}) {
    EXPECT_FALSE(address(text).tcp_endpoint().has_value()) << text;
  }
  EXPECT_FALSE(Multiaddr().tcp_endpoint().has_value());
}

TEST(Multiaddr, the_peer_is_the_one_at_the_end) {
  const std::string circuit = std::string("/ip4/1.2.3.4/tcp/1/p2p/") + kRelay + "/p2p-circuit";
  EXPECT_FALSE(address(circuit).peer_id().has_value());
  const Multiaddr through = address(circuit).with_peer(peer(kPeer));
  EXPECT_EQ(through.to_string(), circuit + "/p2p/" + kPeer);
  EXPECT_EQ(through.peer_id(), peer(kPeer));
  EXPECT_EQ(through.without_peer(), address(circuit));
  EXPECT_EQ(through.with_peer(peer(kRelay)).without_peer(), address(circuit));
  EXPECT_EQ(address(circuit).without_peer(), address(circuit));
}

TEST(Multiaddr, a_peer_alone_is_an_address_and_nothing_without_it) {
  const Multiaddr alone = Multiaddr().with_peer(peer(kPeer));
  EXPECT_EQ(alone.to_string(), std::string("/p2p/") + kPeer);
  EXPECT_TRUE(alone.without_peer().empty());
  EXPECT_EQ(Multiaddr().to_string(), "");
  EXPECT_FALSE(Multiaddr().peer_id().has_value());
}

TEST(Multiaddr, addresses_concatenate) {
  EXPECT_EQ(*address("/ip4/1.2.3.4").concat(address("/tcp/1")), address("/ip4/1.2.3.4/tcp/1"));
  EXPECT_EQ(*Multiaddr().concat(address("/tcp/1")), address("/tcp/1"));
  EXPECT_TRUE(Multiaddr().concat(Multiaddr())->empty());
}

TEST(Multiaddr, compares_and_hashes_by_value) {
  const std::unordered_set<Multiaddr> set = {address("/tcp/1"), address("/tcp/1/"),
                                             address("/tcp/2")};
  EXPECT_EQ(set.size(), 2u);
  EXPECT_LT(address("/tcp/1"), address("/tcp/2"));
}

TEST(Multiaddr, knows_from_where_an_address_can_be_reached) {
  const std::pair<const char*, AddressScope> cases[] = {
      {"/ip4/127.0.0.1/tcp/1", AddressScope::loopback},
      {"/ip4/127.255.255.255", AddressScope::loopback},
      {"/ip4/169.254.1.1", AddressScope::link_local},
      {"/ip4/10.0.0.1", AddressScope::private_use},
      {"/ip4/172.15.0.1", AddressScope::public_internet},
      {"/ip4/172.16.0.1", AddressScope::private_use},
      {"/ip4/172.31.255.1", AddressScope::private_use},
      {"/ip4/172.32.0.1", AddressScope::public_internet},
      {"/ip4/192.168.1.1", AddressScope::private_use},
      {"/ip4/100.63.0.1", AddressScope::public_internet},
      {"/ip4/100.64.0.1", AddressScope::shared_cgnat},
      {"/ip4/100.127.255.255", AddressScope::shared_cgnat},
      {"/ip4/100.128.0.1", AddressScope::public_internet},
      {"/ip4/0.0.0.0", AddressScope::unspecified},
      {"/ip4/224.0.0.251", AddressScope::unspecified},
      {"/ip4/255.255.255.255", AddressScope::unspecified},
      {"/ip4/203.0.113.5", AddressScope::public_internet},
      {"/ip4/8.8.8.8/udp/1/quic-v1", AddressScope::public_internet},
      {"/ip6/::1", AddressScope::loopback},
      {"/ip6/::", AddressScope::unspecified},
      {"/ip6/::2", AddressScope::unspecified},
      {"/ip6/ff02::1", AddressScope::unspecified},
      {"/ip6zone/eth0/ip6/fe80::1", AddressScope::link_local},
      {"/ip6/febf::1", AddressScope::link_local},
      {"/ip6/fec0::1", AddressScope::private_use},
      {"/ip6/fd00::1", AddressScope::private_use},
      {"/ip6/2600::1", AddressScope::public_internet},
      {"/ip6/::ffff:127.0.0.1", AddressScope::loopback},
      {"/ip6/::ffff:8.8.8.8", AddressScope::public_internet},
      {"/ip6/64:ff9b::10.0.0.1", AddressScope::private_use},
      {"/ip6/2002:7f00:1::", AddressScope::loopback},
      {"/dns4/localhost/tcp/1", AddressScope::loopback},
      {"/dns/a.LocalHost./tcp/1", AddressScope::loopback},
      {"/dns/nas.local/tcp/1", AddressScope::link_local},
      {"/dns/example.com/tcp/1", AddressScope::public_internet},
      {"/memory/1", AddressScope::public_internet}};
  for (const auto& [text, scope] : cases) EXPECT_EQ(address(text).scope(), scope) << text;
}

}  // namespace
}  // namespace oc::codec
