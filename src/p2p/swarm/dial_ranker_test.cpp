#include "p2p/swarm/dial_ranker.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using codec::Multiaddr;

constexpr const char* kRelayId = "12D3KooWHHzSeKaY8xuZVzkLbKFfvNgPPeKhFBGrMbNzbm5akpqu";

std::vector<Multiaddr> addresses_of(const std::vector<std::string>& texts) {
  std::vector<Multiaddr> out;
  for (const std::string& text : texts) out.push_back(*Multiaddr::parse(text));
  return out;
}

bool any(const Multiaddr&) { return true; }

using Ranking = std::vector<std::pair<std::string, Duration>>;

Ranking rank(const std::vector<std::string>& texts, const Dialable& dialable = is_plain_tcp) {
  Ranking out;
  for (const RankedAddress& ranked : rank_addresses(addresses_of(texts), dialable)) {
    out.emplace_back(ranked.address.to_string(), ranked.delay);
  }
  return out;
}

TEST(DialRanker, public_addresses_alternate_between_families_a_quarter_second_apart) {
  EXPECT_EQ(rank({"/ip4/198.51.100.1/tcp/1", "/ip4/198.51.100.2/tcp/1", "/ip4/198.51.100.3/tcp/1",
                  "/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8::2/tcp/1"}),
            (Ranking{{"/ip6/2001:db8::1/tcp/1", 0ms},
                     {"/ip4/198.51.100.1/tcp/1", 250ms},
                     {"/ip6/2001:db8::2/tcp/1", 500ms},
                     {"/ip4/198.51.100.2/tcp/1", 750ms},
                     {"/ip4/198.51.100.3/tcp/1", 1000ms}}));
}

TEST(DialRanker, loopback_and_lan_come_first_and_fast) {
  EXPECT_EQ(rank({"/ip4/198.51.100.1/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip6/fd00::2/tcp/1",
                  "/ip4/127.0.0.1/tcp/1", "/ip4/100.64.0.1/tcp/1", "/ip6/2001:db8::1/tcp/1"}),
            (Ranking{{"/ip4/127.0.0.1/tcp/1", 0ms},
                     {"/ip6/fd00::2/tcp/1", 30ms},
                     {"/ip4/192.168.1.2/tcp/1", 60ms},
                     {"/ip4/100.64.0.1/tcp/1", 90ms},
                     {"/ip6/2001:db8::1/tcp/1", 120ms},
                     {"/ip4/198.51.100.1/tcp/1", 370ms}}));
}

TEST(DialRanker, circuits_start_half_a_second_after_direct_addresses) {
  const std::string relay = std::string("/ip4/203.0.113.1/tcp/1/p2p/") + kRelayId + "/p2p-circuit";
  const std::string other = std::string("/ip4/203.0.113.2/tcp/1/p2p/") + kRelayId + "/p2p-circuit";
  EXPECT_EQ(rank({relay, "/ip4/198.51.100.1/tcp/1", other, "/ip4/10.0.0.1/tcp/1"}, any),
            (Ranking{{"/ip4/10.0.0.1/tcp/1", 0ms},
                     {"/ip4/198.51.100.1/tcp/1", 30ms},
                     {relay, 500ms},
                     {other, 750ms}}));
  EXPECT_EQ(rank({relay, other}, any), (Ranking{{relay, 0ms}, {other, 250ms}}))
      << "with nothing before them there is nothing to wait for";
}

TEST(DialRanker, many_direct_addresses_do_not_put_a_circuit_off) {
  const std::string relay = std::string("/ip4/203.0.113.1/tcp/1/p2p/") + kRelayId + "/p2p-circuit";
  std::vector<std::string> texts{relay};
  for (int i = 1; i <= 6; ++i) texts.push_back("/ip4/198.51.100." + std::to_string(i) + "/tcp/1");
  const Ranking ranking = rank(texts, any);
  EXPECT_EQ(ranking[3], (std::pair<std::string, Duration>{relay, 500ms}));
  EXPECT_EQ(ranking.back().second, 1250ms);
}

TEST(DialRanker, an_address_is_dialed_once_with_or_without_its_peer) {
  const std::string bare = "/ip4/198.51.100.1/tcp/1";
  EXPECT_EQ(rank({bare, bare + "/p2p/" + kRelayId, bare}), (Ranking{{bare, 0ms}}));
  EXPECT_TRUE(rank({std::string("/p2p/") + kRelayId}).empty());
}

TEST(DialRanker, what_is_not_wholly_plain_tcp_is_dropped) {
  EXPECT_TRUE(rank({"/ip4/198.51.100.1/tcp/443/tls/ws", "/ip4/198.51.100.1/tcp/80/ws",
                    "/ip4/198.51.100.1/tcp/443/tls", "/ip4/198.51.100.1/udp/1/quic-v1",
                    "/dns4/example.com/tcp/1", "/dnsaddr/example.com", "/unix/tmp/socket",
                    "/ip4/198.51.100.1", "/ip4/198.51.100.1/tcp/0", "/ip4/0.0.0.0/tcp/1",
                    "/ip6/::/tcp/1", "/ip4/224.0.0.1/tcp/1",
                    std::string("/ip4/203.0.113.1/tcp/1/p2p/") + kRelayId + "/p2p-circuit"})
                  .empty());
}

TEST(DialRanker, a_zone_belongs_to_an_ipv6_address) {
  EXPECT_EQ(rank({"/ip4/192.168.1.2/tcp/1", "/ip6zone/lo/ip6/fe80::1/tcp/1"}),
            (Ranking{{"/ip6zone/lo/ip6/fe80::1/tcp/1", 0ms}, {"/ip4/192.168.1.2/tcp/1", 30ms}}));
}

TEST(DialRanker, no_kind_crowds_out_another) {
  std::vector<std::string> texts;
  for (int i = 1; i <= 100; ++i) {
    texts.push_back("/ip4/172.17.0." + std::to_string(i) + "/tcp/1");
    texts.push_back("/ip4/127.0.0.1/tcp/" + std::to_string(i));
  }
  texts.emplace_back("/ip4/198.51.100.1/tcp/1");
  const Ranking ranking = rank(texts);
  EXPECT_EQ(ranking.size(), 2 * kMaxDialAddressesOfKind + 1);
  EXPECT_EQ(ranking.back().first, "/ip4/198.51.100.1/tcp/1");
  EXPECT_EQ(ranking.front().first, "/ip4/127.0.0.1/tcp/1") << "the caller's first is the first";
  EXPECT_LT(ranking.back().second, 500ms);
}

TEST(DialRanker, of_no_address_nothing_comes) { EXPECT_TRUE(rank({}).empty()); }

}  // namespace
}  // namespace oc::p2p
