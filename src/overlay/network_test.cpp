#include "overlay/network.hpp"

#include <gtest/gtest.h>

#include "crypto/password_hash.hpp"
#include "support/vectors.hpp"

namespace oc::overlay {
namespace {

TEST(NetworkName, takes_up_to_64_bytes_of_text_without_a_colon) {
  EXPECT_TRUE(parse_network_name("home"));
  EXPECT_TRUE(parse_network_name("büro-λ"));
  EXPECT_TRUE(parse_network_name(std::string(kMaxNetworkName, 'n')));
  EXPECT_EQ(parse_network_name("home")->value(), "home");
}

TEST(NetworkName, refuses_what_would_be_ambiguous_or_invisible) {
  for (const std::string& bad : {std::string(), std::string("a:b"), std::string("a\nb"),
                                 std::string("a\x7f"), std::string("a\0b", 3), std::string("\xff"),
                                 std::string("a\xc2\x85"), std::string(kMaxNetworkName + 1, 'n')}) {
    EXPECT_FALSE(parse_network_name(bad)) << to_hex(as_bytes(bad));
  }
}

TEST(NetworkId, depends_on_the_name_alone) {
  const NetworkId home = network_id(NetworkName("home"));
  EXPECT_EQ(home, network_id(NetworkName("home")));
  EXPECT_NE(home, network_id(NetworkName("Home")));
  EXPECT_EQ(to_hex(home), "9767732fb8a6a2760062c2133733525518f84dc37aa13626c49b6b9fff597259");
}

TEST(NetworkSecret, is_the_one_of_the_documentation) {
  EXPECT_EQ(to_hex(crypto::derive_network_secret("correct horse", "home")),
            "92af21eaa416806f642040b9a948bec384906e9bfe8b76b053c0d19ac748a096");
}

}  // namespace
}  // namespace oc::overlay
