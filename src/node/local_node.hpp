// LocalNode: this node as its API sees it.
#pragma once

#include "api/node_face.hpp"
#include "node/host_metrics.hpp"
#include "overlay/overlay.hpp"
#include "p2p/nat/port_mapping.hpp"
#include "store/store.hpp"
#include "tunnel/rule_table.hpp"

namespace oc::node {

// Lifetime: all that it refers to must outlive it. Thread: the network thread.
class LocalNode final : public api::NodeFace {
 public:
  LocalNode(p2p::Host& host, overlay::Overlay& overlay, tunnel::RuleTable& rules,
            store::Store& store, Clock& clock, std::string name);

  api::IdentityView identity() const override;
  api::NetcheckView netcheck() const override;
  std::vector<api::MemberView> members() const override;
  Outcome<std::string> resolve_peer(const std::string& reference) const override;
  Outcome<std::string> register_peer(const std::string& bootstrap_string) override;
  awaitable<Outcome<api::PingView>> ping(std::string peer_id, int count) override;
  awaitable<Outcome<api::PathView>> path(std::string peer_id) override;
  awaitable<Outcome<net::HttpResponse>> request(std::string peer_id,
                                                net::HttpRequest request) override;
  std::vector<api::RuleView> rules() const override;
  awaitable<Outcome<Created>> create_rule(api::RuleRequest request) override;
  awaitable<Outcome<api::RuleView>> enable_rule(std::string id, bool enabled) override;
  awaitable<Outcome<bool>> delete_rule(std::string id) override;
  std::string metrics_json() const override;
  std::string metrics_prometheus() const override;

  void set_machine(HostFigures figures) { machine_ = std::move(figures); }
  // For its figures; outlives this.
  void set_port_mapping(const p2p::PortMapping& mapping) { port_mapping_ = &mapping; }
  // Peers whose bootstrap strings were registered; they are kept in the store.
  void remember_bootstrap(std::vector<overlay::BootstrapPeer> peers) {
    bootstrap_ = std::move(peers);
  }
  // Tasks of its own (writes to the store); closed by the node.
  TaskScope& tasks() { return tasks_; }

 private:
  Outcome<codec::PeerId> find_peer(const std::string& reference, bool strangers) const;
  // A member that is not this node.
  Outcome<codec::PeerId> find_other(const std::string& reference) const;
  awaitable<Outcome<p2p::ConnectionPtr>> connect(const std::string& peer_id);
  awaitable<void> store_bootstrap(std::string setting);
  awaitable<Result<net::HttpResponse>> call(p2p::ConnectionPtr connection,
                                            net::HttpRequest request);
  api::RuleView view(const tunnel::RuleStatus& status) const;

  p2p::Host& host_;
  overlay::Overlay& overlay_;
  tunnel::RuleTable& rules_;
  store::Store& store_;
  Clock& clock_;
  std::string name_;
  TimePoint started_;
  HostFigures machine_;
  const p2p::PortMapping* port_mapping_ = nullptr;
  std::vector<overlay::BootstrapPeer> bootstrap_;
  TaskScope tasks_;
};

// Rules as rows of the store, and back; a row that makes no sense any more gives a fault.
store::RuleRow to_row(const tunnel::Rule& rule, const codec::PeerId& self);
Outcome<tunnel::Rule> from_row(const store::RuleRow& row, const codec::PeerId& self);

}  // namespace oc::node
