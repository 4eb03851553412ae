#include "node/metrics.hpp"

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "node/version.hpp"
#include "support/fake_router.hpp"
#include "support/tunnel_site.hpp"

namespace oc::node {
namespace {

using oc::test::Site;
using oc::test::TunnelWorld;
using oc::test::visit;
using namespace std::chrono_literals;
using nlohmann::json;

HostFigures machine() {
  HostFigures figures;
  figures.cpu_percent = {12.5, 80};
  figures.load_1 = 0.5;
  figures.memory_total = 8'000'000'000;
  figures.memory_used = 3'000'000'000;
  figures.volumes = {{"/", 100, 40}};
  figures.process_resident = 20'000'000;
  figures.process_descriptors = 17;
  return figures;
}

// Two sites with a tunnel that carried one visitor.
awaitable<void> carry_one_visitor(TunnelWorld& world, Site& front, Site& back) {
  auto& service = world.add_service("hi ");
  const Port port = oc::test::free_port(world.executor());
  world.introduce(front.node, back.node);
  EXPECT_TRUE(back.rules.create(back.ingress(Port(80), service.target())));
  EXPECT_TRUE(front.rules.create(front.egress(port, {{back.id(), Port(80)}})));
  CO_ASSERT_TRUE(co_await world.until([&] { return front.is_up(); }));
  EXPECT_EQ((co_await world.result_of(visit(port, "there"))).answer, "hi there");
  CO_ASSERT_TRUE(co_await world.until([&] { return front.rules.open_tunnels() == 0; }));
}

awaitable<void> as_json_has_every_figure(TunnelWorld& world) {
  Site& front = world.add_site(1);
  Site& back = world.add_site(2);
  co_await carry_one_visitor(world, front, back);
  const HostFigures figures = machine();
  const MetricsSource source{front.node.host, front.node.overlay, front.rules,
                             figures,         "nas\xff",          90s};
  const json all = json::parse(metrics_as_json(source));
  EXPECT_EQ(all["node"]["peer_id"], front.id().to_string());
  EXPECT_EQ(all["node"]["version"], kVersion);
  EXPECT_EQ(all["node"]["uptime_seconds"], 90.0);
  EXPECT_EQ(all["node"]["open_descriptors"], 17);
  EXPECT_EQ(all["cpu"]["cores"], json({12.5, 80.0}));
  EXPECT_EQ(all["cpu"]["load"][0], 0.5);
  EXPECT_EQ(all["memory"]["total_bytes"], 8'000'000'000);
  EXPECT_EQ(all["volumes"][0], json({{"path", "/"}, {"total_bytes", 100}, {"used_bytes", 40}}));
  EXPECT_EQ(all["traffic"]["connections"], 1);
  EXPECT_EQ(all["traffic"]["dials"], 1);
  EXPECT_EQ(all["traffic"]["dials_backed_off"], 0);
  EXPECT_EQ(all["traffic"]["trimmed"], 0);
  EXPECT_EQ(all["traffic"]["unread_bytes"], 0);
  EXPECT_EQ(all["traffic"]["refusals"], json::array());
  EXPECT_GT(all["traffic"]["bytes_out"], 0);
  EXPECT_EQ(all["reachability"]["state"], "unknown");
  EXPECT_EQ(all["reachability"]["requests_served"], 0);
  EXPECT_EQ(all["reachability"]["addresses"]["reachable"], 0);
  EXPECT_EQ(all["tunnels"]["rules"], 1);
  EXPECT_EQ(all["tunnels"]["connections"], 1);
  EXPECT_EQ(all["tunnels"]["failures"], 0);
  EXPECT_EQ(all["tunnels"]["bytes_in"], 5);
  EXPECT_EQ(all["tunnels"]["bytes_out"], 8);
  CO_ASSERT_TRUE(all["paths"].size() == 1);
  EXPECT_EQ(all["paths"][0]["peer_id"], back.id().to_string());
}
TEST(Metrics, as_json_has_every_figure) {
  oc::test::in_world<TunnelWorld>(as_json_has_every_figure);
}

// Samples by name and labels as they are written; fails on a line that is not of the format.
std::map<std::string, double> parse_exposition(const std::string& text) {
  const std::regex comment(R"re(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) .+)re");
  const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-z_]+="([^"\\]|\\.)*",?)+\})?) ([-+.0-9eE]+|NaN|[+-]Inf))re");
  std::map<std::string, double> out;
  std::set<std::string> comments;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      EXPECT_TRUE(comments.insert(match[1].str() + match[2].str()).second) << "twice: " << line;
    } else if (std::regex_match(line, match, sample)) {
      EXPECT_TRUE(out.emplace(match[1].str(), std::stod(match[5].str())).second)
          << "twice: " << line;
    } else {
      ADD_FAILURE() << "not of the exposition format: " << line;
    }
  }
  return out;
}

awaitable<void> as_prometheus_text_can_be_scraped(TunnelWorld& world) {
  Site& front = world.add_site(1);
  Site& back = world.add_site(2);
  co_await carry_one_visitor(world, front, back);
  const HostFigures figures = machine();
  const MetricsSource source{front.node.host, front.node.overlay, front.rules, figures, "nas", 90s};
  const std::string text = metrics_as_prometheus(source);
  EXPECT_TRUE(text.ends_with("\n"));
  const auto samples = parse_exposition(text);
  EXPECT_EQ(samples.at("open_chat_uptime_seconds"), 90);
  EXPECT_EQ(samples.at("open_chat_members_online"), 1);
  EXPECT_EQ(samples.at("open_chat_connections"), 1);
  EXPECT_EQ(samples.at("open_chat_dials_total"), 1);
  EXPECT_EQ(samples.at("open_chat_dials_failed_total"), 0);
  EXPECT_EQ(samples.at("open_chat_dials_backed_off_total"), 0);
  EXPECT_EQ(samples.at("open_chat_connections_trimmed_total"), 0);
  EXPECT_EQ(samples.at("open_chat_handshakes_failed_total"), 0);
  EXPECT_EQ(samples.at(R"(open_chat_scope_connections{scope="system",direction="out"})"), 1);
  EXPECT_EQ(samples.at(R"(open_chat_scope_connections{scope="untrusted",direction="out"})"), 0)
      << "a member's connection is trusted";
  EXPECT_EQ(samples.at(R"(open_chat_scope_streams{scope="transient",direction="in"})"), 0);
  EXPECT_EQ(samples.at(R"(open_chat_unread_bytes{scope="system"})"), 0);
  EXPECT_EQ(samples.at("open_chat_publicly_reachable"), 0);
  EXPECT_EQ(samples.at(R"(open_chat_own_addresses{state="unreachable"})"), 0);
  EXPECT_EQ(samples.at("open_chat_autonat_requests_total"), 0);
  EXPECT_EQ(samples.at("open_chat_tunnels_open"), 0);
  EXPECT_EQ(samples.at("open_chat_tunnels_total"), 1);
  EXPECT_EQ(samples.at("open_chat_tunnel_failures_total"), 0);
  EXPECT_EQ(samples.at("open_chat_tunnel_bytes_in_total"), 5);
  EXPECT_EQ(samples.at("open_chat_tunnel_bytes_out_total"), 8);
  EXPECT_EQ(samples.at("process_resident_memory_bytes"), 20'000'000);
  EXPECT_EQ(samples.at("process_open_fds"), 17);
  const std::string rule = front.status().rule.id.value();
  EXPECT_EQ(samples.at("open_chat_rule_up{rule=\"" + rule + "\",state=\"up\"}"), 1);
}
TEST(Metrics, as_prometheus_text_can_be_scraped) {
  oc::test::in_world<TunnelWorld>(as_prometheus_text_can_be_scraped);
}

awaitable<void> tell_whether_a_router_maps_a_port(TunnelWorld& world) {
  Site& site = world.add_site(1);
  FakeClock clock;
  FakeRandom random(1);
  oc::test::FakeRouter none, router;
  none.present = false;
  std::vector<std::unique_ptr<p2p::Gateway>> gateways;
  gateways.push_back(std::make_unique<oc::test::FakeGateway>(none, "nat-pmp"));
  gateways.push_back(std::make_unique<oc::test::FakeGateway>(router, "upnp"));
  p2p::PortMapping mapping(world.executor(), clock, random, std::move(gateways));
  const HostFigures figures;
  const MetricsSource source{site.node.host, site.node.overlay, site.rules, figures, "", 0s,
                             &mapping};
  EXPECT_EQ(json::parse(metrics_as_json(source))["port_mapping"],
            json::parse(R"({"held": false, "error": null})"));
  EXPECT_EQ(parse_exposition(metrics_as_prometheus(source)).at("open_chat_port_mapped"), 0);
  mapping.start(Port(1985));
  CO_ASSERT_TRUE(co_await world.until([&] { return mapping.external().has_value(); }));
  EXPECT_EQ(json::parse(metrics_as_json(source))["port_mapping"],
            json::parse(R"({"held": true, "error": null, "protocol": "upnp", "useful": true,
                            "external": "203.0.113.5:1985", "lease_seconds": 3600.0})"));
  const auto samples = parse_exposition(metrics_as_prometheus(source));
  EXPECT_EQ(samples.at("open_chat_port_mapped"), 1);
  for (const auto& [protocol, failures] : {std::pair("nat-pmp", 1), std::pair("upnp", 0)}) {
    const std::string label = std::string("{protocol=\"") + protocol + "\"}";
    EXPECT_EQ(samples.at("open_chat_port_mapping_attempts_total" + label), 1);
    EXPECT_EQ(samples.at("open_chat_port_mapping_failures_total" + label), failures);
  }
  co_await mapping.close();
}
TEST(Metrics, tell_whether_a_router_maps_a_port) {
  oc::test::in_world<TunnelWorld>(tell_whether_a_router_maps_a_port);
}

awaitable<void> hold(p2p::ConnectionPtr, std::unique_ptr<net::Stream>) {
  (void)co_await Event().wait();
}

awaitable<void> tell_what_was_refused_and_where(TunnelWorld& world) {
  Site& front = world.add_site(1);
  Site& back = world.add_site(2);
  p2p::Swarm& swarm = back.node.host.swarm();
  swarm.handle("/one/at/a/time", hold, {.all = 1, .of_peer = 1});
  const auto dialed =
      co_await world.result_of(front.node.host.swarm().dial(back.id(), swarm.listen_addresses()));
  CO_ASSERT_TRUE(dialed);
  std::vector<std::unique_ptr<net::Stream>> streams;
  for (int i = 0; i < 4; ++i) {
    auto stream = co_await (*dialed)->open_stream("/one/at/a/time");
    CO_ASSERT_TRUE(stream);
    streams.push_back(*std::move(stream));
  }
  const p2p::Refusal refusal{p2p::Scope::protocol, p2p::Resource::stream_in};
  CO_ASSERT_TRUE(co_await world.until([&] {
    const auto refusals = swarm.refusals();
    return refusals.contains(refusal) && refusals.at(refusal) == 3;
  }));
  const HostFigures none;
  const MetricsSource source{back.node.host, back.node.overlay, back.rules, none, "", 0s};
  const auto samples = parse_exposition(metrics_as_prometheus(source));
  EXPECT_EQ(samples.at(R"(open_chat_refused_total{scope="protocol",resource="stream_in"})"), 3);
  EXPECT_EQ(json::parse(metrics_as_json(source))["traffic"]["refusals"],
            json::parse(R"([{"scope": "protocol", "resource": "stream_in", "count": 3}])"));
}
TEST(Metrics, tell_what_was_refused_and_where) {
  oc::test::in_world<TunnelWorld>(tell_what_was_refused_and_where);
}

awaitable<void> of_a_node_without_anything_are_valid(TunnelWorld& world) {
  Site& site = world.add_site(1);
  const HostFigures none;
  const MetricsSource source{site.node.host, site.node.overlay, site.rules, none, "", 0s};
  EXPECT_TRUE(json::parse(metrics_as_json(source))["paths"].empty());
  EXPECT_EQ(parse_exposition(metrics_as_prometheus(source)).at("open_chat_members_online"), 0);
  co_return;
}
TEST(Metrics, of_a_node_without_anything_are_valid) {
  oc::test::in_world<TunnelWorld>(of_a_node_without_anything_are_valid);
}

}  // namespace
}  // namespace oc::node
