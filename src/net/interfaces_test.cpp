#include "net/interfaces.hpp"

#include <gtest/gtest.h>

namespace oc::net {
namespace {

TEST(Interfaces, an_address_is_our_own_or_not_without_being_listed_at_an_interface) {
  for (const char* own : {"127.0.0.1", "127.1.2.3", "::1"})
    EXPECT_TRUE(is_own_address(asio::ip::make_address(own))) << own;
  for (const char* foreign : {"192.0.2.1", "2001:db8::1"})
    EXPECT_FALSE(is_own_address(asio::ip::make_address(foreign))) << foreign;
}

}  // namespace
}  // namespace oc::net
