#include "tunnel/rule_table.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "tunnel/egress.hpp"
#include "tunnel/ingress.hpp"

namespace oc::tunnel {
namespace {

constexpr Duration kHeaderTimeout = std::chrono::seconds(10);
constexpr Duration kExpiryCheck = std::chrono::seconds(1);

RuleCounters sum(RuleCounters a, const RuleCounters& b) {
  a.connections += b.connections;
  a.open += b.open;
  a.failures += b.failures;
  a.bytes_in += b.bytes_in;
  a.bytes_out += b.bytes_out;
  if (b.connect_time) a.connect_time = b.connect_time;
  return a;
}

Fault unknown_rule(const RuleId& id) {
  return {FaultCode::rule_not_found, "there is no rule " + id.value()};
}

}  // namespace

std::string_view to_text(RuleState state) {
  switch (state) {
    case RuleState::up: return "up";
    case RuleState::degraded: return "degraded";
    case RuleState::down: return "down";
    case RuleState::disabled: return "disabled";
    case RuleState::expired: return "expired";
  }
  return "down";
}

RuleTable::RuleTable(overlay::Overlay& overlay, net::Resolver& resolver, Clock& clock,
                     Random& random, Executor executor)
    : context_{overlay, resolver, clock}, random_(random), executor_(executor), tasks_(executor) {
  overlay.handle(kTunnelProtocol,
                 [this](p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
                   return serve(std::move(connection), std::move(stream));
                 },
                 {.all = kMaxTunnels, .of_peer = kMaxTunnels});
  tasks_.spawn("rule expiry", watch_expiry());
}

RuleTable::~RuleTable() = default;

std::unique_ptr<RunningRule> RuleTable::make(const Rule& rule) {
  if (rule.direction == RuleDirection::egress)
    return std::make_unique<Egress>(context_, rule, executor_);
  return std::make_unique<Ingress>(context_, rule, executor_);
}

bool RuleTable::expired(const Rule& rule) const {
  return rule.expires && *rule.expires <= context_.clock.wall_now();
}

RuleStatus RuleTable::status_of(const Entry& entry) const {
  RuleStatus status{entry.rule, RuleState::disabled, std::nullopt, entry.past};
  if (entry.running != nullptr) status.counters = sum(entry.past, entry.running->counters());
  if (expired(entry.rule)) {
    status.state = RuleState::expired;
  } else if (entry.running != nullptr) {
    status.state = entry.running->state();
    status.reason = entry.running->reason();
  }
  return status;
}

Outcome<RuleTable::Created> RuleTable::create(Rule rule) {
  if (tasks_.closing())
    return Fault(FaultCode::internal, "the node is shutting down", "start it again");
  for (const auto& [id, entry] : rules_) {
    if (entry.rule.same_as(rule) && !expired(entry.rule)) return Created{status_of(entry), false};
  }
  if (rules_.size() >= kMaxRules)
    return Fault(FaultCode::bad_rule, "the node has its most rules already");
  const bool taken = rule.direction == RuleDirection::egress &&
                     std::ranges::any_of(rules_, [&rule](const auto& item) {
                       const Rule& other = item.second.rule;
                       return other.direction == RuleDirection::egress &&
                              item.second.running != nullptr && other.bind == rule.bind &&
                              other.port == rule.port;
                     });
  if (taken && rule.enabled) {
    return Fault(FaultCode::port_in_use, "another rule of this node listens on " + rule.bind + ":" +
                                             std::to_string(rule.port.value()));
  }
  FixedBytes<8> raw;
  random_.fill(raw);
  rule.id = RuleId(to_hex(raw));
  Entry entry{rule, nullptr, {}};
  if (rule.enabled) {
    entry.running = make(rule);
    auto started = entry.running->start();
    if (!started) return started.error();
  }
  auto [placed, inserted] = rules_.emplace(rule.id, std::move(entry));
  return Created{status_of(placed->second), true};
}

void RuleTable::restore(Rule rule) {
  Entry& entry = rules_.try_emplace(rule.id).first->second;
  entry.rule = rule;
  if (!rule.enabled || expired(rule)) return;
  entry.running = make(rule);
  entry.running->keep_starting();
}

std::shared_ptr<RuleTable::Ending> RuleTable::stop(Entry& entry) {
  if (entry.running == nullptr) return nullptr;
  auto ending = std::make_shared<Ending>();
  ending->rule = std::move(entry.running);
  tasks_.spawn("end of a rule", end(ending));
  return ending;
}

awaitable<void> RuleTable::end(std::shared_ptr<Ending> ending) {
  co_await asio::this_coro::throw_if_cancelled(false);
  // Closing the table cancels this task, too; the rule has to end all the same.
  do {
    co_await ending->rule->close();
  } while (!ending->rule->closed());
  if (auto found = rules_.find(ending->rule->rule().id); found != rules_.end()) {
    found->second.past = sum(found->second.past, ending->rule->counters());
  }
  ending->ended.set();
}

awaitable<Outcome<bool>> RuleTable::remove(RuleId id) {
  auto found = rules_.find(id);
  if (found == rules_.end()) co_return unknown_rule(id);
  const auto ending = stop(found->second);
  rules_.erase(found);
  if (ending != nullptr) (void)co_await ending->ended.wait();
  co_return true;
}

awaitable<Outcome<RuleStatus>> RuleTable::enable(RuleId id, bool enabled) {
  auto found = rules_.find(id);
  if (found == rules_.end()) co_return unknown_rule(id);
  Entry& entry = found->second;
  entry.rule.enabled = enabled;
  if (!enabled) {
    const auto ending = stop(entry);
    if (ending != nullptr) (void)co_await ending->ended.wait();
    // It may have been removed meanwhile.
    co_return find(id);
  }
  if (entry.running == nullptr && !expired(entry.rule) && !tasks_.closing()) {
    entry.running = make(entry.rule);
    entry.running->keep_starting();
  }
  co_return status_of(entry);
}

std::vector<RuleStatus> RuleTable::list() const {
  std::vector<RuleStatus> out;
  for (const auto& [id, entry] : rules_) out.push_back(status_of(entry));
  std::ranges::stable_sort(out, {}, [](const RuleStatus& status) { return status.rule.created; });
  return out;
}

Outcome<RuleStatus> RuleTable::find(const RuleId& id) const {
  auto found = rules_.find(id);
  if (found == rules_.end()) return unknown_rule(id);
  return status_of(found->second);
}

void RuleTable::member_changed() {
  for (auto& [id, entry] : rules_) {
    if (entry.running != nullptr) entry.running->look_again();
  }
}

awaitable<void> RuleTable::watch_expiry() {
  for (;;) {
    if (auto slept = co_await context_.clock.sleep_for(kExpiryCheck); !slept) co_return;
    for (auto& [id, entry] : rules_) {
      if (expired(entry.rule)) stop(entry);
    }
  }
}

awaitable<void> RuleTable::serve(p2p::ConnectionPtr connection,
                                 std::unique_ptr<net::Stream> stream) {
  auto header =
      co_await with_deadline<TunnelHeader>(context_.clock, kHeaderTimeout, receive_header(*stream));
  const auto& members = context_.overlay.membership();
  std::optional<Fault> refusal;
  Ingress* chosen = nullptr;
  if (!header) {
    refusal = Fault(FaultCode::tunnel_malformed, "the tunnel's header was not understood");
  } else if (!members.is_member(*connection, header->network)) {
    refusal =
        Fault(FaultCode::peer_not_member, "the caller has not proved membership of that network");
  } else {
    const overlay::NetworkName& network = members.find(header->network)->name;
    for (auto& [id, entry] : rules_) {
      auto* ingress = dynamic_cast<Ingress*>(entry.running.get());
      if (ingress == nullptr || expired(entry.rule)) continue;
      if (!ingress->admits(connection->peer(), network, *header)) continue;
      // A rule for this very peer goes before one for anybody.
      if (chosen == nullptr || entry.rule.from) chosen = ingress;
    }
    if (chosen == nullptr) {
      refusal = Fault(FaultCode::no_ingress_rule, "node " + context_.overlay.self().to_string() +
                                                      " has no ingress rule for port " +
                                                      std::to_string(header->target_port.value()));
    }
  }
  if (refusal) {
    if (auto done = co_await send_answer(*stream, refusal); done)
      (void)co_await stream->close_write();
    co_return;
  }
  chosen->serve(std::move(stream), *std::move(header));
}

awaitable<void> RuleTable::close() {
  for (auto& [id, entry] : rules_) stop(entry);
  co_await tasks_.close();
}

}  // namespace oc::tunnel
