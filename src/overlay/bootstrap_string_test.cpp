#include "overlay/bootstrap_string.hpp"

#include <gtest/gtest.h>

#include "codec/base64.hpp"

namespace oc::overlay {
namespace {

constexpr std::string_view kId = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
constexpr std::string_view kOther = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";

std::string b64(std::string_view json) { return codec::base64_encode(as_bytes(json)); }

std::string with_addresses(std::string_view list) {
  return b64(R"({"id": ")" + std::string(kId) + R"(", "connect_multiadress": )" +
             std::string(list) + "}");
}

std::string address(std::string_view start, std::string_view id = kId) {
  return std::string(start) + "/p2p/" + std::string(id);
}

BootstrapPeer peer_at(std::vector<std::string> addresses) {
  BootstrapPeer peer{*codec::PeerId::parse(kId), {}};
  for (const std::string& text : addresses)
    peer.addresses.push_back(*codec::Multiaddr::parse(text));
  return peer;
}

std::string message_of(std::string_view text) {
  const auto result = decode_bootstrap(text);
  if (result) return "(accepted)";
  EXPECT_EQ(result.error().code, FaultCode::bad_bootstrap_string);
  return result.error().message;
}

TEST(BootstrapString, decodes_what_it_encodes) {
  const BootstrapPeer peer =
      peer_at({address("/ip4/203.0.113.7/tcp/1985"), address("/ip6/2001:db8::1/tcp/1985"),
               address("/dns4/nas.example.com/tcp/1985")});
  const auto decoded = decode_bootstrap(encode_bootstrap(peer));
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(*decoded, peer);
}

TEST(BootstrapString, has_the_articles_spelling_and_order) {
  const Bytes bytes =
      *codec::base64_decode(encode_bootstrap(peer_at({address("/ip4/203.0.113.7/tcp/1985")})));
  EXPECT_EQ(as_text(bytes), R"({"id":")" + std::string(kId) + R"(","connect_multiadress":[")" +
                                address("/ip4/203.0.113.7/tcp/1985") + R"("]})");
}

TEST(BootstrapString, takes_white_space_and_missing_padding) {
  std::string text = with_addresses("[\"" + address("/ip4/203.0.113.7/tcp/1985") + "\"]");
  while (text.ends_with('=')) text.pop_back();
  for (std::size_t i = 64; i < text.size(); i += 65) text.insert(i, "\n");
  EXPECT_TRUE(decode_bootstrap("  " + text + "\r\n"));
}

TEST(BootstrapString, takes_name_and_addresses) {
  const auto decoded = decode_bootstrap(
      b64(R"({"name":"nas","addresses":[")" + address("/ip4/203.0.113.7/tcp/1985") + R"("]})"));
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(*decoded, peer_at({address("/ip4/203.0.113.7/tcp/1985")}));
}

TEST(BootstrapString, completes_an_address_without_its_peer) {
  const auto decoded = decode_bootstrap(with_addresses(R"(["/ip4/203.0.113.7/tcp/1985"])"));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, peer_at({address("/ip4/203.0.113.7/tcp/1985")}));
}

TEST(BootstrapString, skips_addresses_that_cannot_be_dialed) {
  const auto decoded = decode_bootstrap(with_addresses(
      R"(["/ip4/203.0.113.7/tcp/0/p2p/)" + std::string(kId) +
      R"(","/ip4/0.0.0.0/tcp/1985","/unix/run/x","/ip4/203.0.113.7","/newer-than-us/7",)" +
      R"("/ip4/203.0.113.7/tcp/1985","/dnsaddr/boot.example.com"])"));
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(*decoded,
            peer_at({address("/ip4/203.0.113.7/tcp/1985"), address("/dnsaddr/boot.example.com")}));
}

TEST(BootstrapString, takes_a_circuit_whose_last_peer_is_the_id) {
  const std::string circuit =
      address(address("/ip4/203.0.113.7/tcp/1985", kOther) + "/p2p-circuit");
  const auto decoded = decode_bootstrap(with_addresses("[\"" + circuit + "\"]"));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, peer_at({circuit}));
}

TEST(BootstrapString, says_what_is_wrong) {
  EXPECT_EQ(message_of(""), "the bootstrap string is empty");
  EXPECT_EQ(message_of("not base64!"),
            "the bootstrap string is not base64, or a part of it is missing");
  EXPECT_EQ(message_of(b64("[]")), "the bootstrap string does not hold a JSON object");
  EXPECT_EQ(message_of(b64(R"({"id":)")), "the bootstrap string does not hold a JSON object");
  EXPECT_EQ(message_of(b64(R"({"id":"x"})")), "the bootstrap string lists no addresses");
  EXPECT_EQ(message_of(b64(R"({"id":"x","addresses":[]})")),
            "the id in the bootstrap string is not a peer id");
  EXPECT_EQ(message_of(b64(R"({"id":7,"addresses":[]})")),
            "the id in the bootstrap string is not a peer id");
  EXPECT_EQ(message_of(b64(R"({"addresses":["/ip4/203.0.113.7/tcp/1985"]})")),
            "the bootstrap string names no peer id");
  EXPECT_EQ(message_of(with_addresses(R"(["/ip4/203.0.113.7/tcp/1985", 7])")),
            "address 2 of the bootstrap string is not text");
  EXPECT_EQ(message_of(with_addresses(R"(["203.0.113.7:1985"])")),
            "address 1 of the bootstrap string is not a multiaddr");
  EXPECT_EQ(message_of(with_addresses(R"(["/ip4/203.0.113.7/tcp/0"])")),
            "the bootstrap string of " + std::string(kId) + " lists no address that can be dialed");
}

TEST(BootstrapString, refuses_an_address_of_another_peer) {
  EXPECT_EQ(
      message_of(with_addresses("[\"" + address("/ip4/203.0.113.7/tcp/1985", kOther) + "\"]")),
      "the bootstrap string of " + std::string(kId) + " lists an address of " +
          std::string(kOther));
}

TEST(BootstrapString, is_bounded) {
  EXPECT_EQ(message_of(std::string(kMaxBootstrapText + 1, 'A')),
            "the bootstrap string is too long");
  std::string list = "[";
  for (std::size_t i = 0; i <= kMaxBootstrapAddresses; ++i) list += "\"/ip4/192.0.2.1/tcp/1\",";
  list.back() = ']';
  EXPECT_EQ(message_of(with_addresses(list)), "the bootstrap string lists more than 64 addresses");
}

TEST(BootstrapString, leaves_out_addresses_that_do_not_fit) {
  BootstrapPeer peer = peer_at({});
  for (int i = 0; i < 200; ++i) {
    peer.addresses.push_back(*codec::Multiaddr::parse("/dns4/" + std::string(200, 'a') + "/tcp/" +
                                                      std::to_string(i + 1)));
  }
  const std::string text = encode_bootstrap(peer);
  EXPECT_LE(text.size(), kMaxBootstrapText);
  const auto decoded = decode_bootstrap(text);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_GT(decoded->addresses.size(), 30u);
  EXPECT_EQ(decoded->addresses.front(), peer.addresses.front().with_peer(peer.id));
}

TEST(BootstrapString, survives_every_truncation) {
  const std::string text = encode_bootstrap(peer_at({address("/ip4/203.0.113.7/tcp/1985")}));
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto decoded = decode_bootstrap(text.substr(0, n));
    EXPECT_TRUE(!decoded || n + 2 >= text.size()) << n;
  }
}

}  // namespace
}  // namespace oc::overlay
