// What holds for every command: sessions, --node, faults, exit statuses.
#include "cli/client.hpp"

#include <algorithm>

#include "cli/client_fixture.hpp"

namespace oc::cli {
namespace {

using nlohmann::json;

constexpr const char* kLoggedIn =
    R"({"session_id":"5e55","user":{"name":"admin","role":"admin"},"expires":"2026-01-09T03:04:05Z"})";
constexpr const char* kEmptyList =
    R"({"page":1,"limit":100,"total_rows":0,"total_pages":0,"rows":[]})";

TEST_F(ClientTest, login_keeps_the_session_for_the_next_command) {
  answer(200, kLoggedIn);
  typed_ = {"admin", "pass word"};
  const Run login = run({"login"});
  EXPECT_EQ(login.status, kDone) << login.err;
  EXPECT_EQ(login.out, "USER   ROLE   UNTIL\nadmin  admin  2026-01-09T03:04:05Z\n");
  EXPECT_EQ(prompts_, (std::vector<std::string>{"User name: ", "Password: (hidden)"}));
  EXPECT_EQ(request(0).method, "POST");
  EXPECT_EQ(request(0).target, "/api/v1/user/login");
  EXPECT_EQ(body(0), json::parse(R"({"email":"admin","password":"pass word"})"));
  EXPECT_EQ(header(0, "Content-Type"), "application/json");
  EXPECT_EQ(header(0, "Authorization"), "");

  run({"whoami"});
  EXPECT_EQ(request(1).target, "/api/v1/user/self");
  EXPECT_EQ(header(1, "Authorization"), "Bearer 5e55");
  run({"whoami", "--host", "other:80"});
  EXPECT_EQ(header(2, "Authorization"), "") << "a session is of one host";
  EXPECT_EQ(connections_,
            (std::vector<std::string>{"localhost:1984", "localhost:1984", "other:80"}));
}

TEST_F(ClientTest, login_asks_only_for_what_is_not_given) {
  answer(200, kLoggedIn);
  environment_["OPEN_CHAT_PASSWORD"] = "from environment";
  EXPECT_EQ(run({"login", "--email", "a"}).status, kDone);
  EXPECT_EQ(body(0)["password"], "from environment");
  EXPECT_EQ(run({"login", "-username", "a", "-password", "from flag"}).status, kDone);
  EXPECT_EQ(body(1)["password"], "from flag");
  EXPECT_TRUE(prompts_.empty());
}

TEST_F(ClientTest, login_without_anybody_to_ask_is_a_fault) {
  const Run nobody = run({"login"});
  EXPECT_EQ(nobody.status, kFailed);
  EXPECT_EQ(nobody.err,
            "OC-1001: there is no user name to log in with — type it, or give --username NAME\n");
  EXPECT_NE(run({"login", "--username", "a"}).err.find("no password"), std::string::npos);
  EXPECT_TRUE(requests_.empty());
}

TEST_F(ClientTest, wrong_credentials_keep_nothing_and_repeat_no_password) {
  answer(401,
         R"({"error":{"code":"OC-4002","message":"user name or password is wrong","hint":"h"}})");
  const Run refused = run({"login", "--username", "admin", "--password", "hunter2"});
  EXPECT_EQ(refused.status, kFailed);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(refused.err, "OC-4002: user name or password is wrong — h\n");
  EXPECT_FALSE(std::filesystem::exists(home_.path() + "/.local"));
}

TEST_F(ClientTest, login_with_json_gives_the_session_to_programs) {
  answer(200, kLoggedIn);
  const Run login = run({"login", "--json", "--username", "a", "--password", "b"});
  EXPECT_EQ(json::parse(login.out), json::parse(kLoggedIn));
}

TEST_F(ClientTest, logout_ends_and_forgets_the_session) {
  answer(200, kLoggedIn);
  run({"login", "--username", "a", "--password", "b"});
  answer(200, R"({"logged_out":true})");
  const Run logout = run({"logout"});
  EXPECT_EQ(logout.status, kDone);
  EXPECT_EQ(logout.out, "");
  EXPECT_EQ(request(1).target, "/api/v1/user/logout");
  EXPECT_EQ(header(1, "Authorization"), "Bearer 5e55");
  run({"whoami"});
  EXPECT_EQ(header(2, "Authorization"), "");
}

TEST_F(ClientTest, logout_forgets_a_session_that_the_node_no_longer_knows) {
  answer(200, kLoggedIn);
  run({"login", "--username", "a", "--password", "b"});
  answer(401, R"({"error":{"code":"OC-4001","message":"not logged in","hint":""}})");
  EXPECT_EQ(run({"logout"}).status, kFailed);
  run({"whoami"});
  EXPECT_EQ(header(2, "Authorization"), "");
}

TEST_F(ClientTest, a_session_by_flag_wins_over_the_environment_and_over_the_kept_one) {
  answer(200, kLoggedIn);
  run({"login", "--username", "a", "--password", "b"});
  environment_["OPEN_CHAT_SESSION_ID"] = "e";
  run({"whoami"});
  EXPECT_EQ(header(1, "Authorization"), "Bearer e");
  run({"whoami", "--session-id", "f"});
  EXPECT_EQ(header(2, "Authorization"), "Bearer f");
}

TEST_F(ClientTest, host_comes_from_flag_then_environment) {
  answer(200, kEmptyList);
  environment_["OPEN_CHAT_HOST"] = "http://nas:1";
  run({"nodes"});
  run({"--host", "http://pi:2", "nodes"});
  EXPECT_EQ(connections_, (std::vector<std::string>{"nas:1", "pi:2"}));
}

TEST_F(ClientTest, node_runs_a_command_on_another_member) {
  answer_wrapped(200, R"({"cpu":7})");
  const Run metrics = run({"get-metrics", "--node", "n a/s"});
  EXPECT_EQ(metrics.out, "FIGURE  VALUE\ncpu     7\n") << metrics.err;
  EXPECT_EQ(request(0).method, "POST");
  EXPECT_EQ(request(0).target, "/api/v1/federation/nodes/peer/n%20a%2Fs/request");
  EXPECT_EQ(body(0), json::parse(R"({"method":"GET","path":"/api/v1/metrics"})"));
}

TEST_F(ClientTest, login_to_another_member_keeps_its_session_beside_the_own_one) {
  answer(200, kLoggedIn);
  run({"login", "--username", "own", "--password", "x"});
  answer_wrapped(200, R"({"session_id":"fa12","user":{"name":"far","role":"admin"},"expires":""})");
  answer_wrapped(200, R"({"id":"12D3KooWAAAA","name":"nas"})");
  const Run login = run({"login", "--node", "nas", "--username", "far", "--password", "y"});
  EXPECT_EQ(login.status, kDone) << login.err;
  EXPECT_EQ(body(1)["path"], "/api/v1/user/login");
  EXPECT_EQ(json::parse(body(1)["body"].get<std::string>()),
            json::parse(R"({"email":"far","password":"y"})"));
  EXPECT_FALSE(body(1).contains("session_id"));
  EXPECT_EQ(body(2)["path"], "/api/v1/federation/identity");
  EXPECT_EQ(body(2)["session_id"], "fa12");

  for (const char* name : {"nas", "12D3KooWAAAA", "12D3Koo"}) {
    requests_.clear();
    answer_wrapped(200, kEmptyList);
    run({"proxies", "--node", name});
    EXPECT_EQ(body(0)["session_id"], "fa12") << name;
    EXPECT_EQ(header(0, "Authorization"), "Bearer 5e55");
  }
}

TEST_F(ClientTest, a_far_node_that_wants_a_login_says_how) {
  answer_wrapped(403, R"({"error":{"code":"OC-4003","message":"readers may not","hint":"h"}})");
  EXPECT_EQ(run({"proxies", "--node", "nas"}).err,
            "OC-4003: readers may not — run `open-chat client login --node nas` with its root "
            "credentials\n");
}

TEST_F(ClientTest, the_near_nodes_own_faults_are_its_own) {
  answer(502, R"({"error":{"code":"OC-2002","message":"nas is not there","hint":"start it"}})");
  const Run unreachable = run({"get-proxies", "--node", "nas"});
  EXPECT_EQ(unreachable.status, kFailed);
  EXPECT_EQ(unreachable.err, "OC-2002: nas is not there — start it\n");
}

TEST_F(ClientTest, a_code_of_a_newer_node_is_shown_as_it_is) {
  answer(418, R"({"error":{"code":"OC-7777","message":"new trouble","hint":""}})");
  EXPECT_EQ(run({"nodes"}).err, "OC-7777: new trouble\n");
}

TEST_F(ClientTest, nothing_that_steers_a_terminal_comes_through) {
  answer(400, R"({"error":{"code":"OC-1006","message":"a\u001b[2Jb\nOC-0000: fake","hint":""}})");
  EXPECT_EQ(run({"nodes"}).err, "OC-1006: a?[2Jb?OC-0000: fake\n");
}

TEST_F(ClientTest, no_node_at_the_host_is_said_with_the_reason) {
  connect_error_ = boost::system::errc::make_error_code(boost::system::errc::connection_refused);
  const Run run_ = run({"nodes"});
  EXPECT_EQ(run_.status, kFailed);
  EXPECT_EQ(run_.out, "");
  EXPECT_TRUE(run_.err.starts_with(
      "OC-1011: no node answers at http://localhost:1984: Connection refused — "))
      << run_.err;
}

TEST_F(ClientTest, what_is_no_open_chat_node_is_recognised) {
  for (const char* text : {"<html>", "[]", "", R"({"rows":7})", R"({"rows":[7]})"}) {
    answer(200, text);
    const Run run_ = run({"nodes"});
    EXPECT_EQ(run_.status, kFailed) << text;
    EXPECT_TRUE(run_.err.starts_with("OC-1012: http://localhost:1984 answered")) << run_.err;
  }
  answer(502, "<html>bad gateway");
  EXPECT_TRUE(
      run({"whoami"}).err.starts_with("OC-1012: http://localhost:1984 answered with status 502"));
}

TEST_F(ClientTest, an_answer_of_bottomless_nesting_does_no_harm) {
  answer(200, R"({"a":)" + std::string(500'000, '[') + std::string(500'000, ']') + "}");
  EXPECT_EQ(run({"metrics", "--json"}).status, kDone);
}

TEST_F(ClientTest, usage_errors_are_named_and_nothing_is_done) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "a command is missing"},
      {{"frobnicate"}, "there is no command 'frobnicate'"},
      {{"tls", "--hostname", "x"}, "the command tls is not in this version"},
      {{"nodes", "--frobnicate=secret"}, "there is no flag --frobnicate here"},
      {{"login", "hunter2"}, "login was given an argument too many"},
      {{"login", "--passwrd", "hunter2"}, "there is no flag --passwrd here"},
      {{"login", "--password"}, "--password has no value"},
      {{"get-metrics"}, "--node is required"},
      {{"get-proxies"}, "--node is required"},
      {{"register"}, "--b64 is required"},
      {{"delete-proxy"}, "ID is required"},
      {{"ping", "nas", "-c", "21"}, "--count: Value 21 not in range 1 to 20"},
      {{"proxy", "--kind", "tcp"}, "--direction is required"},
      {{"proxy", "--direction", "up", "--kind", "tcp"}, "--direction: up not in {egress,ingress}"},
      {{"nodes", "--host", "https://x"},
       "--host is 'https://x', but this version speaks http only"}};
  for (const auto& [args, message] : cases) {
    const Run run_ = run(args);
    EXPECT_EQ(run_.status, kUsageError) << message;
    EXPECT_EQ(run_.out, "");
    EXPECT_TRUE(run_.err.starts_with("OC-1001: " + message + " — ")) << run_.err;
    EXPECT_EQ(run_.err.find("hunter2"), std::string::npos);
    EXPECT_EQ(run_.err.find("secret"), std::string::npos);
    EXPECT_EQ(std::count(run_.err.begin(), run_.err.end(), '\n'), 1);
  }
  EXPECT_TRUE(connections_.empty());
}

TEST_F(ClientTest, help_goes_to_standard_output) {
  for (const auto& args : std::vector<std::vector<std::string>>{
           {"--help"}, {"-h"}, {"proxy", "--help"}, {"login", "-h"}, {"proxy", "-help"}}) {
    const Run help = run(args);
    EXPECT_EQ(help.status, kDone);
    EXPECT_EQ(help.err, "");
    EXPECT_TRUE(help.out.starts_with("open-chat client ")) << help.out;
  }
  EXPECT_NE(run({"proxy", "--help"}).out.find("--traffic-origin, --origin ORIGIN"),
            std::string::npos);
}

TEST_F(ClientTest, output_that_cannot_be_written_is_a_failure) {
  answer(200, kEmptyList);
  std::ostringstream err;
  std::ostream broken(nullptr);
  const Surroundings world{
      [](const std::string&) { return std::nullopt; },
      [](std::string, std::uint16_t) -> awaitable<Result<std::unique_ptr<net::Stream>>> {
        co_return Errc::closed;
      },
      [](const std::string&, bool) { return std::string("password"); },
      false,
      broken,
      err};
  EXPECT_EQ(run_client(std::vector<std::string>{"hash-password"}, world), kFailed);
  EXPECT_TRUE(err.str().starts_with("OC-6001: the output cannot be written")) << err.str();
}

}  // namespace
}  // namespace oc::cli
