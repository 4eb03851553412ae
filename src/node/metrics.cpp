#include "node/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "node/path_text.hpp"
#include "node/version.hpp"

namespace oc::node {
namespace {

using nlohmann::json;

struct Traffic {
  std::uint64_t bytes_in = 0, bytes_out = 0, streams = 0;
};

Traffic traffic_of(const p2p::Swarm& swarm) {
  Traffic total;
  for (const auto& connection : swarm.connections()) {
    total.bytes_in += connection->counters().bytes_in;
    total.bytes_out += connection->counters().bytes_out;
    total.streams += connection->stream_count();
  }
  return total;
}

tunnel::RuleCounters sum_of(const std::vector<tunnel::RuleStatus>& rules) {
  tunnel::RuleCounters total;
  for (const auto& rule : rules) {
    total.connections += rule.counters.connections;
    total.failures += rule.counters.failures;
    total.bytes_in += rule.counters.bytes_in;
    total.bytes_out += rule.counters.bytes_out;
  }
  return total;
}

std::size_t online_of(const overlay::Overlay& overlay) {
  std::size_t online = 0;
  for (const auto& member : overlay.members()) online += member.online ? 1 : 0;
  return online;
}

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// One family with one value per label.
prometheus::MetricFamily family(const std::string& name, const std::string& help,
                                prometheus::MetricType type) {
  prometheus::MetricFamily out;
  out.name = name;
  out.help = help;
  out.type = type;
  return out;
}

void add(prometheus::MetricFamily& to, double value,
         std::vector<prometheus::ClientMetric::Label> labels = {}) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  if (to.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  to.metric.push_back(std::move(metric));
}

prometheus::MetricFamily gauge(const std::string& name, const std::string& help, double value) {
  auto out = family(name, help, prometheus::MetricType::Gauge);
  add(out, value);
  return out;
}

prometheus::MetricFamily counter(const std::string& name, const std::string& help,
                                 std::uint64_t value) {
  auto out = family(name, help, prometheus::MetricType::Counter);
  add(out, static_cast<double>(value));
  return out;
}

json refusals_of(const p2p::Swarm& swarm) {
  json out = json::array();
  for (const auto& [refusal, count] : swarm.refusals()) {
    out.push_back({{"scope", to_text(refusal.scope)},
                   {"resource", to_text(refusal.resource)},
                   {"count", count}});
  }
  return out;
}

// What the swarm holds in each scope, and what it turned away.
void add_swarm(std::vector<prometheus::MetricFamily>& to, const p2p::Swarm& swarm) {
  using prometheus::MetricType;
  const p2p::SwarmCounters counters = swarm.counters();
  to.push_back(counter("open_chat_dials_total", "Dials to peers.", counters.dials));
  to.push_back(counter("open_chat_dials_failed_total", "Dials that no address answered.",
                       counters.dials_failed));
  to.push_back(counter("open_chat_dials_backed_off_total",
                       "Dials not made, because every address failed lately.",
                       counters.dials_backed_off));
  to.push_back(counter("open_chat_connections_accepted_total",
                       "Inbound connections taken to the handshake.", counters.accepted));
  to.push_back(counter("open_chat_handshakes_failed_total",
                       "Inbound connections whose handshake failed.", counters.upgrades_failed));
  to.push_back(counter("open_chat_connections_trimmed_total",
                       "Connections closed because there were too many.", counters.trimmed));
  auto refused =
      family("open_chat_refused_total", "What was refused, by the scope whose bound was reached.",
             MetricType::Counter);
  for (const auto& [refusal, count] : swarm.refusals()) {
    add(refused, static_cast<double>(count),
        {{"scope", std::string(to_text(refusal.scope))},
         {"resource", std::string(to_text(refusal.resource))}});
  }
  to.push_back(std::move(refused));
  auto connections = family("open_chat_scope_connections", "Connections in each scope of limits.",
                            MetricType::Gauge);
  auto streams =
      family("open_chat_scope_streams", "Streams in each scope of limits.", MetricType::Gauge);
  auto unread = family("open_chat_unread_bytes", "Bytes received from peers and not read yet.",
                       MetricType::Gauge);
  for (const p2p::Scope scope :
       {p2p::Scope::system, p2p::Scope::transient, p2p::Scope::untrusted}) {
    const p2p::ResourceUsage& usage = swarm.ledger().usage(scope);
    const auto label = [scope](const char* direction) {
      return std::vector<prometheus::ClientMetric::Label>{{"scope", std::string(to_text(scope))},
                                                          {"direction", direction}};
    };
    add(connections, static_cast<double>(usage.connections_in), label("in"));
    add(connections, static_cast<double>(usage.connections_out), label("out"));
    add(streams, static_cast<double>(usage.streams_in), label("in"));
    add(streams, static_cast<double>(usage.streams_out), label("out"));
  }
  for (const p2p::Scope scope : {p2p::Scope::system, p2p::Scope::untrusted}) {
    add(unread, static_cast<double>(swarm.ledger().memory(scope)),
        {{"scope", std::string(to_text(scope))}});
  }
  to.push_back(std::move(connections));
  to.push_back(std::move(streams));
  to.push_back(std::move(unread));
}

using p2p::ReachabilityState;

std::size_t addresses_that_are(const p2p::Reachability& reachability, ReachabilityState state) {
  const auto all = reachability.addresses();
  return static_cast<std::size_t>(std::ranges::count(all, state, &p2p::AddressReachability::state));
}

json reachability_of(const p2p::Host& host) {
  const p2p::Reachability& reachability = host.reachability().reachability();
  const p2p::AutonatServerCounters& served = host.autonat_server().counters();
  json out = {{"state", to_text(reachability.public_state())},
              {"requests_served", served.requests},
              {"requests_rejected", served.rejected},
              {"requests_refused", served.refused},
              {"dial_backs", served.dials},
              {"dial_backs_failed", served.dials_failed}};
  for (const auto state :
       {ReachabilityState::reachable, ReachabilityState::unreachable, ReachabilityState::unknown})
    out["addresses"][std::string(to_text(state))] = addresses_that_are(reachability, state);
  return out;
}

void add_reachability(std::vector<prometheus::MetricFamily>& to, const p2p::Host& host) {
  const p2p::Reachability& reachability = host.reachability().reachability();
  to.push_back(gauge("open_chat_publicly_reachable",
                     "Whether others can reach an address of this node on the internet.",
                     reachability.publicly_reachable() ? 1 : 0));
  auto addresses = family("open_chat_own_addresses", "This node's addresses by reachability.",
                          prometheus::MetricType::Gauge);
  for (const auto state :
       {ReachabilityState::reachable, ReachabilityState::unreachable, ReachabilityState::unknown}) {
    add(addresses, static_cast<double>(addresses_that_are(reachability, state)),
        {{"state", std::string(to_text(state))}});
  }
  to.push_back(std::move(addresses));
  const p2p::AutonatServerCounters& served = host.autonat_server().counters();
  to.push_back(counter("open_chat_autonat_requests_total", "AutoNAT requests served to peers.",
                       served.requests));
  to.push_back(counter("open_chat_autonat_rejected_total", "AutoNAT requests that were too many.",
                       served.rejected));
  to.push_back(counter("open_chat_autonat_refused_total",
                       "AutoNAT requests without an address that may be dialed.", served.refused));
  to.push_back(
      counter("open_chat_autonat_dials_total", "Dials made for AutoNAT requests.", served.dials));
  to.push_back(counter("open_chat_autonat_dials_failed_total",
                       "Dials for AutoNAT requests that were not answered.", served.dials_failed));
}

// Null when port mapping is switched off.
json port_mapping_of(const p2p::PortMapping* mapping) {
  if (mapping == nullptr) return json();
  const p2p::PortMappingStatus status = mapping->status();
  json out = {{"held", !status.protocol.empty()},
              {"error", status.last_error ? json(status.last_error.message()) : json()}};
  if (status.protocol.empty()) return out;
  out["protocol"] = status.protocol;
  out["external"] = status.address.to_string() + ":" + std::to_string(status.port.value());
  out["useful"] = status.useful;
  out["lease_seconds"] = seconds(status.lease_left);
  return out;
}

void add_port_mapping(std::vector<prometheus::MetricFamily>& to, const p2p::PortMapping* mapping) {
  if (mapping == nullptr) return;
  to.push_back(gauge("open_chat_port_mapped",
                     "Whether a router maps a port, that the internet can reach, to this node.",
                     mapping->external() ? 1 : 0));
  auto attempts =
      family("open_chat_port_mapping_attempts_total", "Times that a router was asked for a port.",
             prometheus::MetricType::Counter);
  auto failures = family("open_chat_port_mapping_failures_total",
                         "Of these, those that brought none.", prometheus::MetricType::Counter);
  for (const p2p::GatewayCounters& each : mapping->counters()) {
    const prometheus::ClientMetric::Label label{"protocol", std::string(each.protocol)};
    add(attempts, static_cast<double>(each.attempts), {label});
    add(failures, static_cast<double>(each.failures), {label});
  }
  to.push_back(std::move(attempts));
  to.push_back(std::move(failures));
}

}  // namespace

std::string metrics_as_json(const MetricsSource& source) {
  const HostFigures& machine = source.machine;
  const auto rules = source.rules.list();
  const auto tunnels = sum_of(rules);
  const Traffic traffic = traffic_of(source.host.swarm());
  const p2p::SwarmCounters swarm = source.host.swarm().counters();
  json volumes = json::array();
  for (const auto& volume : machine.volumes) {
    volumes.push_back({{"path", volume.path},
                       {"total_bytes", volume.total_bytes},
                       {"used_bytes", volume.used_bytes}});
  }
  json paths = json::array();
  for (const auto& member : source.overlay.members()) {
    if (!member.online) continue;
    const auto round_trip = member.connection->round_trip();
    paths.push_back({{"peer_id", member.peer.to_string()},
                     {"path", path_text(member.connection->facts().remote_address)},
                     {"round_trip_ms", round_trip ? json(seconds(*round_trip) * 1000) : json()}});
  }
  const json out = {{"node",
                     {{"peer_id", source.overlay.self().to_string()},
                      {"name", source.name},
                      {"version", kVersion},
                      {"uptime_seconds", seconds(source.uptime)},
                      {"resident_bytes", machine.process_resident},
                      {"open_descriptors", machine.process_descriptors}}},
                    {"cpu",
                     {{"cores", machine.cpu_percent},
                      {"load", {machine.load_1, machine.load_5, machine.load_15}}}},
                    {"memory",
                     {{"total_bytes", machine.memory_total},
                      {"used_bytes", machine.memory_used},
                      {"free_bytes", machine.memory_free},
                      {"cache_bytes", machine.memory_cache}}},
                    {"volumes", volumes},
                    {"traffic",
                     {{"bytes_in", traffic.bytes_in},
                      {"bytes_out", traffic.bytes_out},
                      {"streams", traffic.streams},
                      {"connections", source.host.swarm().connections().size()},
                      {"accepted", swarm.accepted},
                      {"dials", swarm.dials},
                      {"dials_failed", swarm.dials_failed},
                      {"dials_backed_off", swarm.dials_backed_off},
                      {"refused", swarm.refused},
                      {"trimmed", swarm.trimmed},
                      {"unread_bytes", source.host.swarm().ledger().memory(p2p::Scope::system)},
                      {"refusals", refusals_of(source.host.swarm())}}},
                    {"tunnels",
                     {{"open", source.rules.open_tunnels()},
                      {"rules", rules.size()},
                      {"connections", tunnels.connections},
                      {"failures", tunnels.failures},
                      {"bytes_in", tunnels.bytes_in},
                      {"bytes_out", tunnels.bytes_out}}},
                    {"reachability", reachability_of(source.host)},
                    {"port_mapping", port_mapping_of(source.port_mapping)},
                    {"paths", paths}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string metrics_as_prometheus(const MetricsSource& source) {
  const HostFigures& machine = source.machine;
  const auto rules = source.rules.list();
  const auto tunnels = sum_of(rules);
  const Traffic traffic = traffic_of(source.host.swarm());
  std::vector<prometheus::MetricFamily> families;
  auto info =
      family("open_chat_info", "The node's version and peer id.", prometheus::MetricType::Gauge);
  add(info, 1,
      {{"version", std::string(kVersion)}, {"peer_id", source.overlay.self().to_string()}});
  families.push_back(std::move(info));
  families.push_back(
      gauge("open_chat_uptime_seconds", "Time since the node started.", seconds(source.uptime)));
  families.push_back(gauge("open_chat_members_online", "Members connected now.",
                           static_cast<double>(online_of(source.overlay))));
  families.push_back(gauge("open_chat_connections", "libp2p connections.",
                           static_cast<double>(source.host.swarm().connections().size())));
  families.push_back(gauge("open_chat_overlay_bytes_in",
                           "Bytes received on the connections open now.",
                           static_cast<double>(traffic.bytes_in)));
  families.push_back(gauge("open_chat_overlay_bytes_out", "Bytes sent on the connections open now.",
                           static_cast<double>(traffic.bytes_out)));
  add_swarm(families, source.host.swarm());
  add_reachability(families, source.host);
  add_port_mapping(families, source.port_mapping);
  families.push_back(gauge("open_chat_tunnels_open", "Tunnels open now.",
                           static_cast<double>(source.rules.open_tunnels())));
  families.push_back(counter("open_chat_tunnels_total", "Tunnels asked for.", tunnels.connections));
  families.push_back(counter("open_chat_tunnel_failures_total", "Tunnels that did not come about.",
                             tunnels.failures));
  families.push_back(counter("open_chat_tunnel_bytes_in_total",
                             "Bytes carried from the visitors' side.", tunnels.bytes_in));
  families.push_back(counter("open_chat_tunnel_bytes_out_total",
                             "Bytes carried to the visitors' side.", tunnels.bytes_out));
  families.push_back(gauge("process_resident_memory_bytes", "Resident memory.",
                           static_cast<double>(machine.process_resident)));
  families.push_back(gauge("process_open_fds", "Open file descriptors.",
                           static_cast<double>(machine.process_descriptors)));
  auto up = family("open_chat_rule_up", "Whether a rule is up.", prometheus::MetricType::Gauge);
  for (const auto& status : rules) {
    add(up, status.state == tunnel::RuleState::up ? 1 : 0,
        {{"rule", status.rule.id.value()}, {"state", std::string(tunnel::to_text(status.state))}});
  }
  families.push_back(std::move(up));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace oc::node
