// An egress rule at work: listens on a port of this node and carries each visitor into the network.
#pragma once

#include <deque>
#include <vector>

#include "net/tcp.hpp"
#include "tunnel/running_rule.hpp"
#include "tunnel/tunnel_protocol.hpp"

namespace oc::tunnel {

// When the port cannot be listened on, it is tried again this often.
inline constexpr Duration kListenRetry = std::chrono::seconds(3);

class Egress final : public RunningRule {
 public:
  Egress(TunnelContext& context, Rule rule, Executor executor);

  // FaultCode::port_in_use when the port cannot be listened on.
  Outcome<bool> start() override;
  void keep_starting() override;
  RuleState state() const override;
  std::optional<Fault> reason() const override;
  void look_again() override;
  awaitable<void> close() override;

 private:
  struct Target {
    PeerTarget at;
    std::optional<Fault> fault;
    TimePoint checked{};
    Event look;  // worth a probe now
  };

  Outcome<bool> listen();
  awaitable<void> retry_listening();
  awaitable<void> accept_loop();
  awaitable<void> carry(net::TcpListener::Accepted visitor);
  void start_probing();
  awaitable<void> keep_probing(std::size_t index);
  awaitable<std::optional<Fault>> probe(PeerTarget target);
  // Round-robin over the targets that work, then those that do not.
  std::vector<std::size_t> targets_in_turn();
  // A tunnel to the first of them that can be reached. Its first read takes the far end's answer.
  awaitable<Outcome<std::unique_ptr<net::Stream>>> open_tunnel(std::string source);
  awaitable<Outcome<std::unique_ptr<net::Stream>>> open_to(std::size_t index, std::string source,
                                                           Duration limit);
  awaitable<Result<void>> take_answer(net::Stream& tunnel, std::size_t index, TimePoint start);
  awaitable<Result<std::unique_ptr<net::Stream>>> send_to(PeerTarget target, TunnelHeader header);
  // What a probe of the target would say now: a lost connection counts before the next one runs.
  std::optional<Fault> fault_now(const Target& target) const;
  Fault fault_of(const PeerTarget& target, error_code error) const;
  void failed(std::size_t index, Fault fault);

  std::deque<Target> targets_;  // a Target does not move
  std::size_t next_target_ = 0;
  std::optional<net::TcpListener> listener_;
  std::optional<Fault> listen_fault_;
};

}  // namespace oc::tunnel
