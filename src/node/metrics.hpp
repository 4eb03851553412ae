// The node's figures, as JSON for people and pages and as Prometheus exposition.
#pragma once

#include <string>

#include "node/host_metrics.hpp"
#include "overlay/overlay.hpp"
#include "p2p/nat/port_mapping.hpp"
#include "tunnel/rule_table.hpp"

namespace oc::node {

struct MetricsSource {
  const p2p::Host& host;
  const overlay::Overlay& overlay;
  const tunnel::RuleTable& rules;
  const HostFigures& machine;
  std::string name;
  Duration uptime{};
  const p2p::PortMapping* port_mapping = nullptr;  // null: switched off
};

std::string metrics_as_json(const MetricsSource& source);
std::string metrics_as_prometheus(const MetricsSource& source);

}  // namespace oc::node
