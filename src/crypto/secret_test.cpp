#include "crypto/secret.hpp"

#include <gtest/gtest.h>

#include <new>

namespace oc::crypto {
namespace {

TEST(Secret, is_wiped_when_destroyed) {
  alignas(Secret<32>) Byte room[sizeof(Secret<32>)];
  FixedBytes<32> bytes;
  bytes.fill(0x5a);
  auto* secret = new (room) Secret<32>(bytes);
  ASSERT_TRUE(equal(secret->view(), bytes));
  const volatile Byte* where = room;
  secret->~Secret<32>();
  for (std::size_t i = 0; i < sizeof room; ++i) EXPECT_EQ(where[i], 0) << i;
}

TEST(Secret, leaves_nothing_where_it_was_moved_from) {
  FixedBytes<32> bytes;
  bytes.fill(0x5a);
  Secret<32> from(bytes);
  Secret<32> to(std::move(from));
  EXPECT_TRUE(equal(to.view(), bytes));
  EXPECT_TRUE(equal(from.view(), FixedBytes<32>{}));  // NOLINT: a moved-from secret is zeros
  from = std::move(to);
  EXPECT_TRUE(equal(from.view(), bytes));
  EXPECT_TRUE(equal(to.view(), FixedBytes<32>{}));  // NOLINT
}

TEST(SecretBytes, moves_without_copying) {
  SecretBytes from(as_bytes("password"));
  const Byte* where = from.view().data();
  const SecretBytes to(std::move(from));
  EXPECT_EQ(to.view().data(), where);
  EXPECT_EQ(as_text(to.view()), "password");
}

TEST(ConstantTimeEqual, compares_size_and_bytes) {
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_TRUE(constant_time_equal(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("ab")));
}

}  // namespace
}  // namespace oc::crypto
