#include "api/api_server.hpp"

#include "api/api_fixture.hpp"
#include "net/fake_stream.hpp"

namespace oc::api {
namespace {

using namespace std::chrono_literals;
using ApiServerTest = test::ApiTest;

// Each route once, with a body and path that fit.
std::vector<test::Ask> every_route(const Router& router) {
  std::vector<test::Ask> asks;
  for (const Route& route : router.routes()) {
    test::Ask ask;
    ask.method = route.method;
    ask.target = route.path;
    for (const char* name : {"{peer}", "{id}"}) {
      const auto at = ask.target.find(name);
      if (at != std::string::npos) ask.target.replace(at, std::strlen(name), "nas");
    }
    asks.push_back(ask);
  }
  return asks;
}

TEST_F(ApiServerTest, every_route_asks_for_its_role) {
  const std::string reads = reader();
  for (const test::Ask& ask_it : every_route(server->router())) {
    const Route& route = *server->router().match(ask_it.method, ask_it.target).route;
    test::Ask call = ask_it;
    const auto stranger = ask(call);
    EXPECT_EQ(code(stranger) == "OC-4001", route.role != Role::anyone)
        << call.method << call.target;
    EXPECT_EQ(stranger.status == 401, route.role != Role::anyone)
        << call.method << call.target << stranger.body;
    call.token = reads;
    if (call.target == "/api/v1/user/logout") continue;
    const auto read = ask(call);
    EXPECT_EQ(code(read) == "OC-4003", route.role == Role::admin)
        << call.method << call.target << read.body;
    call.token.clear();
    call.peer_id = "12D3KooWnas";
    const auto member = ask(call);
    EXPECT_EQ(code(member) == "OC-4003", route.role == Role::admin)
        << call.method << call.target << member.body;
  }
}

TEST_F(ApiServerTest, root_logs_in_as_admin_and_a_network_as_reader) {
  const auto root = try_login("root", "secret");
  EXPECT_EQ(root.status, 200);
  const Json body = json(root);
  EXPECT_EQ(body["user"], (Json{{"name", "root"}, {"role", "admin"}}));
  const std::string token = body["session_id"].get<std::string>();
  EXPECT_EQ(net::find_header(root.headers, "set-cookie"),
            "session_id=" + token + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800");
  const Json self = json(ask({.target = "/api/v1/user/self", .token = reader()}));
  EXPECT_EQ(self["user"], (Json{{"name", "home"}, {"role", "reader"}}));
  const Json by_cookie = json(
      ask({.target = "/api/v1/user/self", .headers = {{"Cookie", "a=b; session_id=" + token}}}));
  EXPECT_EQ(by_cookie["user"]["role"], "admin");
}

TEST_F(ApiServerTest, the_store_never_sees_a_token) {
  const std::string token = admin();
  run([&]() -> awaitable<void> {
    auto sessions = co_await store->sessions.list(clock.wall_now());
    EXPECT_EQ(sessions->size(), 1u);
    EXPECT_NE(to_hex(sessions->front().token_hash), token);
  });
}

TEST_F(ApiServerTest, wrong_credentials_look_and_cost_the_same) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"root", "wrong"},    {"home", "wrong"},  {"nobody", "secret"},
      {"nobody", "sesame"}, {"home", "secret"}, {"root", "sesame"},
      {"root", ""},         {"", ""},           {"ROOT", "secret"}};
  std::set<std::string> bodies;
  for (const auto& [name, password] : wrong) {
    verified = derived = 0;
    const auto response = try_login(name, password, name + password);
    EXPECT_EQ(response.status, 401) << name;
    EXPECT_EQ(code(response), "OC-4002");
    EXPECT_EQ(verified, 1) << name;
    EXPECT_EQ(derived, 1) << name;
    bodies.insert(response.body);
  }
  EXPECT_EQ(bodies.size(), 1u);
}

TEST_F(ApiServerTest, well_known_passwords_do_not_work) {
  for (const char* password : {"admin", "password", "changeme", "root", ""}) {
    EXPECT_EQ(try_login("admin", password, password).status, 401);
    EXPECT_EQ(try_login("root", password, password).status, 401);
  }
}

TEST_F(ApiServerTest, guessing_is_slowed_down_and_the_administrator_is_not_locked_out) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(try_login("root", "guess").status, 401);
  net::HttpResponse refused;
  for (int i = 0; i < 20; ++i) {
    refused = ask({.method = "POST",
                   .target = "/api/v1/user/login",
                   .body = R"({"email":"root","password":"guess"})",
                   .headers = {{"X-Forwarded-For", "203.0.113." + std::to_string(i)}}});
    EXPECT_EQ(refused.status, 429);
  }
  EXPECT_EQ(code(refused), "OC-4004");
  EXPECT_EQ(net::find_header(refused.headers, "retry-after"), "1");
  EXPECT_EQ(try_login("root", "secret").status, 429) << "also the right password has to wait there";
  EXPECT_EQ(try_login("root", "secret", "198.51.100.1").status, 200) << "but not elsewhere";
  clock.advance(1s);
  EXPECT_EQ(try_login("root", "secret").status, 200);
}

TEST_F(ApiServerTest, sessions_end_by_logout_by_time_and_by_the_administrator) {
  const std::string first = admin(), second = reader();
  const Json page = json(ask({.target = "/api/v1/user/sessions/list", .token = first}));
  EXPECT_EQ(page["total_rows"], 2);
  std::string other;
  for (const Json& row : page["rows"]) {
    EXPECT_EQ(row["current"], row["user"] == "root");
    if (row["user"] == "home") other = row["id"].get<std::string>();
  }
  EXPECT_EQ(ask({.target = "/api/v1/user/self", .token = second}).status, 200);
  EXPECT_EQ(
      ask({.method = "DELETE", .target = "/api/v1/user/sessions/" + other, .token = first}).status,
      200);
  EXPECT_EQ(ask({.target = "/api/v1/user/self", .token = second}).status, 401);
  EXPECT_EQ(
      ask({.method = "DELETE", .target = "/api/v1/user/sessions/" + other, .token = first}).status,
      404);

  const auto out = ask({.method = "POST", .target = "/api/v1/user/logout", .token = first});
  EXPECT_EQ(json(out)["logged_out"], true);
  EXPECT_NE(net::find_header(out.headers, "set-cookie")->find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(ask({.target = "/api/v1/user/self", .token = first}).status, 401);

  const std::string third = admin();
  clock.advance(Authenticator::kSessionLife - 1s);
  EXPECT_EQ(ask({.target = "/api/v1/user/self", .token = third}).status, 200);
  clock.advance(1s);
  EXPECT_EQ(ask({.target = "/api/v1/user/self", .token = third}).status, 401);
}

TEST_F(ApiServerTest, nonsense_instead_of_a_token_is_no_session) {
  for (const std::string& token :
       {std::string("x"), std::string(64, 'g'), std::string(63, 'a'), std::string(10'000, 'a'),
        std::string("' OR 1=1 --"), std::string(64, 'a')}) {
    EXPECT_EQ(ask({.target = "/api/v1/user/self", .token = token}).status, 401);
  }
}

TEST_F(ApiServerTest, a_foreign_host_or_origin_is_refused) {
  const std::string token = admin();
  for (const net::HttpHeaders& headers :
       std::vector<net::HttpHeaders>{{{"Host", "evil.example"}},
                                     {{"Host", "localhost@evil.example"}},
                                     {{"Host", "localhost"}, {"Origin", "http://evil.example"}},
                                     {{"Host", "localhost"}, {"Origin", "null"}}}) {
    const auto response =
        ask({.target = "/api/v1/federation/identity", .token = token, .headers = headers});
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(code(response), "OC-4005");
  }
  EXPECT_EQ(ask({.target = "/api/v1/federation/identity",
                 .token = token,
                 .headers = {{"Host", "node.example"}}})
                .status,
            200);
  EXPECT_EQ(ask({.target = "/api/v1/federation/identity",
                 .peer_id = "p",
                 .headers = {{"Host", "12D3KooWself"}}})
                .status,
            200);
}

TEST_F(ApiServerTest, only_json_bodies_are_taken) {
  const std::string token = admin();
  const std::string body = R"({"bootstrap_string":"good"})",
                    target = "/api/v1/federation/nodes/register";
  for (const char* type :
       {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
        "application/jsonp", "text/plain; application/json"}) {
    const auto response = ask({.method = "POST",
                               .target = target,
                               .body = body,
                               .token = token,
                               .headers = {{"Content-Type", type}}});
    EXPECT_EQ(response.status, 415) << type;
    EXPECT_EQ(code(response), "OC-1006");
  }
  EXPECT_EQ(ask({.method = "POST",
                 .target = target,
                 .body = body,
                 .token = token,
                 .headers = {{"Content-Type", "Application/JSON ; charset=utf-8"}}})
                .status,
            200);
  for (const char* wrong : {"", "[]", "{}", "{\"bootstrap_string\":1}",
                            "{\"bootstrap_string\":\"good\",\"x\":1}", "nonsense"}) {
    const auto response = ask({.method = "POST", .target = target, .body = wrong, .token = token});
    EXPECT_EQ(response.status, 400) << wrong;
    EXPECT_EQ(code(response), "OC-1006");
  }
}

TEST_F(ApiServerTest, unknown_paths_and_methods_are_told_apart) {
  const auto method = ask({.target = "/api/v1/user/login"});
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(net::find_header(method.headers, "allow"), "POST");
  for (const char* path :
       {"/api", "/api/v1/", "/api/v2/user/self", "//etc/passwd", "/../etc/passwd",
        "/%2e%2e/etc/passwd", "/api/v1/user/self/", "/api/v1/user%2fself"}) {
    const auto response = ask({.target = path});
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(code(response), "OC-1007");
  }
}

TEST_F(ApiServerTest, lists_are_paged) {
  const std::string token = reader();
  const auto list = [&](const std::string& query) {
    return ask({.target = "/api/v1/federation/nodes/list" + query, .token = token});
  };
  Json page = json(list(""));
  EXPECT_EQ(page["page"], 1);
  EXPECT_EQ(page["limit"], 100);
  EXPECT_EQ(page["total_rows"], 3);
  EXPECT_EQ(page["total_pages"], 1);
  EXPECT_EQ(page["rows"][0]["self"], true);
  page = json(list("?limit=2&page=2"));
  EXPECT_EQ(page["total_pages"], 2);
  EXPECT_EQ(page["rows"].size(), 1u);
  EXPECT_TRUE(json(list("?page=1000000000&limit=1000"))["rows"].empty());
  for (const char* query : {"?page=0", "?limit=0", "?limit=1001", "?page=-1", "?page=x",
                            "?page=", "?page=1.5", "?page=99999999999999999999", "?page=%zz"}) {
    EXPECT_EQ(list(query).status, 400) << query;
  }
}

TEST_F(ApiServerTest, text_that_is_no_utf8_does_not_break_an_answer) {
  const Json page = json(ask({.target = "/api/v1/federation/nodes/list", .token = reader()}));
  ASSERT_TRUE(page.is_object());
  EXPECT_EQ(page["rows"][1]["name"], "a\xef\xbf\xbd\"lost");
}

TEST_F(ApiServerTest, networks_are_counted) {
  const Json page = json(ask({.target = "/api/v1/federation/networks/list", .token = reader()}));
  EXPECT_EQ(
      page["rows"],
      Json::parse(
          R"([{"name":"home","members":3,"online":2},{"name":"lab","members":1,"online":1}])"));
}

TEST_F(ApiServerTest, ping_takes_any_way_of_naming_a_peer) {
  const std::string token = reader();
  const Json pinged =
      json(ask({.target = "/api/v1/federation/nodes/12D3KooWn/ping?count=3", .token = token}));
  EXPECT_EQ(
      pinged,
      Json::parse(
          R"({"peer_id":"12D3KooWnas","round_trips_ms":[1.0,2.0,3.0],"min_ms":1.0,"mean_ms":2.0,"max_ms":3.0})"));
  EXPECT_EQ(ask({.target = "/api/v1/federation/nodes/nas/ping?count=21", .token = token}).status,
            400);
  EXPECT_EQ(code(ask({.target = "/api/v1/federation/nodes/nobody/ping", .token = token})),
            "OC-1009");
  const auto lost = ask({.target = "/api/v1/federation/nodes/12D3KooWlost/ping", .token = token});
  EXPECT_EQ(code(lost), "OC-2002");
  EXPECT_EQ(lost.status, 502);
}

TEST_F(ApiServerTest, a_request_is_forwarded_with_the_other_nodes_session_only) {
  const std::string token = admin(), other(64, 'b');
  const Json body = {
      {"method", "POST"}, {"path", "/api/v1/x?y=z"}, {"body", {{"a", 1}}}, {"session_id", other}};
  const auto response = ask({.method = "POST",
                             .target = "/api/v1/federation/nodes/peer/nas/request",
                             .body = body.dump(),
                             .token = token});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json(response),
            Json::parse(R"({"status":200,"headers":{"content-type":"application/json","x-a":"1, 2"},
                                           "body":"{\"a\":1}","body_encoding":"text"})"));
  EXPECT_EQ(node.forwarded_to, "12D3KooWnas");
  EXPECT_EQ(node.forwarded.method, "POST");
  EXPECT_EQ(node.forwarded.target, "/api/v1/x?y=z");
  EXPECT_EQ(node.forwarded.body, R"({"a":1})");
  EXPECT_EQ(node.forwarded.headers, (net::HttpHeaders{{"Content-Type", "application/json"},
                                                      {"Authorization", "Bearer " + other}}));
  node.forward_answer.body = "\xff\x01";
  const Json binary = json(ask({.method = "POST",
                                .target = "/api/v1/federation/nodes/nas/request",
                                .body = R"({"method":"GET","path":"/x","body":"as it is"})",
                                .token = token}));
  EXPECT_EQ(binary["body"], "ff01");
  EXPECT_EQ(binary["body_encoding"], "hex");
  EXPECT_EQ(node.forwarded.body, "as it is");
  EXPECT_FALSE(net::find_header(node.forwarded.headers, "authorization"));
}

TEST_F(ApiServerTest, a_forwarded_request_cannot_smuggle) {
  const std::string token = admin();
  for (const Json& body :
       std::vector<Json>{{{"method", "GET / HTTP/1.1\r\nX: y"}, {"path", "/"}},
                         {{"method", "get"}, {"path", "/"}},
                         {{"method", "CONNECT"}, {"path", "/"}},
                         {{"method", "GET"}, {"path", "/ HTTP/1.1"}},
                         {{"method", "GET"}, {"path", "/\r\nX: y"}},
                         {{"method", "GET"}, {"path", "x"}},
                         {{"method", "GET"}, {"path", "http://evil/"}},
                         {{"method", "GET"}, {"path", "/ü"}},
                         {{"method", "GET"}, {"path", "/"}, {"session_id", "x\r\ny"}},
                         {{"method", "GET"}, {"path", "/"}, {"session_id", "short"}}}) {
    const auto response = ask({.method = "POST",
                               .target = "/api/v1/federation/nodes/nas/request",
                               .body = body.dump(),
                               .token = token});
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(node.forwarded_to, "") << body;
  }
}

TEST_F(ApiServerTest, a_reader_may_forward_only_what_readers_may_read) {
  const std::string token = reader();
  const auto forward = [&](const char* method, const char* path) {
    const Json body = {{"method", method}, {"path", path}};
    return ask({.method = "POST",
                .target = "/api/v1/federation/nodes/nas/request",
                .body = body.dump(),
                .token = token});
  };
  EXPECT_EQ(forward("GET", "/api/v1/federation/nodes/list?page=1").status, 200);
  EXPECT_EQ(forward("GET", "/api/v1/metrics").status, 200);
  EXPECT_EQ(forward("GET", "/health").status, 200);
  node.forwarded_to.clear();
  for (const auto& [method, path] : std::vector<std::pair<const char*, const char*>>{
           {"GET", "/api/v1/federation/proxies/list"},
           {"GET", "/api/v1/audit/list"},
           {"POST", "/api/v1/user/login"},
           {"POST", "/api/v1/federation/nodes/x/request"},
           {"DELETE", "/api/v1/federation/proxies/1"},
           {"GET", "/unknown"}}) {
    const auto response = forward(method, path);
    EXPECT_EQ(code(response), "OC-4003") << path;
    EXPECT_EQ(node.forwarded_to, "");
  }
}

TEST_F(ApiServerTest, rules_are_made_switched_listed_and_deleted) {
  const std::string token = admin();
  const std::string body =
      R"({"direction":"egress","kind":"tcp","traffic_origin":"a:1","traffic_target":"b:2","network":"home",
    "bind":"0.0.0.0","port":8080,"to":"x:1","key_prefix":"k","tags":["t"],"disabled":true,"expires_in_seconds":60})";
  const test::Ask create{
      .method = "POST", .target = "/api/v1/federation/nodes/proxy", .body = body, .token = token};
  auto response = ask(create);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(json(response)["created"], true);
  EXPECT_EQ(json(response)["rule"]["reason"]["code"], "OC-3108");
  const RuleRequest& got = node.created;
  EXPECT_EQ(std::tie(got.direction, got.kind, got.origin, got.target, got.network, got.bind, got.to,
                     got.key_prefix),
            std::tuple("egress", "tcp", "a:1", "b:2", "home", "0.0.0.0", "x:1", "k"));
  EXPECT_TRUE(got.disabled && got.port == 8080 && got.expires_in_seconds == 60 &&
              got.tags.size() == 1);
  response = ask(create);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json(response)["created"], false);
  EXPECT_EQ(code(ask({.method = "POST",
                      .target = "/api/v1/federation/nodes/proxy",
                      .body = R"({"direction":"egress","kind":"sni"})",
                      .token = token})),
            "OC-3002");

  response =
      ask({.method = "POST", .target = "/api/v1/federation/proxies/rule1/disable", .token = token});
  EXPECT_EQ(json(response)["rule"]["enabled"], false);
  response = ask({.method = "POST",
                  .target = "/api/v1/federation/proxies/rule1/enable",
                  .body = "{}",
                  .token = token});
  EXPECT_EQ(json(response)["rule"]["enabled"], true);
  EXPECT_EQ(json(ask({.target = "/api/v1/federation/proxies/list", .token = token}))["total_rows"],
            1);
  EXPECT_EQ(
      json(ask({.method = "DELETE", .target = "/api/v1/federation/proxies/rule1", .token = token})),
      (Json{{"id", "rule1"}}));
  EXPECT_EQ(
      code(ask({.method = "DELETE", .target = "/api/v1/federation/proxies/rule1", .token = token})),
      "OC-3003");
}

TEST_F(ApiServerTest, a_member_is_a_reader_and_with_a_session_of_this_node_admin) {
  const test::Ask create{.method = "POST",
                         .target = "/api/v1/federation/nodes/proxy",
                         .body = R"({"direction":"egress","kind":"tcp"})",
                         .peer_id = "12D3KooWnas"};
  EXPECT_EQ(code(ask(create)), "OC-4003");
  test::Ask with_session = create;
  with_session.token = admin();
  EXPECT_EQ(ask(with_session).status, 201);
  test::Ask with_stale = create;
  with_stale.token = std::string(64, 'a');
  EXPECT_EQ(code(ask(with_stale)), "OC-4001") << "so that the caller logs in again";
  with_stale.method = "GET";
  with_stale.target = "/api/v1/federation/identity";
  with_stale.body.clear();
  EXPECT_EQ(ask(with_stale).status, 200);
  const Json self = json(ask({.target = "/api/v1/user/self", .peer_id = "12D3KooWnas"}));
  EXPECT_EQ(self, Json::parse(R"({"user":{"name":"12D3KooWnas","role":"reader"},"expires":null})"));
}

TEST_F(ApiServerTest, what_changes_state_is_in_the_audit_log_and_nothing_else) {
  (void)try_login("root", "wrong");
  const std::string token = admin(), reads = reader();
  (void)ask({.target = "/api/v1/federation/nodes/list", .token = token});
  (void)ask({.method = "POST",
             .target = "/api/v1/federation/nodes/register",
             .body = R"({"bootstrap_string":"bad"})",
             .token = token});
  (void)ask({.method = "POST",
             .target = "/api/v1/federation/nodes/register",
             .body = R"({"bootstrap_string":"good"})",
             .token = reads});
  (void)ask({.method = "POST",
             .target = "/api/v1/federation/nodes/nas/request",
             .body = R"({"method":"GET","path":"/health"})",
             .token = reads});
  (void)ask({.method = "POST",
             .target = "/api/v1/federation/nodes/nas/request",
             .body = R"({"method":"POST","path":"/x?secret=1"})",
             .token = token});
  const Json page = json(ask({.target = "/api/v1/audit/list", .token = token}));
  std::string log;
  for (const Json& row : page["rows"]) {
    for (const char* field : {"user", "role", "address", "action", "detail", "result"})
      log += row[field].get<std::string>() + "|";
    log += "\n";
  }
  EXPECT_EQ(
      log,
      "root|admin|192.0.2.9|POST /api/v1/federation/nodes/nas/request|POST /x on 12D3KooWnas|200|\n"
      "root|admin|192.0.2.9|POST /api/v1/federation/nodes/register||400 OC-1003|\n"
      "home|reader|192.0.2.9|POST /api/v1/user/login|home|200|\n"
      "root|admin|192.0.2.9|POST /api/v1/user/login|root|200|\n"
      "|anyone|192.0.2.9|POST /api/v1/user/login|root|401 OC-4002|\n");
}

TEST_F(ApiServerTest, answers_carry_what_keeps_browsers_careful) {
  for (const char* path : {"/", "/health", "/nowhere"}) {
    const auto response = ask({.target = path});
    EXPECT_EQ(net::find_header(response.headers, "x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(net::find_header(response.headers, "cache-control"), "no-store") << path;
  }
  EXPECT_TRUE(net::find_header(ask({.target = "/"}).headers, "content-security-policy"));
  EXPECT_EQ(ask({.target = "/metrics", .token = reader()}).body, "open_chat_up 1\n");
}

awaitable<net::HttpResponse> call_health(net::Stream& stream) {
  net::HttpRequest request;
  request.method = "GET";
  request.target = "/health";
  auto response = co_await net::http_call(stream, std::move(request), "localhost");
  EXPECT_TRUE(response);
  co_return response ? *response : net::HttpResponse{};
}

TEST_F(ApiServerTest, serves_streams_within_its_bounds) {
  run([&]() -> awaitable<void> {
    TaskScope scope(co_await asio::this_coro::executor);
    std::vector<std::unique_ptr<net::Stream>> clients;
    for (std::size_t i = 0; i <= ApiServer::kMaxConnectionsPerAddress; ++i) {
      auto pair = net::make_fake_stream_pair();
      clients.push_back(std::move(pair.first));
      scope.spawn("api", server->serve(std::move(pair.second), "192.0.2.1"));
    }
    const auto first = co_await call_health(*clients.front());
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(server->connections(), ApiServer::kMaxConnectionsPerAddress);
    Byte byte = 0;
    auto refused = co_await clients.back()->read_some({&byte, 1});
    EXPECT_EQ(refused.error(), Errc::reset);

    auto other = net::make_fake_stream_pair();
    scope.spawn("api", server->serve_overlay(std::move(other.second), "12D3KooWnas"));
    const auto through_overlay = co_await call_health(*other.first);
    EXPECT_EQ(through_overlay.status, 200);
    co_await scope.close();
    EXPECT_EQ(server->connections(), 0u);
  });
}

TEST_F(ApiServerTest, refused_http_is_answered_in_the_apis_form) {
  run([&]() -> awaitable<void> {
    TaskScope scope(co_await asio::this_coro::executor);
    auto pair = net::make_fake_stream_pair();
    auto client = std::move(pair.first);
    scope.spawn("api", server->serve(std::move(pair.second), "192.0.2.1"));
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/api/v1/user/login";
    request.body.assign(300'000, 'x');
    auto response = co_await net::http_call(*client, std::move(request), "localhost");
    EXPECT_TRUE(response && response->status == 413);
    EXPECT_TRUE(response && code(*response) == "OC-1008");
    co_await scope.close();
  });
}

}  // namespace
}  // namespace oc::api
