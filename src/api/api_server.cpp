#include "api/api_server.hpp"

#include "api/origin_check.hpp"
#include "base/log.hpp"

namespace oc::api {
namespace {

net::HttpLimits api_limits() {
  net::HttpLimits limits;
  limits.body_bytes = kMaxBodyBytes;
  return limits;
}

void add_common_headers(net::HttpResponse& response) {
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("X-Frame-Options", "DENY");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
}

// What net refused before there was a request.
net::HttpResponse refusal_response(int status) {
  Fault fault(FaultCode::bad_request, "the request is not understood");
  if (status == 408) fault.message = "the request did not come in time";
  if (status == 431) fault.message = "the request's headers are too large";
  if (status == 413) fault = Fault(FaultCode::body_too_large, "the request's body is too large");
  net::HttpResponse response = error_response(fault, status);
  add_common_headers(response);
  return response;
}

bool is_json_type(std::string_view type) {
  const std::string_view media = type.substr(0, type.find(';'));
  return net::equal_ignoring_case(media.substr(0, media.find_last_not_of(" \t") + 1),
                                  "application/json");
}

// Fills call.body from the request, as the route takes it.
Outcome<bool> read_body(const Route& route, Call& call) {
  Json body = Json::object();
  if (!call.request.body.empty()) {
    TRY(body, parse_json(call.request.body));
  }
  TRY(call.body, check_fields(std::move(body), route.body));
  return true;
}

net::HttpResponse no_route(const Router::Match& match, const net::HttpRequest& request,
                           std::string_view path) {
  const std::string what = request.method + " " + std::string(path.substr(0, 200));
  const Fault fault(FaultCode::unknown_route, "there is no " + what);
  if (match.allow.empty()) return error_response(fault);
  net::HttpResponse response = error_response(fault, 405);
  response.headers.emplace_back("Allow", match.allow);
  return response;
}

}  // namespace

// A connection's place among those that are allowed, for as long as it lives.
class ApiServer::Place {
 public:
  Place(Connections& all, std::string source, std::size_t most, std::size_t most_per_source)
      : all_(all), source_(std::move(source)) {
    const auto same = all_.by_source.find(source_);
    granted_ =
        all_.total < most && (same == all_.by_source.end() || same->second < most_per_source);
    if (!granted_) return;
    ++all_.total;
    ++all_.by_source[source_];
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (!granted_) return;
    --all_.total;
    const auto same = all_.by_source.find(source_);
    if (--same->second == 0) all_.by_source.erase(same);
  }
  bool granted() const { return granted_; }

 private:
  Connections& all_;
  std::string source_;
  bool granted_ = false;
};

ApiServer::ApiServer(NodeFace& node, store::Store& store, Clock& clock, Random& random,
                     WorkerPool& password_workers, ApiOptions options)
    : store_(store),
      clock_(clock),
      host_names_(std::move(options.host_names)),
      authenticator_(store, clock, random, password_workers, std::move(options.password_checks)),
      context_{node, store, clock, authenticator_, router_, options.secure_cookies} {
  add_user_routes(router_, context_);
  add_federation_routes(router_, context_);
  add_rule_routes(router_, context_);
  add_node_routes(router_, context_);
}

awaitable<void> ApiServer::serve(std::unique_ptr<net::Stream> stream, std::string remote_address) {
  const Place place(clients_, remote_address, kMaxConnections, kMaxConnectionsPerAddress);
  if (!place.granted()) {
    stream->reset();
    co_return;
  }
  net::RequestOrigin origin;
  origin.address = std::move(remote_address);
  co_await serve_http(std::move(stream), std::move(origin));
}

awaitable<void> ApiServer::serve_overlay(std::unique_ptr<net::Stream> stream, std::string peer_id) {
  const Place place(members_, peer_id, kMaxOverlayStreams, kMaxOverlayStreamsPerPeer);
  if (!place.granted()) {
    stream->reset();
    co_return;
  }
  net::RequestOrigin origin;
  origin.peer_id = std::move(peer_id);
  co_await serve_http(std::move(stream), std::move(origin));
}

awaitable<void> ApiServer::serve_http(std::unique_ptr<net::Stream> stream,
                                      net::RequestOrigin origin) {
  net::HttpHandler handler = [this, origin = std::move(origin)](net::HttpRequest request) {
    return answer(std::move(request), origin);
  };
  net::HttpRefusal refusal = refusal_response;
  const net::HttpLimits limits = api_limits();
  co_await net::serve_http(*stream, clock_, std::move(handler), limits, std::move(refusal));
}

awaitable<net::HttpResponse> ApiServer::answer(net::HttpRequest request,
                                               net::RequestOrigin origin) {
  Call call;
  call.request = std::move(request);
  call.caller.origin = std::move(origin);
  const std::string_view target = call.request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  const Router::Match match = router_.match(call.request.method, path);

  net::HttpResponse response;
  std::optional<FaultCode> fault;
  if (!call.caller.origin.through_overlay() && !is_own_origin(call.request.headers, host_names_)) {
    response = error_response(
        Fault(FaultCode::foreign_origin, "the request's Host or Origin is not this node's"));
  } else if (match.route == nullptr) {
    response = no_route(match, call.request, path);
  } else if (!call.request.body.empty() &&
             !is_json_type(net::find_header(call.request.headers, "content-type").value_or(""))) {
    response = error_response(
        Fault(FaultCode::bad_request, "the body must be of type application/json"), 415);
  } else {
    auto outcome = co_await dispatch(match, call);
    if (!outcome) fault = outcome.error().code;
    response = outcome ? *std::move(outcome) : error_response(outcome.error());
    if (call.audited) co_await audit(call, response, fault);
  }
  if (call.retry_after)
    response.headers.emplace_back("Retry-After", std::to_string(call.retry_after->count()));
  add_common_headers(response);
  co_return response;
}

awaitable<Outcome<net::HttpResponse>> ApiServer::dispatch(const Router::Match& match, Call& call) {
  const Route& route = *match.route;
  call.parameters = match.parameters;
  const std::string_view target = call.request.target;
  const auto mark = target.find('?');
  auto query = parse_query(mark == std::string_view::npos ? "" : target.substr(mark + 1));
  if (!query) co_return Fault(FaultCode::bad_request, "the query is not understood");
  call.query = *std::move(query);

  auto allowed = co_await authenticate(call, route.role);
  if (!allowed) co_return allowed.error();
  // Only calls that were allowed: what strangers try must not push the rest out of the log.
  call.audited = route.changes_state();
  CO_CHECK(read_body(route, call));
  co_return co_await route.handler(call);
}

awaitable<Outcome<bool>> ApiServer::authenticate(Call& call, Role needed) {
  Caller& caller = call.caller;
  if (caller.origin.through_overlay()) {
    caller.role = Role::reader;
    caller.name = caller.origin.peer_id;
  }
  if (needed == Role::anyone) co_return true;
  const std::string token = token_of(call.request.headers);
  if (!token.empty()) {
    auto session = co_await authenticator_.find(token);
    if (!session) co_return session.error();
    caller.session = *std::move(session);
  }
  if (caller.session) {
    caller.role = std::max(caller.role, role_of(caller.session->role));
    caller.name = caller.session->user;
  }
  if (caller.role >= needed) co_return true;
  // A token that is no (longer a) session: whoever sends it should log in, not think it may not.
  const bool stale = !token.empty() && !caller.session;
  if (caller.role == Role::anyone || stale) {
    co_return Fault(FaultCode::not_logged_in, "the request carries no valid session");
  }
  co_return Fault(FaultCode::forbidden,
                  "this needs the role admin, and the caller is " + to_string(caller.role));
}

awaitable<void> ApiServer::audit(Call& call, const net::HttpResponse& response,
                                 std::optional<FaultCode> fault) {
  store::AuditRow row;
  row.when = clock_.wall_now();
  row.user = call.caller.name;
  row.role = to_string(call.caller.role);
  row.address = call.caller.address();
  row.action =
      call.request.method + " " + call.request.target.substr(0, call.request.target.find('?'));
  row.detail = call.audit_detail;
  row.result = std::to_string(response.status);
  if (fault) row.result += fmt::format(" OC-{}", static_cast<int>(*fault));
  auto added = co_await store_.audit.add(std::move(row));
  if (!added) log::warn("a call is missing in the audit log: {}", added.error().to_string());
}

}  // namespace oc::api
