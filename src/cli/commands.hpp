// The commands of `open-chat client`: each group adds its own to the parser. Parsing one leaves
// what to do in `chosen`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/fault.hpp"
#include "cli/api.hpp"
#include "cli/session_file.hpp"
#include "cli/surroundings.hpp"
#include "cli/terminal_text.hpp"

namespace oc::cli {

// What every command takes.
struct Globals {
  std::string host;
  std::string session_id;
  std::string node;
  bool json = false;
};

// What a command works with while it runs.
struct Client {
  const Surroundings& world;
  const Globals& globals;
  const SessionFile& sessions;
  Api api;

  // On standard output: JSON, with line feeds between its parts, or a table.
  void print(const nlohmann::json& value);
  void print(const Table& table);
  // On standard error, for people.
  void note(const std::string& text);
};

using Failure = std::optional<Fault>;  // nullopt: done
using Action = std::function<Failure(Client& client)>;

// login, logout, whoami, sessions, hash-password
void add_session_commands(CLI::App& app, Action& chosen);
// identity, nodes, networks, register, ping, path
void add_network_commands(CLI::App& app, Action& chosen);
// proxy, proxies, get-proxies, delete-proxy, enable-proxy, disable-proxy
void add_rule_commands(CLI::App& app, const Globals& globals, Action& chosen);
// metrics, get-metrics, netcheck, request, audit
void add_node_commands(CLI::App& app, const Globals& globals, Action& chosen);

// For the callback of a command that makes no sense without --node: throws the usage error.
void require_node(const Globals& globals);

// A field as a cell of a table: texts as they are, lists joined by commas, yes and no, "" for null.
std::string cell(const nlohmann::json& object, const char* key);
// "12.5 ms", or "" when it is not known.
std::string cell_ms(const nlohmann::json& object, const char* key);

}  // namespace oc::cli
