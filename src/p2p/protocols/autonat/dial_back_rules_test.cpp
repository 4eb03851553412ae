#include "p2p/protocols/autonat/dial_back_rules.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

using codec::Multiaddr;

Multiaddr multiaddr(const std::string& text) { return *Multiaddr::parse(text); }

const std::string kPeer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
const std::string kOther = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";

DialBackAsker asker(const std::string& remote = "/ip4/203.0.113.1/tcp/50000") {
  return {*codec::PeerId::parse(kPeer), multiaddr(remote), false};
}

DialBackAsker member(const std::string& remote) {
  DialBackAsker out = asker(remote);
  out.trusted = true;
  return out;
}

DialBackGround ground() {
  return {{multiaddr("/ip4/192.0.2.1/tcp/1985"), multiaddr("/ip4/10.0.0.1/tcp/1985"),
           multiaddr("/ip4/127.0.0.1/tcp/1985"), multiaddr("/ip6/2001:db8::1/tcp/1985")},
          false};
}

// "" when nothing is dialed, "+" in front when data is demanded.
std::string planned(const std::vector<std::string>& asked, const DialBackAsker& by = asker(),
                    const DialBackGround& from = ground()) {
  std::vector<Multiaddr> addresses;
  for (const std::string& text : asked) {
    addresses.push_back(text.empty() ? Multiaddr() : multiaddr(text));
  }
  const auto plan = plan_dial_back(addresses, by, from);
  if (!plan) return "";
  return (plan->needs_data ? "+" : "") + std::to_string(plan->index) + " " +
         plan->address.to_string();
}

TEST(DialBackRules, the_address_where_we_see_the_asker_is_dialed_at_once) {
  EXPECT_EQ(planned({"/ip4/203.0.113.1/tcp/1985"}), "0 /ip4/203.0.113.1/tcp/1985");
}

TEST(DialBackRules, for_another_ip_address_data_is_demanded) {
  EXPECT_EQ(planned({"/ip4/203.0.113.2/tcp/50000"}), "+0 /ip4/203.0.113.2/tcp/50000");
  EXPECT_EQ(planned({"/ip6/2001:db8::2/tcp/1"}), "+0 /ip6/2001:db8::2/tcp/1");
}

TEST(DialBackRules, the_first_address_that_may_be_dialed_is) {
  EXPECT_EQ(planned({"", "/ip4/10.0.0.7/tcp/1", "/ip4/203.0.113.1/udp/1/quic-v1",
                     "/ip4/203.0.113.1/tcp/7", "/ip4/203.0.113.1/tcp/8"}),
            "3 /ip4/203.0.113.1/tcp/7");
}

TEST(DialBackRules, local_addresses_are_refused) {
  for (const char* text :
       {"/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.7/tcp/1", "/ip4/172.16.0.1/tcp/1",
        "/ip4/192.168.1.1/tcp/1", "/ip4/100.64.0.1/tcp/1", "/ip4/169.254.1.1/tcp/1",
        "/ip4/0.0.0.0/tcp/1", "/ip4/224.0.0.1/tcp/1", "/ip6/::1/tcp/1", "/ip6/fe80::1/tcp/1",
        "/ip6zone/eth0/ip6/fe80::1/tcp/1", "/ip6/fd00::1/tcp/1"}) {
    EXPECT_EQ(planned({text}), "") << text;
  }
}

TEST(DialBackRules, an_ip4_address_in_an_ip6_one_is_refused) {
  EXPECT_EQ(planned({"/ip6/::ffff:192.0.2.1/tcp/22"}), "");
  EXPECT_EQ(planned({"/ip6/::ffff:203.0.113.2/tcp/22"}), "");
  EXPECT_EQ(planned({"/ip6/::ffff:10.0.0.1/tcp/22"}), "");
}

TEST(DialBackRules, relays_names_and_other_transports_are_refused) {
  for (const std::string& text :
       {"/ip4/203.0.113.1/tcp/1/p2p/" + kOther + "/p2p-circuit/p2p/" + kPeer,
        "/ip4/203.0.113.1/tcp/1/p2p/" + kOther + "/p2p-circuit",
        std::string("/dns4/victim.example/tcp/1"), std::string("/ip4/203.0.113.1/tcp/1/ws"),
        std::string("/ip4/203.0.113.1/tcp/0")}) {
    EXPECT_EQ(planned({text}), "") << text;
  }
}

TEST(DialBackRules, our_own_addresses_are_refused_at_every_port) {
  EXPECT_EQ(planned({"/ip4/192.0.2.1/tcp/1985"}), "");
  EXPECT_EQ(planned({"/ip4/192.0.2.1/tcp/22"}), "");
  EXPECT_EQ(planned({"/ip6/2001:db8::1/tcp/22"}), "");
}

TEST(DialBackRules, an_address_that_names_another_peer_is_refused) {
  EXPECT_EQ(planned({"/ip4/203.0.113.1/tcp/1/p2p/" + kOther}), "");
  EXPECT_EQ(planned({"/ip4/203.0.113.1/tcp/1/p2p/" + kPeer}), "0 /ip4/203.0.113.1/tcp/1");
}

TEST(DialBackRules, who_comes_through_a_relay_is_refused) {
  const auto by = asker("/ip4/203.0.113.9/tcp/1/p2p/" + kOther + "/p2p-circuit");
  EXPECT_EQ(planned({"/ip4/203.0.113.9/tcp/1"}, by), "");
}

TEST(DialBackRules, a_member_on_our_own_kind_of_local_network_may_ask_about_it) {
  const auto by = member("/ip4/10.0.0.7/tcp/50000");
  EXPECT_EQ(planned({"/ip4/10.0.0.7/tcp/1985"}, by), "0 /ip4/10.0.0.7/tcp/1985");
  EXPECT_EQ(planned({"/ip4/10.0.0.8/tcp/1985"}, by), "+0 /ip4/10.0.0.8/tcp/1985");
  EXPECT_EQ(planned({"/ip4/127.0.0.1/tcp/1985"}, by), "");
  EXPECT_EQ(planned({"/ip4/10.0.0.1/tcp/22"}, by), "") << "that is ourselves";
  EXPECT_EQ(planned({"/ip4/100.64.0.7/tcp/1985"}, by), "") << "that is another network";
}

TEST(DialBackRules, a_member_on_the_internet_may_not_ask_about_local_networks) {
  EXPECT_EQ(planned({"/ip4/10.0.0.7/tcp/1985"}, member("/ip4/203.0.113.1/tcp/50000")), "");
}

TEST(DialBackRules, what_there_is_no_way_to_is_refused) {
  DialBackGround no_ip6 = ground();
  no_ip6.own.pop_back();
  EXPECT_EQ(planned({"/ip6/2001:db8::2/tcp/1"}, asker(), no_ip6), "");
  no_ip6.own.push_back(multiaddr("/ip6/fd00::1/tcp/1985"));
  EXPECT_EQ(planned({"/ip6/2001:db8::2/tcp/1"}, asker(), no_ip6), "");
  const DialBackGround no_ip4{{multiaddr("/ip6/2001:db8::1/tcp/1985")}, false};
  EXPECT_EQ(planned({"/ip4/203.0.113.1/tcp/1985"}, asker(), no_ip4), "");
}

std::string v1_planned(const std::vector<std::string>& asked, const DialBackAsker& by) {
  std::vector<Multiaddr> addresses;
  for (const std::string& text : asked) addresses.push_back(multiaddr(text));
  std::string out;
  for (const Multiaddr& address : plan_v1_dials(addresses, by, ground()))
    out += address.to_string() + " ";
  return out;
}

TEST(DialBackRules, version_1_dials_the_ports_at_the_ip_address_where_we_see_the_asker) {
  EXPECT_EQ(v1_planned({"/ip4/203.0.113.2/tcp/7", "/ip4/203.0.113.1/tcp/7", "/ip4/10.0.0.7/tcp/8",
                        "/ip4/203.0.113.1/udp/9/quic-v1"},
                       asker()),
            "/ip4/203.0.113.1/tcp/7 /ip4/203.0.113.1/tcp/8 ");
}

TEST(DialBackRules, version_1_dials_a_few_ports_and_no_more) {
  EXPECT_EQ(v1_planned({"/ip4/203.0.113.1/tcp/1", "/ip4/203.0.113.1/tcp/2",
                        "/ip4/203.0.113.1/tcp/3", "/ip4/203.0.113.1/tcp/4"},
                       asker()),
            "/ip4/203.0.113.1/tcp/1 /ip4/203.0.113.1/tcp/2 /ip4/203.0.113.1/tcp/3 ");
}

TEST(DialBackRules, version_1_dials_no_local_network_and_nobody_behind_a_relay) {
  EXPECT_EQ(v1_planned({"/ip4/10.0.0.7/tcp/7"}, member("/ip4/10.0.0.7/tcp/50000")), "");
  EXPECT_EQ(v1_planned({"/ip4/203.0.113.9/tcp/7"},
                       asker("/ip4/203.0.113.9/tcp/1/p2p/" + kOther + "/p2p-circuit")),
            "");
}

}  // namespace
}  // namespace oc::p2p
