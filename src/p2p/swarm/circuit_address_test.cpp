#include "p2p/swarm/circuit_address.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

const std::string kRelay = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
const std::string kTarget = "12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE";

codec::Multiaddr address(const std::string& text) { return *codec::Multiaddr::parse(text); }
std::optional<CircuitAddress> parse(const std::string& text) {
  return parse_circuit(address(text));
}

TEST(CircuitAddress, names_the_relay_and_its_address) {
  const std::string circuit = "/ip4/192.0.2.1/tcp/1985/p2p/" + kRelay + "/p2p-circuit";
  for (const std::string& text : {circuit, circuit + "/p2p/" + kTarget}) {
    const auto parsed = parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->relay.to_string(), kRelay);
    EXPECT_EQ(parsed->relay_address, address("/ip4/192.0.2.1/tcp/1985"));
  }
  const auto bare = parse("/p2p/" + kRelay + "/p2p-circuit");
  ASSERT_TRUE(bare);
  EXPECT_TRUE(bare->relay_address.empty());
}

TEST(CircuitAddress, other_addresses_are_none) {
  for (const std::string& text :
       {std::string("/ip4/192.0.2.1/tcp/1985"), "/ip4/192.0.2.1/tcp/1985/p2p/" + kRelay,
        std::string("/p2p-circuit"), "/p2p-circuit/p2p/" + kTarget,
        std::string("/ip4/192.0.2.1/tcp/1985/p2p-circuit"),
        "/ip4/192.0.2.1/tcp/1/p2p/" + kRelay + "/p2p-circuit/ip4/10.0.0.1/tcp/2"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

TEST(CircuitAddress, no_circuit_goes_through_two_relays) {
  EXPECT_FALSE(
      parse("/ip4/192.0.2.1/tcp/1/p2p/" + kRelay + "/p2p-circuit/p2p/" + kTarget + "/p2p-circuit"));
}

TEST(CircuitAddress, what_is_made_is_parsed) {
  const auto relay = *codec::PeerId::parse(kRelay);
  for (const std::string& at :
       {std::string("/ip4/192.0.2.1/tcp/1985"), "/ip6/2001:db8::1/tcp/1985/p2p/" + kRelay}) {
    const auto parsed = parse_circuit(make_circuit(address(at), relay));
    ASSERT_TRUE(parsed) << at;
    EXPECT_EQ(parsed->relay, relay);
    EXPECT_EQ(parsed->relay_address, address(at).without_peer());
  }
}

}  // namespace
}  // namespace oc::p2p
