#include "api/routes.hpp"
#include "api/views.hpp"

namespace oc::api {
namespace {

using Answer = Outcome<net::HttpResponse>;

std::string text_of(const Json& body, const char* name) {
  return body.contains(name) ? body[name].get<std::string>() : std::string();
}

RuleRequest rule_request(const Json& body) {
  RuleRequest request;
  request.direction = text_of(body, "direction");
  request.kind = text_of(body, "kind");
  request.origin = text_of(body, "traffic_origin");
  request.target = text_of(body, "traffic_target");
  request.network = text_of(body, "network");
  request.bind = text_of(body, "bind");
  request.to = text_of(body, "to");
  request.key_prefix = text_of(body, "key_prefix");
  if (body.contains("port")) request.port = body["port"].get<std::uint32_t>();
  if (body.contains("tags")) request.tags = body["tags"].get<std::vector<std::string>>();
  request.disabled = body.value("disabled", false);
  if (body.contains("expires_in_seconds"))
    request.expires_in_seconds = body["expires_in_seconds"].get<std::uint64_t>();
  return request;
}

awaitable<Answer> create_rule(const RouteContext& context, Call& call) {
  RuleRequest request = rule_request(call.body);
  call.audit_detail =
      request.direction + " " + request.kind + " " + request.origin + " -> " + request.target;
  auto created = co_await context.node.create_rule(std::move(request));
  if (!created) co_return created.error();
  const Json body = {{"rule", to_json(created->rule)}, {"created", created->is_new}};
  co_return json_response(body, created->is_new ? 201 : 200);
}

awaitable<Answer> list_rules(const RouteContext& context, Call& call) {
  CO_TRY(const Paging paging, paging_of(call));
  auto rules = context.node.rules();
  std::sort(rules.begin(), rules.end(), [](const RuleView& a, const RuleView& b) {
    return std::tie(a.created, a.id) < std::tie(b.created, b.id);
  });
  Json rows = Json::array();
  for (const RuleView& rule : rules) rows.push_back(to_json(rule));
  co_return page_response(paging, rows);
}

awaitable<Answer> set_enabled(const RouteContext& context, Call& call, bool enabled) {
  auto rule = co_await context.node.enable_rule(call.parameters["id"], enabled);
  if (!rule) co_return rule.error();
  co_return json_response({{"rule", to_json(*rule)}});
}

awaitable<Answer> enable_rule(const RouteContext& context, Call& call) {
  return set_enabled(context, call, true);
}
awaitable<Answer> disable_rule(const RouteContext& context, Call& call) {
  return set_enabled(context, call, false);
}

awaitable<Answer> delete_rule(const RouteContext& context, Call& call) {
  const std::string id = call.parameters["id"];
  auto deleted = co_await context.node.delete_rule(id);
  if (!deleted) co_return deleted.error();
  co_return json_response({{"id", id}});
}

Fields rule_fields() {
  return {
      {"direction", FieldType::line, true, "egress or ingress", 16},
      {"kind", FieldType::line, true, "tcp, tls, udp, http or sni", 16},
      {"traffic_origin", FieldType::line, false, "where traffic comes from", 1024},
      {"traffic_target", FieldType::line, false, "where it goes", 4096},
      {"network", FieldType::line, false, "the network; default: the only one", 64},
      {"bind", FieldType::line, false, "address to listen on; default 127.0.0.1", 64},
      {"port", FieldType::integer, false, "port to listen on", 65535},
      {"to", FieldType::line, false, "ingress: HOST:PORT or unix:/path; default 127.0.0.1:<port>",
       512},
      {"key_prefix", FieldType::line, false, "certificate of a tls rule", 128},
      {"tags", FieldType::lines, false, "free labels", 64},
      {"disabled", FieldType::boolean, false, "create it without switching it on"},
      {"expires_in_seconds", FieldType::integer, false, "until it switches itself off",
       10ull * 366 * 24 * 3600},
  };
}

}  // namespace

void add_rule_routes(Router& router, const RouteContext& context) {
  const auto bind = [&context](auto function) -> Handler {
    return [&context, function](Call& call) { return function(context, call); };
  };
  const std::string base = "/api/v1/federation";
  router.add({"POST",
              base + "/nodes/proxy",
              Role::admin,
              "Create a rule",
              {},
              rule_fields(),
              "RuleCreated",
              false,
              bind(create_rule)});
  router.add({"GET",
              base + "/proxies/list",
              Role::admin,
              "The rules",
              {},
              {},
              "Rule",
              true,
              bind(list_rules)});
  router.add({"POST",
              base + "/proxies/{id}/enable",
              Role::admin,
              "Switch a rule on",
              {},
              {},
              "RuleChanged",
              false,
              bind(enable_rule)});
  router.add({"POST",
              base + "/proxies/{id}/disable",
              Role::admin,
              "Switch a rule off",
              {},
              {},
              "RuleChanged",
              false,
              bind(disable_rule)});
  router.add({"DELETE",
              base + "/proxies/{id}",
              Role::admin,
              "Delete a rule",
              {},
              {},
              "Id",
              false,
              bind(delete_rule)});
}

}  // namespace oc::api
