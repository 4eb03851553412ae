#include "p2p/nat/nat_mapping.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

codec::Multiaddr multiaddr(const std::string& text) { return *codec::Multiaddr::parse(text); }

ObserverView view(const std::string& remote, const std::string& observed,
                  const std::string& local = "/ip4/10.0.0.2/tcp/1985") {
  return {multiaddr(remote), multiaddr(local), multiaddr(observed), true};
}

NatMapping mapping(const std::vector<ObserverView>& views) {
  return find_nat_mapping(views).mapping;
}

constexpr const char* kFirst = "/ip4/192.0.2.1/tcp/1985";
constexpr const char* kSecond = "/ip4/192.0.2.2/tcp/1985";

TEST(NatMapping, one_observer_is_too_few) {
  EXPECT_EQ(mapping({}), NatMapping::unknown);
  EXPECT_EQ(mapping({view(kFirst, "/ip4/203.0.113.1/tcp/1985")}), NatMapping::unknown);
  EXPECT_EQ(mapping({view(kFirst, "/ip4/203.0.113.1/tcp/1985"),
                     view("/ip4/192.0.2.1/tcp/7", "/ip4/203.0.113.1/tcp/1985")}),
            NatMapping::unknown)
      << "two at one address are one";
}

TEST(NatMapping, the_same_outer_address_for_all_is_endpoint_independent) {
  const auto finding = find_nat_mapping(
      {view(kFirst, "/ip4/203.0.113.1/tcp/40000"), view(kSecond, "/ip4/203.0.113.1/tcp/40000")});
  EXPECT_EQ(finding.mapping, NatMapping::endpoint_independent);
  EXPECT_EQ(finding.observers, 2u);
}

TEST(NatMapping, another_outer_port_for_each_is_address_dependent) {
  EXPECT_EQ(mapping({view(kFirst, "/ip4/203.0.113.1/tcp/40000"),
                     view(kSecond, "/ip4/203.0.113.1/tcp/40001")}),
            NatMapping::address_dependent);
}

TEST(NatMapping, where_all_see_our_own_address_there_is_none) {
  const std::string own = "/ip4/203.0.113.1/tcp/1985";
  EXPECT_EQ(mapping({view(kFirst, own, own), view(kSecond, own, own)}), NatMapping::none);
}

TEST(NatMapping, who_comes_in_shows_that_there_is_none_but_not_how_one_maps) {
  const std::string own = "/ip4/203.0.113.1/tcp/1985";
  ObserverView plain = view(kFirst, own, own);
  plain.outbound = false;
  EXPECT_EQ(mapping({plain, view(kSecond, own, own)}), NatMapping::none);
  ObserverView forwarded = view(kFirst, "/ip4/203.0.113.1/tcp/4001");
  forwarded.outbound = false;
  EXPECT_EQ(mapping({forwarded, view(kSecond, "/ip4/203.0.113.1/tcp/40000")}), NatMapping::unknown);
}

TEST(NatMapping, each_of_our_addresses_is_looked_at_by_itself) {
  const std::string own = "/ip6/2001:db8::1/tcp/1985";
  EXPECT_EQ(
      mapping({view("/ip6/2001:db8::2/tcp/1", own, own), view(kFirst, "/ip4/203.0.113.1/tcp/40000"),
               view(kSecond, "/ip4/203.0.113.1/tcp/40000")}),
      NatMapping::endpoint_independent);
}

TEST(NatMapping, observers_on_the_local_network_do_not_count) {
  const auto finding = find_nat_mapping({view("/ip4/10.0.0.3/tcp/1", "/ip4/10.0.0.2/tcp/1985"),
                                         view(kFirst, "/ip4/203.0.113.1/tcp/40000")});
  EXPECT_EQ(finding.mapping, NatMapping::unknown);
  EXPECT_EQ(finding.observers, 1u);
}

}  // namespace
}  // namespace oc::p2p
