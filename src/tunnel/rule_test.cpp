#include "tunnel/rule.hpp"

#include <gtest/gtest.h>

namespace oc::tunnel {
namespace {

using namespace std::chrono_literals;

codec::PeerId peer(const std::string& name) { return codec::PeerId::of_public_key(as_bytes(name)); }

const codec::PeerId kPublic = peer("public");
const codec::PeerId kPrivate = peer("private");
const codec::PeerId kThird = peer("third");
constexpr WallTime kNow{std::chrono::seconds(1'735'689'600)};

// A node that knows the others by id and by name.
RuleContext context_of(const codec::PeerId& self) {
  RuleContext context;
  context.self = self;
  context.networks = {overlay::NetworkName("home"), overlay::NetworkName("work")};
  context.now = kNow;
  context.resolve = [](const std::string& text) -> Outcome<codec::PeerId> {
    const std::pair<const char*, codec::PeerId> names[] = {
        {"public", kPublic}, {"private", kPrivate}, {"third", kThird}};
    for (const auto& [name, id] : names) {
      if (text == name || text == id.to_string()) return id;
    }
    return Fault(FaultCode::bad_peer_reference, "\"" + text + "\" names nobody");
  };
  return context;
}

RuleText egress(std::string origin, std::string target) {
  RuleText text;
  text.direction = "egress";
  text.kind = "tcp";
  text.origin = std::move(origin);
  text.target = std::move(target);
  return text;
}

RuleText ingress(std::string origin, std::string target) {
  RuleText text = egress(std::move(origin), std::move(target));
  text.direction = "ingress";
  return text;
}

Outcome<Rule> on_public(const RuleText& text) { return parse_rule(text, context_of(kPublic)); }
Outcome<Rule> on_private(const RuleText& text) { return parse_rule(text, context_of(kPrivate)); }

FaultCode fault_of(const Outcome<Rule>& rule) {
  return rule ? FaultCode::internal : rule.error().code;
}

TEST(EgressRule, listens_on_this_nodes_port_and_leads_to_the_targets) {
  const auto rule =
      on_public(egress(kPublic.to_string() + ":8080", kPrivate.to_string() + ":9090"));
  ASSERT_TRUE(rule) << rule.error().to_string();
  EXPECT_EQ(rule->direction, RuleDirection::egress);
  EXPECT_EQ(rule->network.value(), "home");
  EXPECT_EQ(rule->port, Port(8080));
  EXPECT_EQ(rule->bind, "127.0.0.1");
  EXPECT_EQ(rule->targets, (std::vector<PeerTarget>{{kPrivate, Port(9090)}}));
  EXPECT_TRUE(rule->enabled);
  EXPECT_EQ(rule->created, kNow);
  EXPECT_FALSE(rule->expires);
  EXPECT_EQ(rule->origin_text(kPublic), kPublic.to_string() + ":8080");
  EXPECT_EQ(rule->target_text(kPublic), kPrivate.to_string() + ":9090");
}

TEST(EgressRule, needs_no_origin_when_the_port_is_given) {
  RuleText text = egress("", "private:9090");
  text.port = 8080;
  EXPECT_EQ(on_public(text)->port, Port(8080));
  text.origin = "public";
  EXPECT_EQ(on_public(text)->port, Port(8080));
  text.origin = "public:8080";
  EXPECT_EQ(on_public(text)->port, Port(8080));
  text.origin = "public:8081";
  EXPECT_EQ(fault_of(on_public(text)), FaultCode::bad_rule);
  EXPECT_EQ(on_public(egress(":8080", "private"))->port, Port(8080));
}

TEST(EgressRule, takes_the_listened_port_for_a_target_without_one) {
  EXPECT_EQ(on_public(egress("public:8080", "private"))->targets,
            (std::vector<PeerTarget>{{kPrivate, Port(8080)}}));
}

TEST(EgressRule, takes_several_targets) {
  const auto rule = on_public(egress("public:80", "private:1,third,private:65535"));
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->targets, (std::vector<PeerTarget>{
                               {kPrivate, Port(1)}, {kThird, Port(80)}, {kPrivate, Port(65535)}}));
  std::string many = "private:1";
  for (std::size_t i = 1; i < kMaxTargets; ++i) many += ",private:" + std::to_string(i + 1);
  EXPECT_TRUE(on_public(egress("public:80", many)));
  EXPECT_EQ(fault_of(on_public(egress("public:80", many + ",third:1"))), FaultCode::bad_rule);
}

TEST(EgressRule, binds_to_an_address_that_is_given) {
  RuleText text = egress("public:80", "private:80");
  for (const auto& [given, bind] :
       {std::pair("0.0.0.0", "0.0.0.0"), std::pair("::", "::"), std::pair("0:0:0::1", "::1")}) {
    text.bind = given;
    EXPECT_EQ(on_public(text)->bind, bind);
  }
  for (const char* bad : {"localhost", "256.0.0.1", "127.0.0.1:80", "[::1]", " "}) {
    text.bind = bad;
    EXPECT_EQ(fault_of(on_public(text)), FaultCode::bad_rule) << bad;
  }
}

TEST(EgressRule, must_begin_here_and_end_elsewhere) {
  EXPECT_EQ(fault_of(on_public(egress("private:80", "third:80"))), FaultCode::bad_rule);
  EXPECT_EQ(fault_of(on_public(egress("public:80", "public:80"))), FaultCode::bad_rule);
  EXPECT_EQ(fault_of(on_public(egress("public:80", "private:80,public:81"))), FaultCode::bad_rule);
  EXPECT_EQ(fault_of(on_public(egress("public:80", ""))), FaultCode::bad_rule);
  EXPECT_EQ(fault_of(on_public(egress("public", "private:80"))), FaultCode::bad_rule);
  RuleText with_to = egress("public:80", "private:80");
  with_to.to = "127.0.0.1:80";
  EXPECT_EQ(fault_of(on_public(with_to)), FaultCode::bad_rule);
}

TEST(IngressRule, lets_a_peers_tunnels_out_to_loopback) {
  const auto rule = on_private(ingress("public:8080", "private:9090"));
  ASSERT_TRUE(rule) << rule.error().to_string();
  EXPECT_EQ(rule->direction, RuleDirection::ingress);
  EXPECT_EQ(rule->port, Port(9090));
  EXPECT_EQ(rule->from, kPublic);
  EXPECT_EQ(rule->to, LocalTarget(HostTarget{"127.0.0.1", Port(9090)}));
  EXPECT_EQ(rule->origin_text(kPrivate), kPublic.to_string() + ":9090");
  EXPECT_EQ(rule->target_text(kPrivate), kPrivate.to_string() + ":9090");
}

TEST(IngressRule, of_a_star_is_for_any_member) {
  for (const char* origin : {"*", "", "*:80"}) {
    const auto rule = on_private(ingress(origin, "private:80"));
    ASSERT_TRUE(rule) << origin;
    EXPECT_FALSE(rule->from);
    EXPECT_EQ(rule->origin_text(kPrivate), "*:80");
  }
}

TEST(IngressRule, printed_with_its_ends_swapped_is_read_the_other_way_round) {
  const auto straight = on_private(ingress("public:8080", "private:9090"));
  const auto swapped = on_private(ingress("private:9090", "public:8080"));
  ASSERT_TRUE(swapped) << swapped.error().to_string();
  EXPECT_TRUE(swapped->same_as(*straight));
  EXPECT_EQ(swapped->port, Port(9090));
}

TEST(IngressRule, finds_its_port_where_there_is_one) {
  EXPECT_EQ(on_private(ingress("public:80", "private"))->port, Port(80));
  EXPECT_EQ(on_private(ingress("public", "private:80"))->port, Port(80));
  EXPECT_EQ(on_private(ingress("public:81", "private:80"))->port, Port(80));
  EXPECT_EQ(on_private(ingress("public", ":80"))->port, Port(80));
  RuleText by_flag = ingress("public", "");
  EXPECT_EQ(fault_of(on_private(by_flag)), FaultCode::bad_rule);
  by_flag.port = 80;
  EXPECT_EQ(on_private(by_flag)->port, Port(80));
  by_flag.target = "private:81";
  EXPECT_EQ(fault_of(on_private(by_flag)), FaultCode::bad_rule);
}

TEST(IngressRule, must_come_from_elsewhere_and_end_here) {
  EXPECT_EQ(fault_of(on_private(ingress("private:80", "private:80"))), FaultCode::bad_rule);
  EXPECT_EQ(fault_of(on_private(ingress("public:80", "third:80"))), FaultCode::bad_rule);
  EXPECT_EQ(fault_of(on_private(ingress("public:80", "private:80,private:81"))),
            FaultCode::bad_rule);
  RuleText bound = ingress("public:80", "private:80");
  bound.bind = "127.0.0.1";
  EXPECT_EQ(fault_of(on_private(bound)), FaultCode::bad_rule);
}

TEST(IngressRule, may_lead_to_another_host_or_a_unix_socket) {
  RuleText text = ingress("public:80", "private:80");
  text.to = "192.168.1.7:8080";
  EXPECT_EQ(on_private(text)->to, LocalTarget(HostTarget{"192.168.1.7", Port(8080)}));
  text.to = "unix:/run/app.sock";
  EXPECT_EQ(on_private(text)->to, LocalTarget(UnixTarget{"/run/app.sock"}));
}

TEST(LocalTarget, is_written_as_it_is_read) {
  for (const char* text : {"127.0.0.1:80", "printer.lan:631", "a_b-c.example:1", "[::1]:65535",
                           "[2001:db8::7]:22", "unix:/run/app.sock", "unix:/a b:c"}) {
    const auto target = parse_local_target(text);
    ASSERT_TRUE(target) << text;
    EXPECT_EQ(to_text(*target), text);
  }
  EXPECT_EQ(*parse_local_target("[::1]:80"), LocalTarget(HostTarget{"::1", Port(80)}));
}

TEST(LocalTarget, refuses_what_is_neither) {
  const std::string nul("/run/a\0b", 8);
  for (const std::string& bad : {std::string(),
                                 std::string("host"),
                                 std::string(":80"),
                                 std::string("host:"),
                                 std::string("host:0"),
                                 std::string("host:65536"),
                                 std::string("host:-1"),
                                 std::string("host:+1"),
                                 std::string("host:8o"),
                                 std::string("host: 80"),
                                 std::string("host:80-90"),
                                 std::string("::1:80"),
                                 std::string("::1"),
                                 std::string("[::1]"),
                                 std::string("[]:80"),
                                 std::string("[host]:80"),
                                 std::string("ho st:80"),
                                 std::string("host\n:80"),
                                 std::string("user@host:80"),
                                 std::string("http://host:80"),
                                 std::string("h\0st:80", 7),
                                 std::string(254, 'h') + ":80",
                                 std::string("unix:"),
                                 std::string("unix:run"),
                                 "unix:/" + std::string(107, 'x'),
                                 "unix:" + nul,
                                 std::string("unix:/a\nb")}) {
    const auto target = parse_local_target(bad);
    EXPECT_FALSE(target) << bad;
    if (!target) {
      EXPECT_EQ(target.error().code, FaultCode::bad_rule);
    }
  }
  EXPECT_TRUE(parse_local_target("unix:/" + std::string(106, 'x')));
}

TEST(Rule, is_in_the_network_that_is_named_or_the_first) {
  RuleText text = egress("public:80", "private:80");
  text.network = "work";
  EXPECT_EQ(on_public(text)->network.value(), "work");
  text.network = "elsewhere";
  EXPECT_EQ(fault_of(on_public(text)), FaultCode::network_unknown);
  RuleContext nowhere = context_of(kPublic);
  nowhere.networks.clear();
  EXPECT_EQ(fault_of(parse_rule(text, nowhere)), FaultCode::network_unknown);
}

TEST(Rule, of_a_kind_that_is_still_to_come_says_so) {
  RuleText text = egress("public:80", "private:80");
  for (const char* planned : {"udp", "tls", "http", "sni"}) {
    text.kind = planned;
    EXPECT_EQ(fault_of(on_public(text)), FaultCode::kind_unsupported) << planned;
  }
  for (const char* wrong : {"icmp", "TCP", "tcp ", "-"}) {
    text.kind = wrong;
    EXPECT_EQ(fault_of(on_public(text)), FaultCode::bad_rule) << wrong;
  }
  text.kind = "";
  EXPECT_TRUE(on_public(text));
}

TEST(Rule, of_a_range_of_ports_is_refused) {
  EXPECT_EQ(fault_of(on_public(egress("public:8000-8010", "private:8000-8010"))),
            FaultCode::bad_rule);
}

TEST(Rule, names_its_direction) {
  for (const char* wrong : {"", "in", "Egress", "both"}) {
    RuleText text = egress("public:80", "private:80");
    text.direction = wrong;
    EXPECT_EQ(fault_of(on_public(text)), FaultCode::bad_rule) << wrong;
  }
}

TEST(Rule, names_peers_that_exist) {
  for (const char* unknown : {"nobody:80", "12D3KooW:80", "-:80", "\x1b[2J:80"}) {
    EXPECT_EQ(fault_of(on_public(egress("public:80", unknown))), FaultCode::bad_peer_reference)
        << unknown;
    EXPECT_EQ(fault_of(on_private(ingress(unknown, "private:80"))), FaultCode::bad_peer_reference);
  }
}

TEST(Rule, refuses_hostile_strings_with_a_fault) {
  const std::vector<std::string> hostile = {std::string(1, '\0'),
                                            "\n",
                                            "$(id):80",
                                            "'; DROP TABLE rules; --:80",
                                            "{",
                                            "\xc0\x27:80",
                                            ",",
                                            ":",
                                            "::",
                                            ":99999999999999999999",
                                            "public:",
                                            "public:0",
                                            "public:65536",
                                            "public:08x",
                                            "%00:80",
                                            std::string(kMaxRuleText + 1, 'a'),
                                            std::string(64 * 1024, ':')};
  for (const std::string& text : hostile) {
    EXPECT_FALSE(on_public(egress(text, "private:80"))) << text;
    EXPECT_FALSE(on_public(egress("public:80", text))) << text;
    EXPECT_FALSE(on_private(ingress(text, "private:80"))) << text;
  }
}

TEST(Rule, expires_when_it_is_told_to) {
  RuleText text = egress("public:80", "private:80");
  text.expires_in_seconds = 7200;
  EXPECT_EQ(on_public(text)->expires, kNow + 2h);
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    text.expires_in_seconds = wrong;
    EXPECT_EQ(fault_of(on_public(text)), FaultCode::bad_rule) << wrong;
  }
}

TEST(Rule, keeps_tags_within_their_bounds) {
  RuleText text = egress("public:80", "private:80");
  text.tags.assign(kMaxTags, "t");
  EXPECT_EQ(on_public(text)->tags.size(), kMaxTags);
  text.tags.emplace_back("one more");
  EXPECT_EQ(fault_of(on_public(text)), FaultCode::bad_rule);
  text.tags = {""};
  EXPECT_EQ(fault_of(on_public(text)), FaultCode::bad_rule);
  text.tags = {std::string(65, 't')};
  EXPECT_EQ(fault_of(on_public(text)), FaultCode::bad_rule);
}

TEST(Rule, is_the_same_whatever_its_tags_dates_and_switch_say) {
  RuleText text = egress("public:80", "private:80");
  const Rule rule = *on_public(text);
  text.tags = {"t"};
  text.disabled = true;
  text.expires_in_seconds = 60;
  EXPECT_TRUE(on_public(text)->same_as(rule));
  EXPECT_FALSE(on_public(text)->enabled);
  for (const RuleText& other :
       {egress("public:81", "private:80"), egress("public:80", "private:81"),
        egress("public:80", "third:80"), egress("public:80", "private:80,third:80")}) {
    EXPECT_FALSE(on_public(other)->same_as(rule)) << other.origin << other.target;
  }
  text.bind = "0.0.0.0";
  EXPECT_FALSE(on_public(text)->same_as(rule));
}

}  // namespace
}  // namespace oc::tunnel
