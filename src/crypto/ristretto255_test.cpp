// The group under CPace, held against RFC 9496, appendix A.
#include <gtest/gtest.h>
#include <sodium.h>

#include "crypto/cpace.hpp"
#include "crypto/error.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

nlohmann::json vectors() { return test::load_json("ristretto255/rfc9496.json"); }

TEST(Ristretto255, multiples_of_the_generator_are_those_of_the_rfc) {
  const nlohmann::json multiples = vectors()["multiples"];
  ASSERT_EQ(multiples.size(), 16u);
  const Bytes generator = test::hex(multiples[1].get<std::string>());
  for (Byte factor = 1; factor < 16; ++factor) {
    const Secret<32> scalar(FixedBytes<32>{factor});
    const auto product = cpace_scalar_mult(scalar, generator);
    ASSERT_TRUE(product.has_value());
    EXPECT_EQ(to_hex(*product), multiples[factor].get<std::string>());
  }
  const Secret<32> zero(FixedBytes<32>{});
  EXPECT_EQ(cpace_scalar_mult(zero, generator).error(), CryptoErrc::weak_point);
}

TEST(Ristretto255, encodings_that_the_rfc_calls_invalid_are_refused) {
  const nlohmann::json invalid = vectors()["invalid"];
  ASSERT_EQ(invalid.size(), 29u);
  const Secret<32> scalar(FixedBytes<32>{1});
  for (const auto& encoding : invalid) {
    EXPECT_EQ(cpace_scalar_mult(scalar, test::hex(encoding.get<std::string>())).error(),
              Errc::malformed)
        << encoding;
  }
}

TEST(Ristretto255, elements_are_derived_as_in_the_rfc) {
  const nlohmann::json derived = vectors()["derived"];
  ASSERT_EQ(derived.size(), 11u);
  for (const auto& row : derived) {
    FixedBytes<32> element;
    const Bytes input = test::hex_of(row, "input");
    ASSERT_EQ(input.size(), 64u);
    crypto_core_ristretto255_from_hash(element.data(), input.data());
    EXPECT_EQ(to_hex(element), test::text_of(row, "element"));
  }
}

}  // namespace
}  // namespace oc::crypto
