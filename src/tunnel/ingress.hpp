// An ingress rule at work: lets tunnels of the network out to a local service.
#pragma once

#include "tunnel/running_rule.hpp"
#include "tunnel/tunnel_protocol.hpp"

namespace oc::tunnel {

class Ingress final : public RunningRule {
 public:
  Ingress(TunnelContext& context, Rule rule, Executor executor);

  Outcome<bool> start() override;
  void keep_starting() override { (void)start(); }
  RuleState state() const override { return fault_ ? RuleState::down : RuleState::up; }
  std::optional<Fault> reason() const override { return fault_; }
  void look_again() override { look_.set(); }
  awaitable<void> close() override { return tasks_.close(); }

  // Whether the rule lets a tunnel of this peer out.
  bool admits(const codec::PeerId& peer, const overlay::NetworkName& network,
              const TunnelHeader& header) const;
  // Takes over a tunnel whose header was read: connects, answers, carries.
  void serve(std::unique_ptr<net::Stream> stream, TunnelHeader header);

 private:
  awaitable<void> carry(std::unique_ptr<net::Stream> stream, TunnelHeader header);
  awaitable<void> keep_probing();
  awaitable<Outcome<std::unique_ptr<net::Stream>>> connect();
  awaitable<std::optional<Fault>> probe();

  std::optional<Fault> fault_;
  Event look_;
};

}  // namespace oc::tunnel
