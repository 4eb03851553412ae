#include <algorithm>

#include "api/routes.hpp"
#include "api/views.hpp"
#include "codec/utf8.hpp"
#include "net/http_head.hpp"

namespace oc::api {
namespace {

using Answer = Outcome<net::HttpResponse>;

constexpr std::size_t kMaxPings = 20;

awaitable<Answer> show_identity(const RouteContext& context, Call&) {
  co_return json_response(to_json(context.node.identity()));
}

awaitable<Answer> list_nodes(const RouteContext& context, Call& call) {
  CO_TRY(const Paging paging, paging_of(call));
  auto members = context.node.members();
  sort_for_display(members);
  Json rows = Json::array();
  for (const MemberView& member : members) rows.push_back(to_json(member));
  co_return page_response(paging, rows);
}

awaitable<Answer> list_networks(const RouteContext& context, Call& call) {
  CO_TRY(const Paging paging, paging_of(call));
  co_return page_response(paging, networks_json(context.node.identity(), context.node.members()));
}

awaitable<Answer> register_node(const RouteContext& context, Call& call) {
  auto peer = context.node.register_peer(call.body["bootstrap_string"].get<std::string>());
  if (!peer) co_return peer.error();
  call.audit_detail = *peer;
  co_return json_response({{"peer_id", *peer}});
}

awaitable<Answer> ping(const RouteContext& context, Call& call) {
  CO_TRY(const std::size_t count, number_of(call, "count", 4, 1, kMaxPings));
  CO_TRY(std::string peer, context.node.resolve_peer(call.parameters["peer"]));
  auto result = co_await context.node.ping(peer, static_cast<int>(count));
  if (!result) co_return result.error();
  co_return json_response(to_json(peer, *result));
}

awaitable<Answer> show_path(const RouteContext& context, Call& call) {
  CO_TRY(std::string peer, context.node.resolve_peer(call.parameters["peer"]));
  auto path = co_await context.node.path(std::move(peer));
  if (!path) co_return path.error();
  co_return json_response(to_json(*path));
}

// The request that the body describes.
Outcome<net::HttpRequest> request_of(Json& body) {
  static constexpr std::array<std::string_view, 6> kMethods = {"GET", "HEAD",  "POST",
                                                               "PUT", "PATCH", "DELETE"};
  net::HttpRequest request;
  request.method = body["method"].get<std::string>();
  request.target = body["path"].get<std::string>();
  if (std::find(kMethods.begin(), kMethods.end(), request.method) == kMethods.end()) {
    return Fault(FaultCode::bad_request,
                 "the field 'method' must be one of GET, HEAD, POST, PUT, PATCH, DELETE");
  }
  if (!net::is_origin_form(request.target)) {
    return Fault(FaultCode::bad_request,
                 "the field 'path' must be a path from '/', percent-encoded where needed");
  }
  if (body.contains("body")) {
    const Json& content = body["body"];
    request.body = content.is_string()
                       ? content.get<std::string>()
                       : content.dump(-1, ' ', false, Json::error_handler_t::replace);
    request.headers.emplace_back("Content-Type", "application/json");
  }
  if (body.contains("session_id")) {
    const std::string token = body["session_id"].get<std::string>();
    if (!is_token_form(token))
      return Fault(FaultCode::bad_request, "the field 'session_id' is no session id");
    request.headers.emplace_back("Authorization", "Bearer " + token);
  }
  return request;
}

// A reader may have others asked only what it could ask this node.
bool reader_may_forward(const Router& router, const net::HttpRequest& request) {
  if (request.method != "GET") return false;
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  const Router::Match match = router.match("GET", path);
  return match.route != nullptr && match.route->role <= Role::reader;
}

Json forwarded_json(const net::HttpResponse& response) {
  Json headers = Json::object();
  for (const auto& [name, value] : response.headers) {
    std::string key = name;
    std::transform(key.begin(), key.end(), key.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    headers[key] = headers.contains(key) ? headers[key].get<std::string>() + ", " + value : value;
  }
  const bool text = codec::is_utf8(response.body);
  return {{"status", response.status},
          {"headers", headers},
          {"body", text ? response.body : to_hex(as_bytes(response.body))},
          {"body_encoding", text ? "text" : "hex"}};
}

awaitable<Answer> forward(const RouteContext& context, Call& call) {
  CO_TRY(net::HttpRequest request, request_of(call.body));
  call.audited = request.method != "GET" && request.method != "HEAD";
  if (call.caller.role < Role::admin && !reader_may_forward(context.router, request)) {
    call.audited = false;
    co_return Fault(FaultCode::forbidden,
                    "a reader may only send GET requests to routes that readers may use");
  }
  CO_TRY(std::string peer, context.node.resolve_peer(call.parameters["peer"]));
  call.audit_detail =
      request.method + " " + request.target.substr(0, request.target.find('?')) + " on " + peer;
  auto response = co_await context.node.request(std::move(peer), std::move(request));
  if (!response) co_return response.error();
  co_return json_response(forwarded_json(*response));
}

}  // namespace

void add_federation_routes(Router& router, const RouteContext& context) {
  const auto bind = [&context](auto function) -> Handler {
    return [&context, function](Call& call) { return function(context, call); };
  };
  const std::string base = "/api/v1/federation";
  router.add({"GET",
              base + "/identity",
              Role::reader,
              "This node's identity",
              {},
              {},
              "Identity",
              false,
              bind(show_identity)});
  router.add({"GET",
              base + "/nodes/list",
              Role::reader,
              "The members of this node's networks",
              {},
              {},
              "Member",
              true,
              bind(list_nodes)});
  router.add({"GET",
              base + "/networks/list",
              Role::reader,
              "The networks of this node",
              {},
              {},
              "Network",
              true,
              bind(list_networks)});
  const Fields bootstrap = {{"bootstrap_string", FieldType::line, true,
                             "what `open-chat client identity -b64` prints", 16 * 1024}};
  router.add({"POST",
              base + "/nodes/register",
              Role::admin,
              "Add a peer by its bootstrap string",
              {},
              bootstrap,
              "Registered",
              false,
              bind(register_node)});
  const Fields count = {
      {"count", FieldType::integer, false, "how many, 1 to 20; default 4", kMaxPings}};
  router.add({"GET",
              base + "/nodes/{peer}/ping",
              Role::reader,
              "Measure round trips to a member",
              count,
              {},
              "Ping",
              false,
              bind(ping)});
  router.add({"GET",
              base + "/nodes/{peer}/path",
              Role::reader,
              "The connections to a member, and what was tried to get them",
              {},
              {},
              "Path",
              false,
              bind(show_path)});
  const Fields request = {
      {"method", FieldType::line, true, "GET, HEAD, POST, PUT, PATCH or DELETE", 16},
      {"path", FieldType::line, true, "path and query, from '/'", 4096},
      {"body", FieldType::any, false, "a string is sent as it is, anything else as JSON"},
      {"session_id", FieldType::line, false, "a session of the other node", 64},
  };
  for (const char* path : {"/nodes/peer/{peer}/request", "/nodes/{peer}/request"}) {
    router.add({"POST",
                base + path,
                Role::reader,
                "Send a request to another member",
                {},
                request,
                "Forwarded",
                false,
                bind(forward)});
  }
}

}  // namespace oc::api
