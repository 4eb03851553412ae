#include "crypto/proof_cache.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace oc::crypto {
namespace {

PrivateKey key(std::uint64_t seed) {
  FakeRandom random(seed);
  return PrivateKey::generate(random);
}

// A check that counts how often it is asked.
struct Check {
  bool answer = true;
  int asked = 0;

  std::function<bool()> function() {
    return [this] {
      ++asked;
      return answer;
    };
  }
};

Bytes number(std::uint32_t n) {
  Bytes out(4);
  put_be32(out.data(), n);
  return out;
}

bool hold(ProofCache& proofs, std::uint32_t n, Check& check) {
  return proofs.holds("number", {number(n)}, check.function());
}

TEST(ProofCache, a_good_proof_is_checked_once) {
  ProofCache proofs;
  Check check;
  EXPECT_TRUE(hold(proofs, 1, check));
  EXPECT_TRUE(hold(proofs, 1, check));
  EXPECT_EQ(check.asked, 1);
}

TEST(ProofCache, a_bad_proof_is_checked_each_time_and_never_kept) {
  ProofCache proofs;
  Check check{.answer = false};
  EXPECT_FALSE(hold(proofs, 1, check));
  EXPECT_FALSE(hold(proofs, 1, check));
  EXPECT_EQ(check.asked, 2);
  EXPECT_EQ(proofs.size(), 0u);
}

TEST(ProofCache, parts_and_kinds_do_not_run_into_each_other) {
  ProofCache proofs;
  Check good;
  Check bad{.answer = false};
  EXPECT_TRUE(proofs.holds("kind", {as_bytes("ab"), as_bytes("c")}, good.function()));
  EXPECT_FALSE(proofs.holds("kind", {as_bytes("a"), as_bytes("bc")}, bad.function()));
  EXPECT_FALSE(proofs.holds("kind", {as_bytes("abc")}, bad.function()));
  EXPECT_FALSE(proofs.holds("kind", {as_bytes("ab"), as_bytes("c"), {}}, bad.function()));
  EXPECT_FALSE(proofs.holds("other", {as_bytes("ab"), as_bytes("c")}, bad.function()));
  EXPECT_TRUE(proofs.holds("kind", {as_bytes("ab"), as_bytes("c")}, bad.function()));
}

TEST(ProofCache, one_altered_bit_of_a_known_signature_is_refused) {
  ProofCache proofs;
  const Bytes message = to_bytes(as_bytes("what is signed"));
  const Bytes signature = key(1).sign(message);
  const Bytes marshalled = key(1).public_key().raw();
  ASSERT_TRUE(proofs.verify(key(1).public_key(), message, signature));
  ASSERT_TRUE(proofs.verify(key(1).public_key(), message, signature));
  for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    Bytes bent = signature;
    bent[bit / 8] ^= static_cast<Byte>(1 << bit % 8);
    EXPECT_FALSE(proofs.verify(key(1).public_key(), message, bent)) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
    Bytes bent = message;
    bent[bit / 8] ^= static_cast<Byte>(1 << bit % 8);
    EXPECT_FALSE(proofs.verify(key(1).public_key(), bent, signature)) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * marshalled.size(); ++bit) {
    Bytes bent = marshalled;
    bent[bit / 8] ^= static_cast<Byte>(1 << bit % 8);
    const auto other = PublicKey::from_raw(KeyType::ed25519, bent);
    ASSERT_TRUE(other.has_value());
    EXPECT_FALSE(proofs.verify(*other, message, signature)) << bit;
  }
  EXPECT_EQ(proofs.size(), 1u);
}

TEST(ProofCache, proofs_are_bounded_and_the_oldest_go_first) {
  ProofCache proofs;
  Check check;
  constexpr std::uint32_t kMany = 3 * ProofCache::kMaxProofs;
  for (std::uint32_t n = 0; n < kMany; ++n) {
    EXPECT_TRUE(hold(proofs, n, check));
    EXPECT_LE(proofs.size(), ProofCache::kMaxProofs);
  }
  check.asked = 0;
  EXPECT_TRUE(hold(proofs, kMany - 1, check));
  EXPECT_EQ(check.asked, 0);
  EXPECT_TRUE(hold(proofs, 0, check));
  EXPECT_EQ(check.asked, 1);
}

TEST(ProofCache, a_proof_in_use_stays_among_many_others) {
  ProofCache proofs;
  Check used;
  Check others;
  for (std::uint32_t n = 1; n < 3 * ProofCache::kMaxProofs; ++n) {
    EXPECT_TRUE(hold(proofs, 0, used));
    EXPECT_TRUE(hold(proofs, n, others));
  }
  EXPECT_EQ(used.asked, 1);
}

}  // namespace
}  // namespace oc::crypto
