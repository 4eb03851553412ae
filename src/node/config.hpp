// The node's configuration: what flags, environment and file say, checked and made one value.
//
// A flag wins over its environment variable (OPEN_CHAT_ and its name, `--db-path` becoming
// OPEN_CHAT_DB_PATH), and that over the same name in the file of --config (TOML). A setting that
// may be given several times is taken whole from the strongest place that has it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "codec/multiaddr.hpp"
#include "overlay/bootstrap_string.hpp"

namespace oc::node {

inline constexpr std::string_view kDefaultHost = "127.0.0.1";
inline constexpr std::uint16_t kDefaultPort = 1984;
inline constexpr std::uint16_t kDefaultP2pPort = 1985;
inline constexpr std::string_view kDefaultRootUser = "admin";

// Bounds on what a person may choose. They are those of the wire and of the store.
inline constexpr std::size_t kMaxNameSize = 64;  // networks, users, nodes; bytes
inline constexpr std::size_t kMaxNetworks = 32;
inline constexpr std::size_t kMaxBootstrapPeers = 64;
inline constexpr std::size_t kMaxAnnounced = 16;
inline constexpr std::size_t kMaxConfigFile = 256 * 1024;  // bytes

struct NetworkCredentials {
  std::string name;
  std::string password;
};

struct RootCredentials {
  std::string user;
  std::string secret;  // the password; or its hash, which crypto::check_hash_format accepts
  bool hashed = false;
};

// Empty lists and nullopt mean "not given": what the store holds applies, then the default.
struct NodeConfig {
  std::vector<NetworkCredentials> networks;  // no name twice
  std::optional<RootCredentials> root;
  std::vector<overlay::BootstrapPeer> bootstrap;
  std::optional<std::string> host;         // an IP address
  std::optional<std::uint16_t> port;       // 0: any free one
  std::optional<std::uint16_t> p2p_port;   // 0: any free one, which the node then keeps
  std::vector<codec::Multiaddr> announce;  // each names an endpoint; without /p2p
  std::optional<bool> port_mapping;        // whether a router is asked for a port
  std::optional<std::string> name;
  std::optional<std::string> relay;  // off, auto or on
  std::optional<bool> public_relay;
  std::optional<bool> mdns;  // find members on the LAN, and be found
  std::string db_path;       // never empty: given, or the default for this user
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;
};

struct ShowHelp {};
struct ShowVersion {};
using NodeCommand = std::variant<NodeConfig, ShowHelp, ShowVersion>;

// The value of an environment variable; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
// The text of a file; errors are the system's, or Errc::limit_exceeded above kMaxConfigFile.
using FileReader = std::function<Result<std::string>(const std::string& path)>;

// Pure: all it knows of the world comes through its parameters. `args` are those behind the
// program's name. --help and --version win over everything else. The fault (1xxx) is about the
// first thing that is wrong; it names the flag, variable or line, and never repeats any part of a
// secret.
Outcome<NodeCommand> parse_node_command_line(std::span<const std::string> args,
                                             const Environment& environment,
                                             const FileReader& read_file);

// Overwrites the secrets among the arguments of the process in place, so that they do not stand in
// its title: of the node's flags and of the client's. Copy the arguments first.
void hide_secrets(int argc, char** argv);

// What --help prints.
std::string node_usage();

// The process's own environment and the disk, for parse_node_command_line.
std::optional<std::string> system_environment(const std::string& name);
Result<std::string> read_config_file(const std::string& path);

}  // namespace oc::node
