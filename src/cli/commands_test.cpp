// Each command: what it asks the node, and what it prints.
#include "cli/client_fixture.hpp"
#include "crypto/password_hash.hpp"

namespace oc::cli {
namespace {

using nlohmann::json;

constexpr const char* kPeer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";

std::string page_of(const std::string& rows) {
  return R"({"page":1,"limit":100,"total_rows":1,"total_pages":1,"rows":)" + rows + "}";
}

std::string rule(const std::string& state, const std::string& reason) {
  return R"({"id":"r1","network":"home","direction":"egress","kind":"tcp","traffic_origin":")" +
         std::string(kPeer) + R"(:8080","traffic_target":")" + kPeer +
         R"(:80","bind":"127.0.0.1","port":8080,"to":"","tags":["web","a"],"enabled":true,"state":")" +
         state + R"(","reason":)" + reason +
         R"(,"connections":12,"open":1,"failures":0,"bytes_in":1048576,"bytes_out":4096,)"
         R"("connect_ms":18.2,"created":"2026-01-02T03:04:05Z"})";
}

class CommandsTest : public ClientTest {
 protected:
  // The command's only request, as "METHOD target body".
  std::string asked(const std::vector<std::string>& args, const std::string& answered) {
    requests_.clear();
    answer(200, answered);
    const Run result = run(args);
    EXPECT_EQ(result.status, kDone) << result.err;
    EXPECT_EQ(requests_.size(), 1u);
    if (requests_.empty()) return {};
    const std::string& text = request(0).body;
    return request(0).method + " " + request(0).target + (text.empty() ? "" : " " + text);
  }
};

using OneRequest = CommandsTest;

TEST_F(OneRequest, identity) {
  EXPECT_EQ(asked({"identity"}, "{}"), "GET /api/v1/federation/identity");
}
TEST_F(OneRequest, netcheck) { EXPECT_EQ(asked({"netcheck"}, "{}"), "GET /api/v1/netcheck"); }
TEST_F(OneRequest, nodes) {
  EXPECT_EQ(asked({"nodes", "-ls"}, page_of("[]")),
            "GET /api/v1/federation/nodes/list?page=1&limit=1000");
}
TEST_F(OneRequest, networks) {
  EXPECT_EQ(asked({"networks"}, page_of("[]")),
            "GET /api/v1/federation/networks/list?page=1&limit=1000");
}
TEST_F(OneRequest, register_peer) {
  EXPECT_EQ(asked({"register", "--b64", "eyJ9"}, "{}"),
            R"(POST /api/v1/federation/nodes/register {"bootstrap_string":"eyJ9"})");
}
TEST_F(OneRequest, ping) {
  EXPECT_EQ(asked({"ping", "n/s", "-c", "2"}, R"({"round_trips_ms":[1]})"),
            "GET /api/v1/federation/nodes/n%2Fs/ping?count=2");
}
TEST_F(OneRequest, path) {
  EXPECT_EQ(asked({"path", "n/s"}, "{}"), "GET /api/v1/federation/nodes/n%2Fs/path");
}
TEST_F(OneRequest, metrics) { EXPECT_EQ(asked({"metrics"}, "{}"), "GET /api/v1/metrics"); }
TEST_F(OneRequest, proxies) {
  EXPECT_EQ(asked({"proxies"}, page_of("[]")),
            "GET /api/v1/federation/proxies/list?page=1&limit=1000");
}
TEST_F(OneRequest, delete_proxy) {
  EXPECT_EQ(asked({"delete-proxy", "a b"}, "{}"), "DELETE /api/v1/federation/proxies/a%20b");
}
TEST_F(OneRequest, enable_proxy) {
  EXPECT_EQ(asked({"enable-proxy", "r1"}, "{}"), "POST /api/v1/federation/proxies/r1/enable");
}
TEST_F(OneRequest, disable_proxy) {
  EXPECT_EQ(asked({"disable-proxy", "r1"}, "{}"), "POST /api/v1/federation/proxies/r1/disable");
}
TEST_F(OneRequest, sessions) {
  EXPECT_EQ(asked({"sessions"}, page_of("[]")), "GET /api/v1/user/sessions/list?page=1&limit=1000");
}
TEST_F(OneRequest, end_of_a_session) {
  EXPECT_EQ(asked({"sessions", "--end", "0a1b"}, "{}"), "DELETE /api/v1/user/sessions/0a1b");
}
TEST_F(OneRequest, audit) {
  EXPECT_EQ(asked({"audit", "--limit", "7"}, page_of("[]")),
            "GET /api/v1/audit/list?page=1&limit=7");
}
TEST_F(OneRequest, request_of_any_path) {
  EXPECT_EQ(asked({"request", "get", "metrics?x=1"}, "{}"), "GET /api/v1/metrics?x=1");
  EXPECT_EQ(asked({"request", "POST", "/api/v1/x", "-d", "{\"a\": 1}"}, "{}"),
            "POST /api/v1/x {\"a\": 1}");
}

TEST_F(CommandsTest, proxy_sends_what_was_given_and_nothing_else) {
  EXPECT_EQ(asked({"proxy", "--direction", "egress", "--traffic-origin", "a:1", "--traffic-target",
                   "b:2", "--kind", "tcp"},
                  R"({"created":true,"rule":)" + rule("up", "null") + "}"),
            R"(POST /api/v1/federation/nodes/proxy {"direction":"egress","kind":"tcp",)"
            R"("traffic_origin":"a:1","traffic_target":"b:2"})");
  asked({"proxy",    "-direction", "ingress",     "-kind",        "tcp",    "--origin", "*",
         "--target", "b:2",        "--network",   "home",         "--bind", "::1",      "--port",
         "81",       "--to",       "unix:/run/x", "--key-prefix", "k",      "--tag",    "t",
         "--tag",    "u",          "--disabled",  "--expires-in", "2h"},
        "{}");
  EXPECT_EQ(body(0), json::parse(R"({"direction":"ingress","kind":"tcp","traffic_origin":"*",
    "traffic_target":"b:2","network":"home","bind":"::1","port":81,"to":"unix:/run/x",
    "key_prefix":"k","tags":["t","u"],"disabled":true,"expires_in_seconds":7200})"));
}

TEST_F(CommandsTest, proxy_prints_the_rule_and_says_whether_it_is_new) {
  answer(201, R"({"created":true,"rule":)" + rule("up", "null") + "}");
  answer(200, R"({"created":false,"rule":)" + rule("up", "null") + "}");
  const std::vector<std::string> args = {"proxy", "--direction", "egress", "--kind", "tcp"};
  const Run first = run(args);
  EXPECT_EQ(first.err, "the rule is created\n");
  EXPECT_NE(first.out.find("r1"), std::string::npos);
  EXPECT_EQ(run(args).err, "the rule was there already\n");
}

TEST_F(CommandsTest, expiry_times_are_checked_before_anything_is_sent) {
  for (const char* bad : {"0s", "2y", "h", "-1s", "2h30m", "99999999999999999999s", "1e3"}) {
    const Run result =
        run({"proxy", "--direction", "egress", "--kind", "tcp", "--expires-in", bad});
    EXPECT_EQ(result.status, kUsageError) << bad;
  }
  EXPECT_TRUE(requests_.empty());
}

TEST_F(CommandsTest, proxies_show_state_and_reason) {
  answer(200,
         page_of("[" + rule("down", R"({"code":"OC-3104","message":"nobody listens","hint":"h"})") +
                 "]"));
  EXPECT_EQ(run({"proxies"}).out,
            "ID  NETWORK  DIRECTION  KIND  ORIGIN                TARGET              HERE"
            "            STATE  OPEN  TOTAL  IN       OUT      TAGS    REASON\n"
            "r1  home     egress     tcp   12D3KooWD3ecki…:8080  12D3KooWD3ecki…:80  127.0.0.1:8080"
            "  down   1     12     1.0 MiB  4.0 KiB  web, a  OC-3104: nobody listens\n");
}

TEST_F(CommandsTest, lists_are_fetched_to_their_end_and_printed_as_one_array) {
  json full = json::array();
  for (int i = 0; i < 1000; ++i) full.push_back({{"id", i}});
  answer(200, page_of(full.dump()));
  answer(200, page_of(R"([{"id":1000}])"));
  const Run result = run({"proxies", "--json"});
  EXPECT_EQ(json::parse(result.out).size(), 1001u);
  ASSERT_EQ(requests_.size(), 2u);
  EXPECT_EQ(request(1).target, "/api/v1/federation/proxies/list?page=2&limit=1000");
}

TEST_F(CommandsTest, identity_b64_prints_the_string_and_nothing_else) {
  answer(200, R"({"id":"12D3","bootstrap_string":"eyJpZCI6"})");
  const Run result = run({"identity", "-b64"});
  EXPECT_EQ(result.out, "eyJpZCI6\n");
  EXPECT_EQ(result.err, "");
}

TEST_F(CommandsTest, identity_shows_the_addresses_below_each_other) {
  answer(200, R"({"id":"12D3","name":"nas","version":"0.1.0","networks":["home","lab"],
    "connect_multiadress":["/ip4/192.0.2.1/tcp/1","/ip4/192.0.2.2/tcp/1"],
    "reachability":["reachable"],"bootstrap_string":"x"})");
  EXPECT_EQ(run({"identity"}).out,
            "peer id    12D3\n"
            "name       nas\n"
            "version    0.1.0\n"
            "networks   home, lab\n"
            "addresses  /ip4/192.0.2.1/tcp/1 (reachable)\n"
            "           /ip4/192.0.2.2/tcp/1\n");
}

TEST_F(CommandsTest, netcheck_shows_each_address_and_what_is_known_of_the_nat) {
  answer(200, R"({"state":"reachable","addresses":[
    {"address":"/ip4/192.0.2.1/tcp/1","source":"observed","state":"reachable",
     "checked":"2026-01-02T03:04:05Z","servers":3},
    {"address":"/ip4/10.0.0.2/tcp/1","source":"listened","state":"unknown","checked":null,
     "servers":0}],"nat":{"mapping":"endpoint-independent","observers":2},
    "port_mapping":"none: no router answered","relays":[{"peer_id":"R",
    "expires":"2026-01-02T04:04:05Z"}],
    "relaying":{"serves":"members","reservations":3,"circuits":1}})");
  EXPECT_EQ(run({"netcheck"}).out,
            "from the internet  reachable\n"
            "NAT mapping        endpoint-independent (2 observers)\n"
            "port mapping       none: no router answered\n"
            "relay              R (until 2026-01-02T04:04:05Z)\n"
            "relays for         members (3 reservations, 1 circuits)\n"
            "\n"
            "ADDRESS               FOUND     STATE      CHECKED               BY\n"
            "/ip4/192.0.2.1/tcp/1  observed  reachable  2026-01-02T03:04:05Z  3\n"
            "/ip4/10.0.0.2/tcp/1   listened  unknown\n");
}

TEST_F(CommandsTest, nodes_shows_every_member_and_the_path_to_it) {
  answer(200, page_of(R"([
    {"peer_id":"A","name":"nas","version":"0.1.0","networks":["home"],"self":true,"online":true,
     "path":"","round_trip_ms":null,"last_contact":null},
    {"peer_id":"B","name":"pi","version":"0.1.0","networks":["home"],"self":false,"online":true,
     "path":"direct tcp /ip4/192.0.2.1/tcp/1985","round_trip_ms":12.54,
     "last_contact":"2026-01-02T03:04:05Z"}])"));
  EXPECT_EQ(run({"nodes", "-ls"}).out,
            "PEER ID  NAME  VERSION  NETWORKS  STATUS    ROUND TRIP  LAST CONTACT          PATH\n"
            "A        nas   0.1.0    home      (self)\n"
            "B        pi    0.1.0    home      (online)  12.5 ms     2026-01-02T03:04:05Z  "
            "direct tcp /ip4/192.0.2.1/tcp/1985\n");
}

TEST_F(CommandsTest, path_shows_what_there_is_and_what_was_tried) {
  answer(200, R"({"peer_id":"B","name":"pi","online":true,"reason":null,"connections":[
    {"path":"direct tcp /ip4/192.0.2.1/tcp/1985","origin":"punched","security":"/tls/1.0.0",
     "round_trip_ms":12.54,"opened":"2026-01-02T03:04:06Z","streams":3,"limited":false,
     "member":true,"used":true},
    {"path":"circuit via R /ip4/192.0.2.9/tcp/1985","origin":"accepted","security":"/noise",
     "round_trip_ms":null,"opened":"2026-01-02T03:04:05Z","streams":0,"limited":true,
     "member":true,"used":false}],"attempts":[
    {"address":"/ip4/192.0.2.1/tcp/1985","how":"punched","started":"2026-01-02T03:04:06Z",
     "took_ms":60.1,"result":"connected","reason":null},
    {"address":"/ip4/10.0.0.1/tcp/1985","how":"punched","started":"2026-01-02T03:04:06Z",
     "took_ms":60.2,"result":"not needed","reason":null},
    {"address":"/ip4/192.0.2.1/tcp/1985","how":"dialed","started":"2026-01-02T03:03:05Z",
     "took_ms":10000.0,"result":"failed",
     "reason":{"code":"OC-2005","message":"it took too long","hint":""}}]})");
  EXPECT_EQ(run({"path", "pi"}).out,
            "peer id  B\n"
            "name     pi\n"
            "status   online\n"
            "\n"
            "   PATH                                   CAME ABOUT  ROUND TRIP  SECURITY    STREAMS "
            " LIMITED  SINCE\n"
            "*  direct tcp /ip4/192.0.2.1/tcp/1985     punched     12.5 ms     /tls/1.0.0  3       "
            " no       2026-01-02T03:04:06Z\n"
            "   circuit via R /ip4/192.0.2.9/tcp/1985  accepted                /noise      0       "
            " yes      2026-01-02T03:04:05Z\n"
            "\n"
            "ADDRESS TRIED            HOW      AT                    TOOK        RESULT\n"
            "/ip4/192.0.2.1/tcp/1985  punched  2026-01-02T03:04:06Z  60.1 ms     connected\n"
            "/ip4/10.0.0.1/tcp/1985   punched  2026-01-02T03:04:06Z  60.2 ms     not needed\n"
            "/ip4/192.0.2.1/tcp/1985  dialed   2026-01-02T03:03:05Z  10000.0 ms  OC-2005: it took "
            "too long\n");
}

TEST_F(CommandsTest, path_to_a_member_that_is_offline_says_why) {
  answer(200, R"({"peer_id":"B","name":"pi","online":false,"reason":{"code":"OC-2002",
    "message":"node B cannot be reached","hint":""},"connections":[],"attempts":[]})");
  EXPECT_NE(run({"path", "pi"}).out.find("status   offline: OC-2002: node B cannot be reached\n"),
            std::string::npos);
}

TEST_F(CommandsTest, ping_without_an_answer_is_a_failure) {
  answer(200, R"({"peer_id":"A","round_trips_ms":[],"min_ms":null,"mean_ms":null,"max_ms":null})");
  const Run result = run({"ping", "nas"});
  EXPECT_EQ(result.status, kFailed);
  EXPECT_TRUE(result.err.starts_with("OC-2005: node nas answered none of 4 pings — "))
      << result.err;
}

TEST_F(CommandsTest, ping_shows_least_mean_and_most) {
  answer(
      200,
      R"({"peer_id":"A","round_trips_ms":[12.1,11.9],"min_ms":11.9,"mean_ms":12.0,"max_ms":12.1})");
  EXPECT_EQ(run({"ping", "nas", "-c", "3"}).out,
            "PEER ID  ANSWERED  LEAST    MEAN     MOST\n"
            "A        2 of 3    11.9 ms  12.0 ms  12.1 ms\n");
}

TEST_F(CommandsTest, metrics_are_flattened_for_people) {
  answer(200, R"({"cpu":{"cores":[1,2.5]},"node":{"version":"0.1.0","up":true,"x":null}})");
  EXPECT_EQ(run({"metrics"}).out,
            "FIGURE        VALUE\n"
            "cpu.cores.0   1\n"
            "cpu.cores.1   2.5\n"
            "node.up       true\n"
            "node.version  0.1.0\n"
            "node.x\n");
}

TEST_F(CommandsTest, request_prints_the_body_as_it_is) {
  answer(200, "{\"a\":  1}");
  EXPECT_EQ(run({"request", "GET", "x"}).out, "{\"a\":  1}\n");
  const json all = json::parse(run({"request", "GET", "x", "--json"}).out);
  EXPECT_EQ(all["status"], 200);
  EXPECT_EQ(all["body"], "{\"a\":  1}");
}

TEST_F(CommandsTest, request_of_a_far_node_sends_the_body_as_text_and_decodes_hexadecimal) {
  answer(200, R"({"status":200,"headers":{},"body":"00ff41","body_encoding":"hex"})");
  const Run result = run({"request", "--node", "nas", "PUT", "/x", "-d", "plain"});
  EXPECT_EQ(result.out, std::string("\0\xff"
                                    "A\n",
                                    4));
  EXPECT_EQ(body(0), json::parse(R"({"method":"PUT","path":"/x","body":"plain"})"));
}

TEST_F(CommandsTest, request_that_is_refused_fails) {
  answer_wrapped(404, R"({"error":{"code":"OC-1007","message":"no such path","hint":""}})");
  const Run result = run({"request", "--node", "nas", "GET", "/x"});
  EXPECT_EQ(result.status, kFailed);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "OC-1007: no such path\n");
}

TEST_F(CommandsTest, audit_shows_who_did_what) {
  answer(200, page_of(R"([{"id":17,"time":"T","user":"admin","role":"admin","address":"127.0.0.1",
    "action":"POST /x","detail":"d","result":"201"}])"));
  EXPECT_EQ(run({"audit"}).out,
            "TIME  USER   ROLE   FROM       RESULT  ACTION   DETAIL\n"
            "T     admin  admin  127.0.0.1  201     POST /x  d\n");
}

TEST_F(CommandsTest, sessions_mark_the_own_one) {
  answer(200, page_of(R"([{"id":"0a","user":"admin","role":"admin","address":"127.0.0.1",
    "created":"C","expires":"E","current":true}])"));
  EXPECT_EQ(run({"sessions"}).out,
            "ID  USER   ROLE   FROM       SINCE  UNTIL\n"
            "0a  admin  admin  127.0.0.1  C      E      (this one)\n");
}

TEST_F(CommandsTest, hash_password_needs_no_node_and_prints_only_the_hash) {
  typed_ = {"correct horse"};
  const Run result = run({"hash-password"});
  EXPECT_EQ(result.status, kDone) << result.err;
  EXPECT_TRUE(connections_.empty());
  ASSERT_TRUE(result.out.ends_with('\n'));
  EXPECT_TRUE(
      crypto::verify_password("correct horse", result.out.substr(0, result.out.size() - 1)));
}

TEST_F(CommandsTest, hash_password_asks_a_person_twice) {
  interactive_ = true;
  typed_ = {"one", "two"};
  const Run result = run({"hash-password"});
  EXPECT_EQ(result.status, kFailed);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "OC-1001: the two passwords differ — try again\n");
  EXPECT_EQ(prompts_, (std::vector<std::string>{"Password: (hidden)", "Again: (hidden)"}));
}

}  // namespace
}  // namespace oc::cli
