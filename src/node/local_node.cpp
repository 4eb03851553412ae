#include "node/local_node.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "node/metrics.hpp"
#include "node/path_report.hpp"
#include "node/path_text.hpp"
#include "node/plan.hpp"
#include "node/version.hpp"

namespace oc::node {
namespace {

constexpr const char* kHttpProtocol = "/http/1.1";
constexpr Duration kConnectTimeout = std::chrono::seconds(12);
constexpr Duration kRequestTimeout = std::chrono::seconds(30);
// A prefix of a peer id shorter than this names too many.
constexpr std::size_t kLeastPrefix = 4;

double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

Fault peer_fault(const std::string& peer, error_code error) {
  if (error == Errc::timed_out)
    return {FaultCode::peer_timed_out, "node " + peer + " did not answer in time"};
  if (error == Errc::not_found) {
    return {FaultCode::peer_unreachable,
            "node " + peer + " is not connected and has no known address"};
  }
  if (error.category() == overlay::handshake_category()) {
    return {overlay::handshake_fault(error), "node " + peer + ": " + error.message()};
  }
  if (error == Errc::reset || error == Errc::eof || error == Errc::truncated) {
    return {FaultCode::link_lost, "the connection to node " + peer + " broke"};
  }
  return {FaultCode::peer_unreachable, "node " + peer + " cannot be reached: " + error.message()};
}

// "upnp 203.0.113.7:1985", or why there is no mapping.
std::string port_mapping_text(const p2p::PortMappingStatus& status) {
  if (status.protocol.empty())
    return "none: " + (status.last_error ? status.last_error.message() : "not tried yet");
  std::string text = std::string(status.protocol) + " " + status.address.to_string() + ":" +
                     std::to_string(status.port.value());
  return status.useful ? text : text + ", of no use: another router is in front of that one";
}

}  // namespace

LocalNode::LocalNode(p2p::Host& host, overlay::Overlay& overlay, tunnel::RuleTable& rules,
                     store::Store& store, Clock& clock, std::string name)
    : host_(host),
      overlay_(overlay),
      rules_(rules),
      store_(store),
      clock_(clock),
      name_(std::move(name)),
      started_(clock.now()),
      tasks_(host.swarm().executor()) {}

api::IdentityView LocalNode::identity() const {
  api::IdentityView out;
  out.peer_id = overlay_.self().to_string();
  out.name = name_;
  out.version = kVersion;
  for (const auto& [id, network] : overlay_.membership().networks())
    out.networks.push_back(network.name.value());
  const auto bootstrap = overlay_.own_bootstrap();
  const p2p::Reachability& reachability = host_.reachability().reachability();
  for (const auto& address : bootstrap.addresses) {
    out.addresses.push_back(address.to_string());
    out.states.emplace_back(p2p::to_text(reachability.state_of(address.without_peer())));
  }
  out.bootstrap_string = overlay::encode_bootstrap(bootstrap);
  return out;
}

api::NetcheckView LocalNode::netcheck() const {
  api::NetcheckView out;
  const p2p::ReachabilityProber& prober = host_.reachability();
  out.state = p2p::to_text(prober.reachability().public_state());
  for (const p2p::AddressReachability& one : prober.reachability().addresses()) {
    api::AddressView view;
    view.address = one.own.address.to_string();
    view.source = p2p::to_text(one.own.source);
    view.state = p2p::to_text(one.state);
    if (one.checked) view.checked = clock_.wall_now() - (clock_.now() - *one.checked);
    view.servers = one.servers;
    out.addresses.push_back(std::move(view));
  }
  const p2p::NatMappingFinding nat = prober.nat_mapping();
  out.mapping = p2p::to_text(nat.mapping);
  out.observers = nat.observers;
  out.port_mapping = port_mapping_ == nullptr ? "off" : port_mapping_text(port_mapping_->status());
  for (const p2p::HeldReservation& held : overlay_.relays().reservations())
    out.relays.push_back({held.relay.to_string(), held.expires});
  const p2p::RelayService& service = host_.relay_service();
  out.relaying = !service.serving()           ? "nobody"
                 : service.serves_strangers() ? "everybody"
                                              : "members";
  out.reservations = service.reservations();
  out.circuits = service.circuits();
  return out;
}

std::vector<api::MemberView> LocalNode::members() const {
  std::vector<api::MemberView> out;
  const auto self = identity();
  out.push_back({self.peer_id, self.name, self.version, self.networks, self.addresses, true, true,
                 "self", std::nullopt, clock_.wall_now()});
  for (const auto& member : overlay_.members()) {
    api::MemberView view;
    view.peer_id = member.peer.to_string();
    view.name = member.record.name;
    view.version = member.record.version;
    view.networks.assign(member.networks.begin(), member.networks.end());
    for (const auto& address : member.record.addresses)
      view.addresses.push_back(address.to_string());
    view.online = member.online;
    view.last_contact = member.last_contact;
    if (member.connection != nullptr) {
      view.path = path_text(member.connection->facts().remote_address);
      if (auto time = member.connection->round_trip()) view.round_trip_ms = milliseconds(*time);
    }
    out.push_back(std::move(view));
  }
  return out;
}

Outcome<codec::PeerId> LocalNode::find_peer(const std::string& reference, bool strangers) const {
  const auto full = codec::PeerId::parse(reference);
  std::vector<codec::PeerId> found;
  const auto consider = [&](const codec::PeerId& peer, const std::string& name) {
    // A whole peer id means that peer, whatever others call themselves.
    if (full) {
      if (*full == peer) found.push_back(peer);
      return;
    }
    const bool prefix = reference.size() >= kLeastPrefix && peer.to_string().starts_with(reference);
    if (prefix || (!name.empty() && name == reference)) found.push_back(peer);
  };
  consider(overlay_.self(), name_);
  for (const auto& member : overlay_.members()) consider(member.peer, member.record.name);
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return Fault(FaultCode::bad_peer_reference, "\"" + reference + "\" names " +
                                                    std::to_string(found.size()) +
                                                    " members; give more of the peer id");
  }
  if (full && strangers) return *full;
  if (full) return Fault(FaultCode::peer_unknown, "no member has the peer id " + reference);
  return Fault(FaultCode::bad_peer_reference,
               "\"" + reference + "\" is no peer id, prefix of one, or name of a member");
}

Outcome<std::string> LocalNode::resolve_peer(const std::string& reference) const {
  auto peer = find_peer(reference, false);
  if (!peer) return peer.error();
  return peer->to_string();
}

Outcome<std::string> LocalNode::register_peer(const std::string& bootstrap_string) {
  auto peer = overlay::decode_bootstrap(bootstrap_string);
  if (!peer) return peer.error();
  if (!overlay_.add_bootstrap(*peer)) {
    const bool us = peer->id == overlay_.self();
    return Fault(FaultCode::bad_bootstrap_string,
                 us ? "this is the node's own bootstrap string"
                    : "the node knows its most bootstrap peers already");
  }
  std::erase_if(bootstrap_, [&peer](const auto& known) { return known.id == peer->id; });
  bootstrap_.push_back(*peer);
  tasks_.spawn("store bootstrap peers", store_bootstrap(bootstrap_to_setting(bootstrap_)));
  return peer->id.to_string();
}

awaitable<void> LocalNode::store_bootstrap(std::string setting) {
  auto stored = co_await store_.settings.put(kSettingBootstrap, std::move(setting));
  if (!stored) log::error("{}", stored.error().to_string());
}

Outcome<codec::PeerId> LocalNode::find_other(const std::string& reference) const {
  auto peer = find_peer(reference, false);
  if (peer && *peer == overlay_.self()) {
    return Fault(FaultCode::bad_peer_reference, "\"" + reference + "\" is the node itself",
                 "name another member");
  }
  return peer;
}

awaitable<Outcome<p2p::ConnectionPtr>> LocalNode::connect(const std::string& peer_id) {
  auto peer = find_other(peer_id);
  if (!peer) co_return peer.error();
  if (auto connection = overlay_.membership().connection_to(*peer)) co_return connection;
  error_code last = Errc::not_found;
  std::vector<overlay::NetworkId> networks;
  for (const auto& [id, network] : overlay_.membership().networks()) networks.push_back(id);
  for (const overlay::NetworkId& network : networks) {
    auto connection = co_await with_deadline<p2p::ConnectionPtr>(clock_, kConnectTimeout,
                                                                 overlay_.connect(network, *peer));
    if (connection) co_return *connection;
    last = connection.error();
  }
  co_return peer_fault(peer_id, last);
}

awaitable<Outcome<api::PingView>> LocalNode::ping(std::string peer_id, int count) {
  auto connection = co_await connect(peer_id);
  if (!connection) co_return connection.error();
  auto times = co_await host_.ping().measure(*connection, count);
  if (!times) co_return peer_fault(peer_id, times.error());
  api::PingView view;
  for (const Duration time : *times) view.round_trips_ms.push_back(milliseconds(time));
  co_return view;
}

awaitable<Outcome<api::PathView>> LocalNode::path(std::string peer_id) {
  auto peer = find_other(peer_id);
  if (!peer) co_return peer.error();
  const auto connected = co_await connect(peer_id);
  api::PathView view = path_report(host_.swarm(), overlay_.membership(), clock_, *peer);
  for (const auto& member : overlay_.members()) {
    if (member.peer == *peer) view.name = member.record.name;
  }
  if (!connected) view.reason = connected.error();
  co_return view;
}

awaitable<Outcome<net::HttpResponse>> LocalNode::request(std::string peer_id,
                                                         net::HttpRequest request) {
  auto connection = co_await connect(peer_id);
  if (!connection) co_return connection.error();
  auto response = co_await with_deadline<net::HttpResponse>(clock_, kRequestTimeout,
                                                            call(*connection, std::move(request)));
  if (!response) co_return peer_fault(peer_id, response.error());
  co_return *std::move(response);
}

awaitable<Result<net::HttpResponse>> LocalNode::call(p2p::ConnectionPtr connection,
                                                     net::HttpRequest request) {
  CO_TRY(auto stream, co_await connection->open_stream(kHttpProtocol));
  CO_TRY(auto response,
         co_await net::http_call(*stream, std::move(request), connection->peer().to_string()));
  (void)co_await stream->close_write();
  co_return response;
}

api::RuleView LocalNode::view(const tunnel::RuleStatus& status) const {
  const tunnel::Rule& rule = status.rule;
  const bool egress = rule.direction == tunnel::RuleDirection::egress;
  api::RuleView out;
  out.id = rule.id.value();
  out.network = rule.network.value();
  out.direction = tunnel::to_text(rule.direction);
  out.kind = tunnel::to_text(rule.kind);
  out.origin = rule.origin_text(overlay_.self());
  out.target = rule.target_text(overlay_.self());
  out.bind = egress ? rule.bind : "";
  out.to = egress ? "" : tunnel::to_text(rule.to);
  out.port = rule.port.value();
  out.tags = rule.tags;
  out.enabled = rule.enabled;
  out.state = tunnel::to_text(status.state);
  out.reason = status.reason;
  out.connections = status.counters.connections;
  out.open = status.counters.open;
  out.failures = status.counters.failures;
  out.bytes_in = status.counters.bytes_in;
  out.bytes_out = status.counters.bytes_out;
  if (status.counters.connect_time) out.connect_ms = milliseconds(*status.counters.connect_time);
  out.created = rule.created;
  return out;
}

std::vector<api::RuleView> LocalNode::rules() const {
  std::vector<api::RuleView> out;
  for (const auto& status : rules_.list()) out.push_back(view(status));
  return out;
}

awaitable<Outcome<api::NodeFace::Created>> LocalNode::create_rule(api::RuleRequest request) {
  tunnel::RuleContext context;
  context.self = overlay_.self();
  for (const auto& [id, network] : overlay_.membership().networks())
    context.networks.push_back(network.name);
  context.resolve = [this](const std::string& reference) { return find_peer(reference, true); };
  context.now = clock_.wall_now();
  tunnel::RuleText text;
  text.direction = request.direction;
  text.kind = request.kind;
  text.origin = request.origin;
  text.target = request.target;
  text.network = request.network;
  text.bind = request.bind;
  text.to = request.to;
  text.port = request.port;
  text.tags = request.tags;
  text.disabled = request.disabled;
  text.expires_in_seconds = request.expires_in_seconds;
  auto rule = tunnel::parse_rule(text, context);
  if (!rule) co_return rule.error();
  auto created = rules_.create(*std::move(rule));
  if (!created) co_return created.error();
  const tunnel::Rule kept = created->status.rule;
  if (created->is_new) {
    auto stored = co_await store_.rules.put(to_row(kept, overlay_.self()));
    if (!stored) {
      // A rule that would be gone after a restart is not created at all.
      (void)co_await rules_.remove(kept.id);
      co_return stored.error();
    }
  }
  co_return Created{view(created->status), created->is_new};
}

awaitable<Outcome<api::RuleView>> LocalNode::enable_rule(std::string id, bool enabled) {
  auto known = rules_.find(tunnel::RuleId(id));
  if (!known) co_return known.error();
  auto stored = co_await store_.rules.set_enabled(id, enabled);
  if (!stored) co_return stored.error();
  auto status = co_await rules_.enable(tunnel::RuleId(id), enabled);
  if (!status) co_return status.error();
  co_return view(*status);
}

awaitable<Outcome<bool>> LocalNode::delete_rule(std::string id) {
  auto known = rules_.find(tunnel::RuleId(id));
  if (!known) co_return known.error();
  auto stored = co_await store_.rules.remove(id);
  if (!stored) co_return stored.error();
  co_return co_await rules_.remove(tunnel::RuleId(id));
}

std::string LocalNode::metrics_json() const {
  return metrics_as_json(
      {host_, overlay_, rules_, machine_, name_, clock_.now() - started_, port_mapping_});
}

std::string LocalNode::metrics_prometheus() const {
  return metrics_as_prometheus(
      {host_, overlay_, rules_, machine_, name_, clock_.now() - started_, port_mapping_});
}

store::RuleRow to_row(const tunnel::Rule& rule, const codec::PeerId& self) {
  const bool egress = rule.direction == tunnel::RuleDirection::egress;
  store::RuleRow row;
  row.id = rule.id.value();
  row.network = rule.network.value();
  row.direction = tunnel::to_text(rule.direction);
  row.kind = tunnel::to_text(rule.kind);
  row.origin = rule.origin_text(self);
  row.target = rule.target_text(self);
  row.bind = egress ? rule.bind : "";
  row.port = rule.port.value();
  row.to = egress ? "" : tunnel::to_text(rule.to);
  row.tags = rule.tags;
  row.enabled = rule.enabled;
  row.expires = rule.expires;
  row.created = rule.created;
  return row;
}

Outcome<tunnel::Rule> from_row(const store::RuleRow& row, const codec::PeerId& self) {
  tunnel::RuleContext context;
  context.self = self;
  context.networks = {overlay::NetworkName(row.network)};
  context.resolve = [](const std::string& text) -> Outcome<codec::PeerId> {
    auto peer = codec::PeerId::parse(text);
    if (!peer) return Fault(FaultCode::bad_peer_reference, "\"" + text + "\" is no peer id");
    return *peer;
  };
  tunnel::RuleText text;
  text.direction = row.direction;
  text.kind = row.kind;
  text.origin = row.origin;
  text.target = row.target;
  text.network = row.network;
  text.bind = row.bind;
  text.to = row.to;
  text.tags = row.tags;
  text.disabled = !row.enabled;
  auto rule = tunnel::parse_rule(text, context);
  if (!rule) return rule.error();
  rule->id = tunnel::RuleId(row.id);
  rule->created = row.created;
  rule->expires = row.expires;
  return *std::move(rule);
}

}  // namespace oc::node
