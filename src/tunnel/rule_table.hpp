// RuleTable: the routing rules of this node, at work.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tunnel/running_rule.hpp"

namespace oc::tunnel {

inline constexpr std::size_t kMaxRules = 1024;

// Thread: the network thread. Persistence is the caller's: it stores what it creates here.
class RuleTable {
 public:
  // Registers the tunnel protocol at the overlay.
  RuleTable(overlay::Overlay& overlay, net::Resolver& resolver, Clock& clock, Random& random,
            Executor executor);
  ~RuleTable();

  struct Created {
    RuleStatus status;
    bool is_new;
  };
  // Puts a new rule to work and gives it an id; or finds the one that is the same and has not
  // expired. Faults: port_in_use (nothing is created then), bad_rule when there are kMaxRules,
  // internal after close().
  Outcome<Created> create(Rule rule);
  // Puts a rule of the store to work. One that cannot start now is down and tries again.
  void restore(Rule rule);
  // Takes a rule out and ends its tunnels. FaultCode::rule_not_found.
  awaitable<Outcome<bool>> remove(RuleId id);
  // Switches a rule off (its tunnels end) or on; one that cannot start now is down and tries again.
  // FaultCode::rule_not_found.
  awaitable<Outcome<RuleStatus>> enable(RuleId id, bool enabled);
  // Cancelling either of these leaves the change made and the tunnels ending.

  std::vector<RuleStatus> list() const;
  Outcome<RuleStatus> find(const RuleId& id) const;
  std::size_t open_tunnels() const { return context_.open_tunnels; }

  // A member came or went: rules that lead there look again.
  void member_changed();
  // Ends all rules; for good.
  awaitable<void> close();

 private:
  struct Entry {
    Rule rule;
    std::unique_ptr<RunningRule> running;  // null while disabled or expired
    RuleCounters past;                     // of the time before it was switched off
  };

  // A rule on its way out; its tunnels are ending.
  struct Ending {
    std::unique_ptr<RunningRule> rule;
    Event ended;
  };

  RuleStatus status_of(const Entry& entry) const;
  std::unique_ptr<RunningRule> make(const Rule& rule);
  // Takes the running rule off its entry and ends it in a task of the table, so that neither the
  // table nor whoever asked for it matters to that any more. Null when it does not run.
  std::shared_ptr<Ending> stop(Entry& entry);
  awaitable<void> end(std::shared_ptr<Ending> ending);
  awaitable<void> serve(p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream);
  awaitable<void> watch_expiry();
  bool expired(const Rule& rule) const;

  TunnelContext context_;
  Random& random_;
  Executor executor_;
  std::map<RuleId, Entry> rules_;
  TaskScope tasks_;
};

}  // namespace oc::tunnel
