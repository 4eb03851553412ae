#include "node/config.hpp"

#include <gtest/gtest.h>

#include <map>

#include "codec/base64.hpp"
#include "node/config_settings.hpp"

namespace oc::node {
namespace {

constexpr std::string_view kId = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
constexpr const char* kBcrypt = "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m";

std::string bootstrap_string(int port) {
  const std::string json = R"({"id":")" + std::string(kId) +
                           R"(","connect_multiadress":["/ip4/203.0.113.7/tcp/)" +
                           std::to_string(port) + R"("]})";
  return codec::base64_encode(as_bytes(json));
}

class ConfigTest : public ::testing::Test {
 protected:
  using Args = std::vector<std::string>;

  Outcome<NodeCommand> parse(const Args& args) const {
    const auto look_up = [](const std::map<std::string, std::string>& map,
                            const std::string& name) {
      const auto found = map.find(name);
      return found == map.end() ? std::nullopt : std::optional(found->second);
    };
    return parse_node_command_line(
        args, [&](const std::string& name) { return look_up(environment_, name); },
        [&](const std::string& path) -> Result<std::string> {
          if (auto text = look_up(files_, path)) return *text;
          return Errc::not_found;
        });
  }
  NodeConfig config(const Args& args) const {
    auto command = parse(args);
    EXPECT_TRUE(command) << command.error().to_string();
    return command ? std::get<NodeConfig>(*command) : NodeConfig{};
  }
  // "message — hint", or "(accepted)".
  std::string fault(const Args& args) const {
    const auto command = parse(args);
    if (command) return "(accepted)";
    EXPECT_EQ(command.error().to_string().find('\n'), std::string::npos);
    return command.error().message + " — " + command.error().hint;
  }

  std::map<std::string, std::string> environment_{{"HOME", "/home/u"}};
  std::map<std::string, std::string> files_;
};

TEST_F(ConfigTest, nothing_given_is_told_from_defaults_given) {
  const NodeConfig none = config({});
  EXPECT_TRUE(none.networks.empty());
  EXPECT_FALSE(none.root);
  EXPECT_FALSE(none.host);
  EXPECT_FALSE(none.port);
  EXPECT_FALSE(none.p2p_port);
  EXPECT_FALSE(none.name);
  EXPECT_EQ(none.log_level, log::Level::info);
  EXPECT_EQ(config({"--port", "1984"}).port, kDefaultPort);
}

TEST_F(ConfigTest, the_articles_commands_are_understood) {
  const NodeConfig first = config(
      {"--default-network-credentials", "home:pass:word", "--root-credentials", "admin:secret"});
  ASSERT_EQ(first.networks.size(), 1u);
  EXPECT_EQ(first.networks[0].name, "home");
  EXPECT_EQ(first.networks[0].password, "pass:word");
  EXPECT_EQ(first.root->user, "admin");
  EXPECT_EQ(first.root->secret, "secret");
  EXPECT_FALSE(first.root->hashed);

  const NodeConfig other = config({"-dnc", "home:pw", "-rc", "a:b", "-bs", bootstrap_string(1985)});
  ASSERT_EQ(other.bootstrap.size(), 1u);
  EXPECT_EQ(other.bootstrap[0].id.to_string(), kId);
}

TEST_F(ConfigTest, every_flag_sets_its_setting) {
  const NodeConfig all = config({"-b",
                                 "0.0.0.0",
                                 "-p",
                                 "80",
                                 "-pp2p",
                                 "0",
                                 "--announce",
                                 "/ip4/203.0.113.7/tcp/1",
                                 "-db",
                                 "sqlite",
                                 "-dp",
                                 "/x.db",
                                 "--name",
                                 "nas-1",
                                 "--mdns",
                                 "off",
                                 "--port-mapping",
                                 "off",
                                 "--log-level",
                                 "debug",
                                 "--log-format=json"});
  EXPECT_EQ(all.host, "0.0.0.0");
  EXPECT_EQ(all.port, 80);
  EXPECT_EQ(all.p2p_port, 0);
  ASSERT_EQ(all.announce.size(), 1u);
  EXPECT_EQ(all.announce[0].to_string(), "/ip4/203.0.113.7/tcp/1");
  EXPECT_EQ(all.db_path, "/x.db");
  EXPECT_EQ(all.port_mapping, false);
  EXPECT_EQ(all.name, "nas-1");
  EXPECT_EQ(all.mdns, false);
  EXPECT_EQ(config({"--mdns=on"}).mdns, true);
  EXPECT_EQ(all.log_level, log::Level::debug);
  EXPECT_EQ(all.log_format, log::Format::json);
  EXPECT_EQ(config({"-b", "localhost"}).host, "127.0.0.1");
  EXPECT_EQ(config({"--host", "::1"}).host, "::1");
}

TEST_F(ConfigTest, repeatable_flags_add_up_and_others_take_the_last) {
  EXPECT_EQ(config({"-dnc", "a:1", "-dnc", "b:2"}).networks.size(), 2u);
  EXPECT_EQ(config({"-p", "1", "-p", "2"}).port, 2);
  const std::string both = bootstrap_string(1) + "," + bootstrap_string(2);
  EXPECT_EQ(config({"-bs", both, "-bs", bootstrap_string(3)}).bootstrap.size(), 3u);
}

TEST_F(ConfigTest, a_hash_is_taken_in_place_of_a_root_password) {
  const NodeConfig hashed = config({"-rc", std::string("admin:hashed_") + kBcrypt});
  EXPECT_TRUE(hashed.root->hashed);
  EXPECT_EQ(hashed.root->secret, kBcrypt);
}

TEST_F(ConfigTest, flags_win_over_environment_over_file) {
  files_["node.toml"] = "port = 1\np2pport = 11\nname = 'file'\n";
  environment_["OPEN_CHAT_PORT"] = "2";
  environment_["OPEN_CHAT_P2PPORT"] = "12";
  const NodeConfig merged = config({"--config", "node.toml", "-p", "3"});
  EXPECT_EQ(merged.port, 3);
  EXPECT_EQ(merged.p2p_port, 12);
  EXPECT_EQ(merged.name, "file");
}

TEST_F(ConfigTest, a_list_comes_whole_from_the_strongest_place) {
  files_["node.toml"] = "default-network-credentials = ['a:1', 'b:2']\n";
  environment_["OPEN_CHAT_CONFIG"] = "node.toml";
  EXPECT_EQ(config({}).networks.size(), 2u);
  environment_["OPEN_CHAT_DEFAULT_NETWORK_CREDENTIALS"] = "c:3\nd:4\ne:with,comma\n";
  const NodeConfig merged = config({});
  ASSERT_EQ(merged.networks.size(), 3u);
  EXPECT_EQ(merged.networks[2].password, "with,comma");
  EXPECT_EQ(config({"-dnc", "f:5"}).networks.size(), 1u);
}

TEST_F(ConfigTest, an_empty_variable_is_as_good_as_none) {
  environment_["OPEN_CHAT_PORT"] = "";
  EXPECT_FALSE(config({}).port);
}

TEST_F(ConfigTest, the_clients_open_chat_host_does_not_concern_the_node) {
  environment_["OPEN_CHAT_HOST"] = "http://nas:1984";
  EXPECT_FALSE(config({}).host);
  environment_["OPEN_CHAT_HOST"] = "::";
  EXPECT_EQ(config({}).host, "::");
}

TEST_F(ConfigTest, the_store_has_a_place_by_default) {
  EXPECT_EQ(config({}).db_path, "/home/u/.local/share/open-chat/open-chat.db");
  environment_["XDG_DATA_HOME"] = "relative";
  EXPECT_EQ(config({}).db_path, "/home/u/.local/share/open-chat/open-chat.db");
  environment_["XDG_DATA_HOME"] = "/data";
  EXPECT_EQ(config({}).db_path, "/data/open-chat/open-chat.db");
  environment_.clear();
  EXPECT_EQ(config({}).db_path, "/var/lib/open-chat/open-chat.db");
}

TEST_F(ConfigTest, help_and_version_win_over_mistakes) {
  EXPECT_TRUE(std::holds_alternative<ShowHelp>(*parse({"-p", "x", "--help"})));
  EXPECT_TRUE(std::holds_alternative<ShowVersion>(*parse({"--version"})));
}

TEST_F(ConfigTest, a_bad_value_is_answered_with_flag_fault_and_example) {
  const std::vector<std::pair<Args, std::string>> cases = {
      {{"-p", "99999"},
       "--port is '99999', not a port from 0 to 65535 — write it like --port 1984"},
      {{"--port", "1 "}, "--port is '1 ', not a port from 0 to 65535 — write it like --port 1984"},
      {{"-pp2p", "-1"},
       "--p2pport is '-1', not a port from 0 to 65535 — write it like --p2pport 1985"},
      {{"-b", "nas"}, "--host is 'nas', not an IP address — write it like --host 0.0.0.0"},
      {{"--port-mapping", "no"},
       "--port-mapping is 'no', neither on nor off — write it like --port-mapping off"},
      {{"--announce", "203.0.113.7:1985"},
       "--announce is '203.0.113.7:1985', not a multiaddr — write it like --announce "
       "/ip4/203.0.113.7/tcp/1985"},
      {{"--announce", "/ip4/0.0.0.0/tcp/1985"},
       "--announce is '/ip4/0.0.0.0/tcp/1985', which names no host and port to dial — write it "
       "like "
       "--announce /ip4/203.0.113.7/tcp/1985"},
      {{"--name", "a b"},
       "--name is 'a b'; a name has 1 to 64 letters, digits, '-', '_' and '.' — write it like "
       "--name "
       "nas"},
      {{"-db", "postgres"},
       "--db-backend is 'postgres', which this version does not have — write it like --db-backend "
       "sqlite"},
      {{"-db", "x"}, "--db-backend is 'x', not a store — write it like --db-backend sqlite"},
      {{"-dp", ""}, "--db-path is empty — write it like --db-path /var/lib/open-chat/open-chat.db"},
      {{"--log-level", "loud"},
       "--log-level is 'loud', not one of trace, debug, info, warn, error, off — write it like "
       "--log-level debug"},
      {{"--mdns", "no"}, "--mdns is 'no', neither on nor off — write it like --mdns off"},
      {{"--log-format", "xml"},
       "--log-format is 'xml', neither text nor json — write it like --log-format json"},
      {{"-bs", "%%%"},
       "--network-bootstrap-peers is no bootstrap string: the bootstrap string is not base64, or a "
       "part of it is missing — write it like --network-bootstrap-peers eyJpZCI6…"},
      {{"--port"}, "--port has no value — write it like --port 1984"},
      {{"-p", "-b", "::1"}, "--port has no value — write it like --port 1984"},
      {{"-p", "7", "-pp2p", "7"}, "--p2pport and --port are both 7 — give them different ports"},
      {{"--prot", "7"}, "there is no flag --prot — `open-chat --help` lists the flags"},
      {{"--install"}, "--install is not in this version — `open-chat --help` lists the flags"},
      {{"x"}, "argument 1 belongs to no flag — `open-chat --help` lists the flags"}};
  for (const auto& [args, expected] : cases) EXPECT_EQ(fault(args), expected);
}

TEST_F(ConfigTest, control_characters_and_length_of_a_value_do_not_reach_the_message) {
  EXPECT_EQ(fault({"-p", "1\x1b[2J\n2"}),
            "--port is '1?[2J?2', not a port from 0 to 65535 — write it like --port 1984");
  EXPECT_LT(fault({"-p", std::string(10'000, '1')}).size(), 200u);
}

TEST_F(ConfigTest, no_message_repeats_a_secret) {
  const std::string long_password(2000, 'S');
  const std::vector<std::pair<Args, std::string>> cases = {
      {{"-dnc", "SECRET"}, "has no ':' between network name and password"},
      {{"-dnc", ":SECRET"}, "has no network name before the ':'"},
      {{"-dnc", "home:"}, "has no password behind the ':'"},
      {{"-dnc", "home:" + long_password}, "has a password of more than 1024 bytes"},
      {{"-dnc", std::string(65, 'S') + ":SECRET"}, "has a network name of more than 64 bytes"},
      {{"-dnc", "a\n:SECRET"}, "has a control character in its network name"},
      {{"-dnc", "home:SECRET", "-dnc", "home:SECRET"}, "names the network 'home' twice"},
      {{"-rc", "SECRET"}, "has no ':' between user name and password"},
      {{"-rc", "a:hashed_SECRET"},
       "has no Argon2id or bcrypt hash behind 'hashed_' (in a shell, quote the $)"},
      {{"-rc", "a:hashed_"},
       "has no Argon2id or bcrypt hash behind 'hashed_' (in a shell, quote the $)"},
      {{"-rc"}, "has no value"},
      {{"--root-credential", "a:SECRET"}, "there is no flag --root-credential"},
      {{"--root-credential=a:SECRET"}, "there is no flag --root-credential"},
      {{"-rc:SECRET"}, "there is no flag -rc"},
      {{"a:SECRET"}, "argument 1 belongs to no flag"}};
  for (const auto& [args, expected] : cases) {
    const std::string message = fault(args);
    EXPECT_NE(message.find(expected), std::string::npos) << message;
    EXPECT_EQ(message.find("SECRET"), std::string::npos) << message;
    EXPECT_EQ(message.find("SSSS"), std::string::npos) << message;
  }
}

TEST_F(ConfigTest, a_bad_variable_is_named_as_such) {
  environment_["OPEN_CHAT_PORT"] = "x";
  EXPECT_EQ(
      fault({}),
      "OPEN_CHAT_PORT is 'x', not a port from 0 to 65535 — write it like OPEN_CHAT_PORT=1984");
  environment_ = {{"OPEN_CHAT_ROOT_CREDENTIALS", "SECRET"}};
  EXPECT_EQ(fault({}),
            "OPEN_CHAT_ROOT_CREDENTIALS has no ':' between user name and password — write it like "
            "OPEN_CHAT_ROOT_CREDENTIALS=admin:a-long-password");
}

TEST_F(ConfigTest, a_bad_file_is_answered_with_its_line) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\nport = 70000",
       "line 2 of f: port is '70000', not a port from 0 to 65535 — write it like "
       "port = 1984"},
      {"name = 'a b'",
       "line 1 of f: name is 'a b'; a name has 1 to 64 letters, digits, '-', '_' and "
       "'.' — write it like name = \"nas\""},
      {"prot = 1", "line 1 of f: there is no setting 'prot'"},
      {"config = 'g'", "line 1 of f: there is no setting 'config'"},
      {"[root]\nuser = 'x'", "line 1 of f: there is no setting 'root'"},
      {"port = [1]", "line 1 of f: port is neither a text nor a whole number"},
      {"port = 1.5", "line 1 of f: port is neither a text nor a whole number"},
      {"announce = [1.5]", "line 1 of f: announce has an entry that is not a text"},
      {"announce = {}", "line 1 of f: announce is neither a text nor a list of texts"},
      {"\n\nroot-credentials = a:SECRET", "line 3 of f: not valid TOML (a text stands in quotes)"},
      {"[%]", "line 1 of f: not valid TOML (a text stands in quotes)"},
      {"root-credentials = tSECRET", "line 1 of f: not valid TOML (a text stands in quotes)"},
      {"root-credentials = 'SECRET'",
       "line 1 of f: root-credentials has no ':' between user name and password"}};
  for (const auto& [text, expected] : cases) {
    files_["f"] = text;
    const std::string message = fault({"--config", "f"});
    EXPECT_TRUE(message.starts_with(expected)) << message;
    EXPECT_EQ(message.find("SECRET"), std::string::npos) << message;
    EXPECT_EQ(parse({"--config", "f"}).error().code, FaultCode::bad_config_file);
  }
}

TEST_F(ConfigTest, a_file_that_cannot_be_read_stops_the_start) {
  EXPECT_TRUE(fault({"--config", "nowhere"}).starts_with("cannot read 'nowhere': "));
}

TEST_F(ConfigTest, counts_are_bounded) {
  Args many;
  for (std::size_t i = 0; i <= kMaxNetworks; ++i) {
    many.insert(many.end(), {"-dnc", "n" + std::to_string(i) + ":pw"});
  }
  EXPECT_TRUE(fault(many).starts_with("--default-network-credentials names more than 32 networks"));
}

TEST(HideSecrets, wipes_them_in_place_and_nothing_else) {
  std::vector<std::string> args = {"open-chat", "-dnc", "home:pw",    "--root-credentials=a:b",
                                   "-p",        "1984", "--password", "x",
                                   "-rc"};
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  hide_secrets(static_cast<int>(argv.size()), argv.data());
  EXPECT_EQ(args,
            (std::vector<std::string>{"open-chat", "-dnc", "*******", "--root-credentials=***",
                                      "-p", "1984", "--password", "*", "-rc"}));
}

TEST(NodeUsage, names_every_setting) {
  const std::string usage = node_usage();
  for (const Setting& setting : settings()) {
    EXPECT_NE(usage.find("--" + std::string(setting.name) + " "), std::string::npos)
        << setting.name;
    EXPECT_NE(usage.find(setting.short_flag), std::string::npos) << setting.name;
  }
}

TEST(Settings, examples_are_valid) {
  for (const Setting& setting : settings()) {
    if (setting.apply == nullptr || setting.name == "network-bootstrap-peers") continue;
    NodeConfig config;
    EXPECT_FALSE(setting.apply(config, std::string(setting.example))) << setting.name;
  }
}

TEST(ConfigFile, is_read_up_to_its_bound) {
  EXPECT_EQ(read_config_file("/nonexistent/file").error(),
            boost::system::errc::no_such_file_or_directory);
  EXPECT_EQ(read_config_file("/dev/zero").error(), Errc::limit_exceeded);
}

}  // namespace
}  // namespace oc::node
