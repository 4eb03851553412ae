// A node that does nothing but remember what it was asked. For tests.
#pragma once

#include "api/node_face.hpp"

namespace oc::api::test {

class FakeNode final : public NodeFace {
 public:
  IdentityView identity() const override {
    return {"12D3KooWself",
            "self",
            "0.1.0",
            {"home", "lab"},
            {"/ip4/192.0.2.1/tcp/1985/p2p/12D3KooWself"},
            "eyJpZCI6",
            {"reachable"}};
  }
  NetcheckView netcheck() const override {
    return {"reachable",
            {{"/ip4/192.0.2.1/tcp/1985", "observed", "reachable", WallTime{}, 3},
             {"/ip4/10.0.0.2/tcp/1985", "listened", "unknown", std::nullopt, 0}},
            "endpoint-independent",
            2,
            "upnp 192.0.2.1:1985",
            {{"12D3KooWrelay", WallTime{}}},
            "members",
            3,
            1};
  }
  std::vector<MemberView> members() const override { return members_; }

  Outcome<std::string> resolve_peer(const std::string& reference) const override {
    for (const MemberView& member : members_) {
      if (member.name == reference || member.peer_id.starts_with(reference)) return member.peer_id;
    }
    return Fault(FaultCode::bad_peer_reference, "no member is called " + reference);
  }
  Outcome<std::string> register_peer(const std::string& bootstrap_string) override {
    if (bootstrap_string != "good") return Fault(FaultCode::bad_bootstrap_string, "that is none");
    return std::string("12D3KooWnew");
  }
  awaitable<Outcome<PingView>> ping(std::string peer_id, int count) override {
    if (peer_id == "12D3KooWlost")
      co_return Fault(FaultCode::peer_unreachable, "no address of it answers");
    PingView view;
    for (int i = 1; i <= count; ++i) view.round_trips_ms.push_back(i);
    co_return view;
  }
  awaitable<Outcome<PathView>> path(std::string peer_id) override {
    PathView view{peer_id, "nas", true, std::nullopt, {}, {}};
    view.connections = {{"lan tcp /ip4/10.0.0.2/tcp/1985", "dialed", "/tls/1.0.0", 1.5, WallTime{},
                         2, false, true, true}};
    view.attempts = {
        {"/ip4/10.0.0.2/tcp/1985", "dialed", WallTime{}, 3.5, "connected", std::nullopt},
        {"/ip4/192.0.2.2/tcp/1985", "dialed", WallTime{}, 10'000, "failed",
         Fault(FaultCode::peer_timed_out, "it took too long")}};
    co_return view;
  }
  awaitable<Outcome<net::HttpResponse>> request(std::string peer_id,
                                                net::HttpRequest request) override {
    forwarded_to = std::move(peer_id);
    forwarded = std::move(request);
    co_return forward_answer;
  }

  std::vector<RuleView> rules() const override { return rules_; }
  awaitable<Outcome<Created>> create_rule(RuleRequest request) override {
    created = request;
    for (const RuleView& rule : rules_) {
      if (rule.origin == request.origin) co_return Created{rule, false};
    }
    if (request.kind == "sni") co_return Fault(FaultCode::kind_unsupported, "no sni yet");
    RuleView rule;
    rule.id = "rule" + std::to_string(rules_.size() + 1);
    rule.direction = request.direction;
    rule.kind = request.kind;
    rule.origin = request.origin;
    rule.state = "down";
    rule.reason = Fault(FaultCode::not_probed, "its target was not reached yet");
    rule.created = WallTime(std::chrono::seconds(rules_.size()));
    rules_.push_back(rule);
    co_return Created{rule, true};
  }
  awaitable<Outcome<RuleView>> enable_rule(std::string id, bool enabled) override {
    for (RuleView& rule : rules_) {
      if (rule.id != id) continue;
      rule.enabled = enabled;
      co_return rule;
    }
    co_return Fault(FaultCode::rule_not_found, "there is no rule " + id);
  }
  awaitable<Outcome<bool>> delete_rule(std::string id) override {
    const auto removed =
        std::erase_if(rules_, [&id](const RuleView& rule) { return rule.id == id; });
    if (removed == 0) co_return Fault(FaultCode::rule_not_found, "there is no rule " + id);
    co_return true;
  }

  std::string metrics_json() const override { return R"({"cpu":{"cores":2}})"; }
  std::string metrics_prometheus() const override { return "open_chat_up 1\n"; }

  std::vector<MemberView> members_ = {
      {"12D3KooWnas",
       "nas",
       "0.1.0",
       {"home"},
       {"/ip4/192.0.2.2/tcp/1985"},
       false,
       true,
       "direct tcp",
       1.5,
       WallTime{}},
      {"12D3KooWlost",
       "a\xff\"lost",
       "0.1.0",
       {"home"},
       {},
       false,
       false,
       "",
       std::nullopt,
       std::nullopt},
      {"12D3KooWself",
       "self",
       "0.1.0",
       {"home", "lab"},
       {},
       true,
       true,
       "",
       std::nullopt,
       std::nullopt},
  };
  std::vector<RuleView> rules_;
  RuleRequest created;
  std::string forwarded_to;
  net::HttpRequest forwarded;
  net::HttpResponse forward_answer{
      200, {{"Content-Type", "application/json"}, {"X-A", "1"}, {"x-a", "2"}}, "{\"a\":1}"};
};

}  // namespace oc::api::test
