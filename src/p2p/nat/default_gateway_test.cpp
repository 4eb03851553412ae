#include "p2p/nat/default_gateway.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace oc::p2p {
namespace {

static_assert(std::endian::native == std::endian::little, "the tables below are such a machine's");

constexpr std::string_view kColumns =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

std::optional<asio::ip::address_v4> of(std::string_view lines) {
  return default_gateway_of(std::string(kColumns) + std::string(lines));
}

TEST(DefaultGateway, is_that_of_the_default_route) {
  const auto gateway =
      of("eth0\t0001000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
         "eth0\t00000000\t0101000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  ASSERT_TRUE(gateway);
  EXPECT_EQ(gateway->to_string(), "10.0.1.1");
}

TEST(DefaultGateway, of_several_the_one_with_the_lowest_metric_counts) {
  const auto gateway =
      of("wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
         "eth0\t00000000\t0101000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n");
  ASSERT_TRUE(gateway);
  EXPECT_EQ(gateway->to_string(), "10.0.1.1");
}

TEST(DefaultGateway, routes_elsewhere_or_without_a_gateway_are_none) {
  EXPECT_FALSE(of(""));
  EXPECT_FALSE(of("ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"));
  EXPECT_FALSE(of("eth0\t00000000\t0101000A\t0002\t0\t0\t0\t00000000\t0\t0\t0\n")) << "it is down";
  EXPECT_FALSE(of("tun0\t00000000\t0101000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"))
      << "half the internet is not all";
  EXPECT_FALSE(of("eth0\tgarbage\n"));
  EXPECT_FALSE(default_gateway_of(""));
}

}  // namespace
}  // namespace oc::p2p
