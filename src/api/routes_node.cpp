#include "api/openapi.hpp"
#include "api/routes.hpp"
#include "api/views.hpp"

namespace oc::api {
namespace {

using Answer = Outcome<net::HttpResponse>;

constexpr const char* kPage = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Open-Chat</title>
<h1>Open-Chat</h1>
<p>This is a node of a private peer-to-peer network. Talk to it with its command line:</p>
<pre>open-chat client login
open-chat client nodes -ls
open-chat client --help</pre>
<p>Its API is described in <a href="/api/openapi.json">/api/openapi.json</a>.</p>
</html>
)";

net::HttpResponse response_of(std::string type, std::string body) {
  net::HttpResponse response;
  response.headers.emplace_back("Content-Type", std::move(type));
  response.body = std::move(body);
  return response;
}

awaitable<Answer> show_page(const RouteContext&, Call&) {
  net::HttpResponse response = response_of("text/html; charset=utf-8", kPage);
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; frame-ancestors 'none'");
  co_return response;
}

awaitable<Answer> show_health(const RouteContext&, Call&) {
  co_return json_response({{"status", "ok"}});
}

awaitable<Answer> show_metrics(const RouteContext& context, Call&) {
  co_return response_of("application/json", context.node.metrics_json());
}

awaitable<Answer> show_netcheck(const RouteContext& context, Call&) {
  co_return json_response(to_json(context.node.netcheck()));
}

awaitable<Answer> show_prometheus(const RouteContext& context, Call&) {
  co_return response_of("text/plain; version=0.0.4; charset=utf-8",
                        context.node.metrics_prometheus());
}

awaitable<Answer> show_description(const RouteContext& context, Call&) {
  co_return json_response(openapi_document(context.router, context.node.identity().version));
}

awaitable<Answer> list_audit(const RouteContext& context, Call& call) {
  CO_TRY(const Paging paging, paging_of(call));
  auto page = co_await context.store.audit.page(paging.skip(), paging.limit);
  if (!page) co_return page.error();
  Json rows = Json::array();
  for (const store::AuditRow& row : page->rows) rows.push_back(to_json(row));
  co_return page_response(paging, page->total, std::move(rows));
}

}  // namespace

void add_node_routes(Router& router, const RouteContext& context) {
  const auto bind = [&context](auto function) -> Handler {
    return [&context, function](Call& call) { return function(context, call); };
  };
  router.add({"GET",
              "/",
              Role::anyone,
              "A page that says what this is",
              {},
              {},
              "",
              false,
              bind(show_page)});
  router.add({"GET",
              "/health",
              Role::anyone,
              "Whether the node runs",
              {},
              {},
              "Health",
              false,
              bind(show_health)});
  router.add({"GET",
              "/metrics",
              Role::reader,
              "Figures in Prometheus' text format",
              {},
              {},
              "",
              false,
              bind(show_prometheus)});
  router.add({"GET",
              "/api/openapi.json",
              Role::anyone,
              "This description",
              {},
              {},
              "OpenApi",
              false,
              bind(show_description)});
  router.add({"GET",
              "/api/v1/metrics",
              Role::reader,
              "Figures of host and node",
              {},
              {},
              "Metrics",
              false,
              bind(show_metrics)});
  router.add({"GET",
              "/api/v1/netcheck",
              Role::reader,
              "Whether others can reach this node, and at which addresses",
              {},
              {},
              "Netcheck",
              false,
              bind(show_netcheck)});
  router.add({"GET",
              "/api/v1/audit/list",
              Role::admin,
              "State-changing calls",
              {},
              {},
              "AuditEntry",
              true,
              bind(list_audit)});
}

}  // namespace oc::api
