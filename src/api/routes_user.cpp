#include "api/routes.hpp"
#include "api/views.hpp"
#include "crypto/sha.hpp"

namespace oc::api {
namespace {

using Answer = Outcome<net::HttpResponse>;

std::string cookie(const std::string& token, std::chrono::seconds life, bool secure) {
  return fmt::format("session_id={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", token,
                     life.count(), secure ? "; Secure" : "");
}

awaitable<Answer> login(const RouteContext& context, Call& call) {
  std::string name = call.body["email"].get<std::string>();
  std::string password = call.body["password"].get<std::string>();
  call.audit_detail = name;
  auto login = co_await context.authenticator.login(call, std::move(name), std::move(password));
  if (!login) co_return login.error();
  call.caller.name = login->session.user;
  call.caller.role = role_of(login->session.role);
  Json body = {{"session_id", login->token}, {"expires", iso8601(login->session.expires)}};
  body["user"] = {{"name", login->session.user}, {"role", login->session.role}};
  net::HttpResponse response = json_response(body);
  response.headers.emplace_back(
      "Set-Cookie", cookie(login->token, Authenticator::kSessionLife, context.secure_cookies));
  co_return response;
}

awaitable<Answer> logout(const RouteContext& context, Call& call) {
  bool ended = false;
  if (call.caller.session) {
    auto result = co_await context.store.sessions.end(call.caller.session->token_hash);
    if (!result) co_return result.error();
    ended = *result;
  }
  net::HttpResponse response = json_response({{"logged_out", ended}});
  response.headers.emplace_back("Set-Cookie",
                                cookie("", std::chrono::seconds(0), context.secure_cookies));
  co_return response;
}

awaitable<Answer> show_self(const RouteContext&, Call& call) {
  Json body = {{"expires", nullptr}};
  body["user"] = {{"name", call.caller.name}, {"role", to_string(call.caller.role)}};
  if (call.caller.session) body["expires"] = iso8601(call.caller.session->expires);
  co_return json_response(body);
}

awaitable<Answer> list_sessions(const RouteContext& context, Call& call) {
  CO_TRY(const Paging paging, paging_of(call));
  auto sessions = co_await context.store.sessions.list(context.clock.wall_now());
  if (!sessions) co_return sessions.error();
  Json rows = Json::array();
  for (const store::SessionRow& session : *sessions) {
    const bool current =
        call.caller.session && call.caller.session->token_hash == session.token_hash;
    rows.push_back(to_json(session, current));
  }
  co_return page_response(paging, rows);
}

awaitable<Answer> end_session(const RouteContext& context, Call& call) {
  const std::string id = call.parameters["id"];
  auto sessions = co_await context.store.sessions.list(context.clock.wall_now());
  if (!sessions) co_return sessions.error();
  for (const store::SessionRow& session : *sessions) {
    if (session_id_of(session) != id) continue;
    auto ended = co_await context.store.sessions.end(session.token_hash);
    if (!ended) co_return ended.error();
    co_return json_response({{"id", id}});
  }
  co_return Fault(FaultCode::unknown_route, "there is no session " + id,
                  "`GET user/sessions/list` lists the sessions");
}

}  // namespace

void add_user_routes(Router& router, const RouteContext& context) {
  const auto bind = [&context](auto function) -> Handler {
    return [&context, function](Call& call) { return function(context, call); };
  };
  const Fields credentials = {
      {"email", FieldType::line, true, "the root user's name, or a network's name", 256},
      {"password", FieldType::text, true, "the password", 1024},
  };
  router.add({"POST",
              "/api/v1/user/login",
              Role::anyone,
              "Open a session",
              {},
              credentials,
              "Login",
              false,
              bind(login)});
  router.add({"POST",
              "/api/v1/user/logout",
              Role::reader,
              "End the session",
              {},
              {},
              "Logout",
              false,
              bind(logout)});
  router.add({"GET",
              "/api/v1/user/self",
              Role::reader,
              "Who the caller is",
              {},
              {},
              "Self",
              false,
              bind(show_self)});
  router.add({"GET",
              "/api/v1/user/sessions/list",
              Role::admin,
              "The open sessions",
              {},
              {},
              "Session",
              true,
              bind(list_sessions)});
  router.add({"DELETE",
              "/api/v1/user/sessions/{id}",
              Role::admin,
              "End a session",
              {},
              {},
              "Id",
              false,
              bind(end_session)});
}

}  // namespace oc::api
