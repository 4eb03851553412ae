#include "api/views.hpp"

#include <algorithm>
#include <numeric>

#include "api/call.hpp"

namespace oc::api {
namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json or_null(const std::optional<WallTime>& value) {
  return value ? Json(iso8601(*value)) : Json();
}
Json or_null(const std::optional<Fault>& fault) { return fault ? to_json(*fault) : Json(); }

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

Json to_json(const IdentityView& identity) {
  return {{"id", identity.peer_id},
          {"name", identity.name},
          {"version", identity.version},
          {"networks", identity.networks},
          {"connect_multiadress", identity.addresses},  // the original's spelling
          {"reachability", identity.states},
          {"bootstrap_string", identity.bootstrap_string}};
}

Json to_json(const NetcheckView& netcheck) {
  Json addresses = Json::array();
  for (const AddressView& one : netcheck.addresses) {
    addresses.push_back({{"address", one.address},
                         {"source", one.source},
                         {"state", one.state},
                         {"checked", or_null(one.checked)},
                         {"servers", one.servers}});
  }
  Json relays = Json::array();
  for (const RelayView& one : netcheck.relays)
    relays.push_back({{"peer_id", one.peer_id}, {"expires", iso8601(one.expires)}});
  return {{"state", netcheck.state},
          {"addresses", addresses},
          {"nat", {{"mapping", netcheck.mapping}, {"observers", netcheck.observers}}},
          {"port_mapping", netcheck.port_mapping},
          {"relays", relays},
          {"relaying",
           {{"serves", netcheck.relaying},
            {"reservations", netcheck.reservations},
            {"circuits", netcheck.circuits}}}};
}

Json to_json(const MemberView& member) {
  return {{"peer_id", member.peer_id},
          {"name", member.name},
          {"version", member.version},
          {"networks", member.networks},
          {"addresses", member.addresses},
          {"self", member.self},
          {"online", member.online},
          {"path", member.path},
          {"round_trip_ms", or_null(member.round_trip_ms)},
          {"last_contact", or_null(member.last_contact)}};
}

Json to_json(const ConnectionView& connection) {
  return {{"path", connection.path},
          {"origin", connection.origin},
          {"security", connection.security},
          {"round_trip_ms", or_null(connection.round_trip_ms)},
          {"opened", iso8601(connection.opened)},
          {"streams", connection.streams},
          {"limited", connection.limited},
          {"member", connection.member},
          {"used", connection.used}};
}

Json to_json(const AttemptView& attempt) {
  return {{"address", attempt.address},
          {"how", attempt.how},
          {"started", iso8601(attempt.started)},
          {"took_ms", attempt.took_ms},
          {"result", attempt.result},
          {"reason", or_null(attempt.reason)}};
}

Json to_json(const PathView& path) {
  Json connections = Json::array();
  for (const ConnectionView& one : path.connections) connections.push_back(to_json(one));
  Json attempts = Json::array();
  for (const AttemptView& one : path.attempts) attempts.push_back(to_json(one));
  return {{"peer_id", path.peer_id},        {"name", path.name},          {"online", path.online},
          {"reason", or_null(path.reason)}, {"connections", connections}, {"attempts", attempts}};
}

Json to_json(const RuleView& rule) {
  return {{"id", rule.id},
          {"network", rule.network},
          {"direction", rule.direction},
          {"kind", rule.kind},
          {"traffic_origin", rule.origin},
          {"traffic_target", rule.target},
          {"bind", rule.bind},
          {"port", rule.port},
          {"to", rule.to},
          {"tags", rule.tags},
          {"enabled", rule.enabled},
          {"state", rule.state},
          {"reason", or_null(rule.reason)},
          {"connections", rule.connections},
          {"open", rule.open},
          {"failures", rule.failures},
          {"bytes_in", rule.bytes_in},
          {"bytes_out", rule.bytes_out},
          {"connect_ms", or_null(rule.connect_ms)},
          {"created", iso8601(rule.created)}};
}

Json to_json(const store::AuditRow& row) {
  return {{"id", row.id},         {"time", iso8601(row.when)}, {"user", row.user},
          {"role", row.role},     {"address", row.address},    {"action", row.action},
          {"detail", row.detail}, {"result", row.result}};
}

std::string session_id_of(const store::SessionRow& session) {
  return to_hex(BytesView(session.token_hash).first(8));
}

Json to_json(const store::SessionRow& session, bool current) {
  return {{"id", session_id_of(session)},
          {"user", session.user},
          {"role", session.role},
          {"address", session.address},
          {"created", iso8601(session.created)},
          {"expires", iso8601(session.expires)},
          {"current", current}};
}

Json to_json(const std::string& peer_id, const PingView& ping) {
  const auto& trips = ping.round_trips_ms;
  Json json = {{"peer_id", peer_id},
               {"round_trips_ms", trips},
               {"min_ms", nullptr},
               {"mean_ms", nullptr},
               {"max_ms", nullptr}};
  if (trips.empty()) return json;
  const auto [least, most] = std::minmax_element(trips.begin(), trips.end());
  json["min_ms"] = *least;
  json["mean_ms"] =
      std::accumulate(trips.begin(), trips.end(), 0.0) / static_cast<double>(trips.size());
  json["max_ms"] = *most;
  return json;
}

Json networks_json(const IdentityView& identity, const std::vector<MemberView>& members) {
  Json rows = Json::array();
  for (const std::string& name : identity.networks) {
    std::size_t all = 0, online = 0;
    for (const MemberView& member : members) {
      if (!contains(member.networks, name)) continue;
      ++all;
      if (member.online || member.self) ++online;
    }
    rows.push_back({{"name", name}, {"members", all}, {"online", online}});
  }
  return rows;
}

void sort_for_display(std::vector<MemberView>& members) {
  std::sort(members.begin(), members.end(), [](const MemberView& a, const MemberView& b) {
    return std::tie(b.self, a.name, a.peer_id) < std::tie(a.self, b.name, b.peer_id);
  });
}

Json answer_schemas() {
  Json all;
  all["Error"] = object_schema({{"error", "#Fault"}});
  all["Fault"] = object_schema({{"code", "string"}, {"message", "string"}, {"hint", "string"}});
  all["User"] = object_schema({{"name", "string"}, {"role", "string"}});
  all["Login"] =
      object_schema({{"session_id", "string"}, {"user", "#User"}, {"expires", "string"}});
  all["Logout"] = object_schema({{"logged_out", "boolean"}});
  all["Self"] = object_schema({{"user", "#User"}, {"expires", "string?"}});
  all["Session"] = object_schema({{"id", "string"},
                                  {"user", "string"},
                                  {"role", "string"},
                                  {"address", "string"},
                                  {"created", "string"},
                                  {"expires", "string"},
                                  {"current", "boolean"}});
  all["Id"] = object_schema({{"id", "string"}});
  all["Identity"] = object_schema({{"id", "string"},
                                   {"name", "string"},
                                   {"version", "string"},
                                   {"networks", "[string]"},
                                   {"connect_multiadress", "[string]"},
                                   {"reachability", "[string]"},
                                   {"bootstrap_string", "string"}});
  all["OwnAddress"] = object_schema({{"address", "string"},
                                     {"source", "string"},
                                     {"state", "string"},
                                     {"checked", "string?"},
                                     {"servers", "integer"}});
  all["Nat"] = object_schema({{"mapping", "string"}, {"observers", "integer"}});
  all["Relay"] = object_schema({{"peer_id", "string"}, {"expires", "string"}});
  all["Relaying"] =
      object_schema({{"serves", "string"}, {"reservations", "integer"}, {"circuits", "integer"}});
  all["Netcheck"] = object_schema({{"state", "string"},
                                   {"addresses", "[#OwnAddress]"},
                                   {"nat", "#Nat"},
                                   {"port_mapping", "string"},
                                   {"relays", "[#Relay]"},
                                   {"relaying", "#Relaying"}});
  all["Member"] = object_schema({{"peer_id", "string"},
                                 {"name", "string"},
                                 {"version", "string"},
                                 {"networks", "[string]"},
                                 {"addresses", "[string]"},
                                 {"self", "boolean"},
                                 {"online", "boolean"},
                                 {"path", "string"},
                                 {"round_trip_ms", "number?"},
                                 {"last_contact", "string?"}});
  all["Connection"] = object_schema({{"path", "string"},
                                     {"origin", "string"},
                                     {"security", "string"},
                                     {"round_trip_ms", "number?"},
                                     {"opened", "string"},
                                     {"streams", "integer"},
                                     {"limited", "boolean"},
                                     {"member", "boolean"},
                                     {"used", "boolean"}});
  all["Attempt"] = object_schema({{"address", "string"},
                                  {"how", "string"},
                                  {"started", "string"},
                                  {"took_ms", "number"},
                                  {"result", "string"},
                                  {"reason", "#Fault?"}});
  all["Path"] = object_schema({{"peer_id", "string"},
                               {"name", "string"},
                               {"online", "boolean"},
                               {"reason", "#Fault?"},
                               {"connections", "[#Connection]"},
                               {"attempts", "[#Attempt]"}});
  all["Network"] =
      object_schema({{"name", "string"}, {"members", "integer"}, {"online", "integer"}});
  all["Registered"] = object_schema({{"peer_id", "string"}});
  all["Ping"] = object_schema({{"peer_id", "string"},
                               {"round_trips_ms", "[number]"},
                               {"min_ms", "number?"},
                               {"mean_ms", "number?"},
                               {"max_ms", "number?"}});
  all["Forwarded"] = object_schema({{"status", "integer"},
                                    {"headers", "object"},
                                    {"body", "string"},
                                    {"body_encoding", "string"}});
  all["Rule"] = object_schema(
      {{"id", "string"},          {"network", "string"},        {"direction", "string"},
       {"kind", "string"},        {"traffic_origin", "string"}, {"traffic_target", "string"},
       {"bind", "string"},        {"port", "integer"},          {"to", "string"},
       {"tags", "[string]"},      {"enabled", "boolean"},       {"state", "string"},
       {"reason", "#Fault?"},     {"connections", "integer"},   {"open", "integer"},
       {"failures", "integer"},   {"bytes_in", "integer"},      {"bytes_out", "integer"},
       {"connect_ms", "number?"}, {"created", "string"}});
  all["RuleCreated"] = object_schema({{"rule", "#Rule"}, {"created", "boolean"}});
  all["RuleChanged"] = object_schema({{"rule", "#Rule"}});
  all["AuditEntry"] = object_schema({{"id", "integer"},
                                     {"time", "string"},
                                     {"user", "string"},
                                     {"role", "string"},
                                     {"address", "string"},
                                     {"action", "string"},
                                     {"detail", "string"},
                                     {"result", "string"}});
  all["Health"] = object_schema({{"status", "string"}});
  all["Metrics"] = {{"type", "object"}};
  all["OpenApi"] = {{"type", "object"}};
  return all;
}

}  // namespace oc::api
