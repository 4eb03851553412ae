#include "node/path_text.hpp"

#include <gtest/gtest.h>

namespace oc::node {
namespace {

constexpr const char* kRelay = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

std::string text_of(const std::string& remote) {
  return path_text(*codec::Multiaddr::parse(remote));
}

TEST(PathText, says_how_near_the_other_end_is) {
  EXPECT_EQ(text_of("/ip4/192.0.2.1/tcp/1985"), "direct tcp /ip4/192.0.2.1/tcp/1985");
  EXPECT_EQ(text_of("/ip6/2001:db8::1/tcp/1985"), "direct tcp /ip6/2001:db8::1/tcp/1985");
  EXPECT_EQ(text_of("/ip4/10.0.0.7/tcp/1985"), "lan tcp /ip4/10.0.0.7/tcp/1985");
  EXPECT_EQ(text_of("/ip6/fe80::1/tcp/1985"), "lan tcp /ip6/fe80::1/tcp/1985");
}

TEST(PathText, names_the_relay_of_a_circuit) {
  const std::string relay(kRelay);
  EXPECT_EQ(text_of("/ip4/192.0.2.1/tcp/1985/p2p/" + relay + "/p2p-circuit"),
            "circuit via " + relay + " /ip4/192.0.2.1/tcp/1985");
}

}  // namespace
}  // namespace oc::node
