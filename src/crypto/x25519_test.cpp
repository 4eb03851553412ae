#include "crypto/x25519.hpp"

#include <gtest/gtest.h>

#include "crypto/error.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex_fixed;

X25519KeyPair pair_of(std::string_view scalar) {
  return X25519KeyPair::from_private(Secret<32>(hex_fixed<32>(scalar)));
}

// RFC 7748, section 6.1.
TEST(X25519, gives_the_keys_and_secret_of_the_rfc) {
  const auto alice = pair_of("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const auto bob = pair_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  EXPECT_EQ(to_hex(alice.public_key()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_hex(bob.public_key()),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(to_hex(alice.shared_secret(bob.public_key())->view()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_TRUE(equal(alice.shared_secret(bob.public_key())->view(),
                    bob.shared_secret(alice.public_key())->view()));
}

TEST(X25519, gives_what_wycheproof_expects_and_refuses_zero_secrets) {
  std::size_t refused = 0;
  const nlohmann::json file = test::load_json("wycheproof/x25519.json");
  for (const auto& group : file["testGroups"]) {
    for (const auto& test : group["tests"]) {
      const X25519KeyPair ours = pair_of(test::text_of(test, "private"));
      const auto secret = ours.shared_secret(hex_fixed<32>(test::text_of(test, "public")));
      const Bytes expected = test::hex_of(test, "shared");
      if (equal(expected, Bytes(32))) {
        EXPECT_EQ(secret.error(), CryptoErrc::weak_point) << test["tcId"];
        ++refused;
      } else {
        ASSERT_TRUE(secret.has_value()) << test["tcId"];
        EXPECT_TRUE(equal(secret->view(), expected)) << test["tcId"];
      }
    }
  }
  EXPECT_GE(refused, 31u);
}

TEST(X25519, a_generated_pair_comes_from_the_random_source) {
  FakeRandom first(1);
  FakeRandom same(1);
  FakeRandom other(2);
  const X25519KeyPair pair = X25519KeyPair::generate(first);
  EXPECT_EQ(pair.public_key(), X25519KeyPair::generate(same).public_key());
  EXPECT_NE(pair.public_key(), X25519KeyPair::generate(other).public_key());
}

}  // namespace
}  // namespace oc::crypto
