// The API's parts that need no server: schema, router, origin check, login limiter.
#include <gtest/gtest.h>

#include "api/login_limiter.hpp"
#include "api/origin_check.hpp"
#include "api/router.hpp"

namespace oc::api {
namespace {

using namespace std::chrono_literals;

TEST(ParseJson, takes_json_and_refuses_everything_else) {
  EXPECT_TRUE(parse_json(R"({"a":[1,2,{"b":"ü"}]})"));
  EXPECT_TRUE(parse_json(R"({"a":{"x":1},"b":{"x":1}})")) << "the same name in two objects";
  for (const char* text :
       {"", "{", "{\"a\":}", "nul", "{\"a\":1}x", "\"\\ud800\"", "\"\xff\"", "{'a':1}", "[1,]",
        "NaN", "{\"a\":1,\"a\":2}", "[{\"a\":1,\"b\":{},\"a\":2}]"}) {
    auto parsed = parse_json(text);
    EXPECT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, FaultCode::bad_request) << text;
  }
}

TEST(ParseJson, survives_any_depth) {
  for (const std::size_t depth : {33u, 1000u, 100'000u}) {
    EXPECT_FALSE(parse_json(std::string(depth, '[') + std::string(depth, ']'))) << depth;
    EXPECT_FALSE(parse_json(std::string(depth, '['))) << depth;
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i) objects += "{\"a\":";
    EXPECT_FALSE(parse_json(objects)) << depth;
  }
  EXPECT_TRUE(parse_json(std::string(32, '[') + std::string(32, ']')));
}

TEST(CheckFields, names_the_field_that_is_wrong) {
  const Fields fields = {{"name", FieldType::line, true, "", 5},
                         {"port", FieldType::integer, false, "", 65535},
                         {"on", FieldType::boolean, false, ""},
                         {"tags", FieldType::lines, false, "", 3},
                         {"note", FieldType::text, false, "", 5}};
  const auto checked = check_fields(
      Json::parse(R"({"name":"a","port":1,"on":true,"tags":["x"],"note":"a\nb"})"), fields);
  ASSERT_TRUE(checked);
  EXPECT_EQ((*checked)["port"], 1);
  EXPECT_EQ(check_fields(Json::parse(R"({"name":"a","port":null})"), fields)->size(), 1u);

  const std::vector<std::pair<const char*, const char*>> wrong = {
      {R"([])", "object"},
      {R"({})", "name"},
      {R"({"name":null})", "name"},
      {R"({"name":1})", "name"},
      {R"({"name":"123456"})", "name"},
      {R"({"name":"a\nb"})", "name"},
      {R"({"name":"a\u0000"})", "name"},
      {R"({"name":"a","port":-1})", "port"},
      {R"({"name":"a","port":1.5})", "port"},
      {R"({"name":"a","port":1e308})", "port"},
      {R"({"name":"a","port":65536})", "port"},
      {R"({"name":"a","port":"1"})", "port"},
      {R"({"name":"a","on":1})", "on"},
      {R"({"name":"a","tags":"x"})", "tags"},
      {R"({"name":"a","tags":["abcd"]})", "tags"},
      {R"({"name":"a","nmae":"b"})", "nmae"},
  };
  for (const auto& [text, field] : wrong) {
    const auto refused = check_fields(Json::parse(text), fields);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().message.find(field), std::string::npos) << refused.error().message;
  }
}

Router sample_router() {
  Router router;
  for (const char* path : {"/", "/a/list", "/a/{id}", "/a/{id}/x"})
    router.add({"GET", path, Role::reader, "", {}, {}, "", false, {}});
  router.add({"DELETE", "/a/{id}", Role::admin, "", {}, {}, "", false, {}});
  return router;
}

TEST(Router, finds_the_first_route_that_fits) {
  const Router router = sample_router();
  EXPECT_EQ(router.match("GET", "/").route->path, "/");
  EXPECT_EQ(router.match("GET", "/a/list").route->path, "/a/list");
  EXPECT_EQ(router.match("HEAD", "/a/b").route->path, "/a/{id}");
  EXPECT_EQ(router.match("DELETE", "/a/b").route->role, Role::admin);
  EXPECT_EQ(router.match("GET", "/a/%C3%BC%20b/x").parameters.at("id"), "ü b");
}

TEST(Router, tells_a_wrong_method_from_an_unknown_path) {
  const Router router = sample_router();
  const auto wrong = router.match("POST", "/a/b");
  EXPECT_EQ(wrong.route, nullptr);
  EXPECT_EQ(wrong.allow, "GET, HEAD, DELETE");
  for (const char* path :
       {"", "/b", "/a", "/a/", "/a//x", "//a/b", "/a/b/", "/a/b/x/y", "/a/../a/b/c", "/A/list",
        "/a/%00", "/a/%0a", "/a/%ff", "/a/%c0%ae", "/a/%2", "/a/%zz"}) {
    const auto unknown = router.match("GET", path);
    EXPECT_EQ(unknown.route, nullptr) << path;
    EXPECT_EQ(unknown.allow, "") << path;
  }
}

TEST(ParseQuery, decodes_and_keeps_the_first_of_a_name) {
  const auto query = parse_query("a=1&b=x+y%26&&c&a=2");
  ASSERT_TRUE(query);
  EXPECT_EQ(*query, (std::map<std::string, std::string>{{"a", "1"}, {"b", "x y&"}, {"c", ""}}));
  EXPECT_FALSE(parse_query("a=%0"));
  EXPECT_FALSE(parse_query("a=%00"));
}

TEST(OriginCheck, takes_known_names_and_literals_as_host) {
  const std::vector<std::string> names = {"node.example"};
  for (const char* host : {"localhost", "LOCALHOST:1984", "127.0.0.1:1984", "192.0.2.1", "[::1]",
                           "[2001:db8::1]:1984", "node.example", "Node.Example:443"}) {
    EXPECT_TRUE(is_own_host(host, names)) << host;
  }
  for (const char* host : {"",
                           "evil.example",
                           "localhost.evil.example",
                           "localhost.",
                           "evil-localhost",
                           "localhost:",
                           "localhost:x",
                           "localhost:123456",
                           "user@localhost",
                           "localhost@evil.example",
                           "localhost:1@evil.example",
                           "::1",
                           "[::1",
                           "[::1]x",
                           "[::1]:",
                           "[localhost]",
                           "[127.0.0.1]",
                           "[fe80::1%eth0]",
                           "127.1",
                           "0x7f.1",
                           "2130706433",
                           "127.0.0.1.evil.example",
                           "127.0.0.1.nip.io",
                           "localhost evil",
                           "node.example.evil",
                           "localhost,evil"}) {
    EXPECT_FALSE(is_own_host(host, names)) << host;
  }
}

TEST(OriginCheck, an_origin_must_be_of_the_same_authority) {
  const auto own = [](net::HttpHeaders headers) { return is_own_origin(headers, {}); };
  EXPECT_TRUE(own({{"Host", "localhost:1984"}}));
  EXPECT_TRUE(own({{"Host", "localhost:1984"}, {"Origin", "http://localhost:1984"}}));
  EXPECT_TRUE(own({{"Host", "192.0.2.1"}, {"Origin", "https://192.0.2.1"}}));
  for (const char* origin :
       {"null", "", "http://evil.example", "http://localhost", "http://localhost:1985",
        "localhost:1984", "http://localhost:1984/", "http://localhost:1984.evil", "file://",
        "http://user@localhost:1984"}) {
    EXPECT_FALSE(own({{"Host", "localhost:1984"}, {"Origin", origin}})) << origin;
  }
  EXPECT_FALSE(own({}));
  EXPECT_FALSE(own({{"Host", "localhost"}, {"Host", "localhost"}}));
  EXPECT_FALSE(
      own({{"Host", "localhost"}, {"Origin", "http://localhost"}, {"Origin", "http://evil"}}));
}

const TimePoint kStart{std::chrono::hours(1)};

TEST(LoginLimiter, lets_a_few_attempts_through_and_then_waits_longer_and_longer) {
  LoginLimiter limiter;
  for (int i = 0; i < LoginLimiter::kFree; ++i)
    EXPECT_FALSE(limiter.begin("a", "root", kStart)) << i;
  EXPECT_EQ(limiter.begin("a", "root", kStart), 1s);
  TimePoint now = kStart;
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    EXPECT_EQ(limiter.begin("a", "root", now), wait);
    now += wait;
    EXPECT_FALSE(limiter.begin("a", "root", now));
  }
}

TEST(LoginLimiter, nobody_is_locked_out_by_another_address) {
  LoginLimiter limiter;
  for (int i = 0; i < 1000; ++i) (void)limiter.begin("attacker", "root", kStart);
  EXPECT_FALSE(limiter.begin("office", "root", kStart));
}

TEST(LoginLimiter, an_address_that_tries_many_users_is_slowed_down) {
  LoginLimiter limiter;
  int through = 0;
  for (int i = 0; i < 1000; ++i) through += !limiter.begin("a", "user" + std::to_string(i), kStart);
  EXPECT_EQ(through, LoginLimiter::kBurst);
  EXPECT_TRUE(limiter.begin("a", "x", kStart + 9s));
  EXPECT_FALSE(limiter.begin("a", "y", kStart + 10s));
}

TEST(LoginLimiter, success_and_time_forgive) {
  LoginLimiter limiter;
  for (int round = 0; round < 200; ++round) {
    EXPECT_FALSE(limiter.begin("a", "root", kStart)) << round;
    limiter.succeeded("a", "root");
  }
  for (int i = 0; i < LoginLimiter::kFree; ++i) (void)limiter.begin("a", "root", kStart);
  const TimePoint later = kStart + LoginLimiter::kMemory + 1s;
  for (int i = 0; i < LoginLimiter::kFree; ++i) EXPECT_FALSE(limiter.begin("a", "root", later));
}

TEST(LoginLimiter, counts_an_ipv6_address_as_its_64) {
  LoginLimiter limiter;
  for (int i = 0; i < LoginLimiter::kFree; ++i)
    (void)limiter.begin("2001:db8::" + std::to_string(i), "root", kStart);
  EXPECT_TRUE(limiter.begin("2001:db8::ffff", "root", kStart));
  EXPECT_FALSE(limiter.begin("2001:db8:0:1::1", "root", kStart));
}

TEST(LoginLimiter, its_tables_are_bounded) {
  LoginLimiter limiter;
  for (int i = 0; i < 10'000; ++i)
    (void)limiter.begin("a" + std::to_string(i), "root", kStart + std::chrono::milliseconds(i));
  EXPECT_LE(limiter.entries(), 2 * LoginLimiter::kMaxEntries);
}

}  // namespace
}  // namespace oc::api
