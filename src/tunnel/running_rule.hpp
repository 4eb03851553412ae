// A rule at work: what egress and ingress rules have in common.
#pragma once

#include <memory>
#include <optional>

#include "net/resolver.hpp"
#include "overlay/overlay.hpp"
#include "tunnel/rule_status.hpp"

namespace oc::tunnel {

// Tunnels that one node carries at once, of all rules together.
inline constexpr std::size_t kMaxTunnels = 32 * 1024;
// A visitor waits at most this long for a tunnel, the far end's connect included.
inline constexpr Duration kTunnelTimeout = std::chrono::seconds(15);
// The far end waits this long for the service to accept.
inline constexpr Duration kTargetTimeout = std::chrono::seconds(5);
// A rule that no visitor has tried meanwhile is probed this often.
inline constexpr Duration kProbeInterval = std::chrono::seconds(10);
// ... and this soon after it failed, so that it is up again soon after its cause is mended.
inline constexpr Duration kProbeAfterFailure = std::chrono::seconds(2);

// Shared by all rules of a node.
struct TunnelContext {
  overlay::Overlay& overlay;
  net::Resolver& resolver;
  Clock& clock;
  std::size_t open_tunnels = 0;
};

class RunningRule {
 public:
  RunningRule(TunnelContext& context, Rule rule, Executor executor)
      : context_(context), rule_(std::move(rule)), tasks_(executor) {}
  virtual ~RunningRule() = default;

  const Rule& rule() const { return rule_; }
  // Begins its work, once; a fault means that it cannot, and that nothing was begun.
  virtual Outcome<bool> start() = 0;
  // The same for a rule that is to work as soon as it can: what start() would fail for is tried
  // again.
  virtual void keep_starting() = 0;
  // Whether it works, and why not. Only asked while it is enabled and not expired.
  virtual RuleState state() const = 0;
  virtual std::optional<Fault> reason() const = 0;
  const RuleCounters& counters() const { return counters_; }
  // News about a peer (came, went, changed): worth another look at the targets.
  virtual void look_again() = 0;
  // Ends its work and its tunnels. Await it before destruction of a rule that was started.
  virtual awaitable<void> close() = 0;
  // Whether all of that has ended.
  bool closed() const { return tasks_.size() == 0; }

 protected:
  // Counts an open tunnel for as long as it lives.
  class OpenTunnel {
   public:
    explicit OpenTunnel(RunningRule& rule) : rule_(rule) {
      ++rule_.counters_.open;
      ++rule_.context_.open_tunnels;
    }
    ~OpenTunnel() {
      --rule_.counters_.open;
      --rule_.context_.open_tunnels;
    }
    OpenTunnel(const OpenTunnel&) = delete;
    OpenTunnel& operator=(const OpenTunnel&) = delete;

   private:
    RunningRule& rule_;
  };

  void connected_in(Duration time) {
    const Duration old = counters_.connect_time.value_or(time);
    counters_.connect_time = old + (time - old) / 8;
  }

  TunnelContext& context_;
  Rule rule_;
  RuleCounters counters_;
  TaskScope tasks_;
};

}  // namespace oc::tunnel
