#include "cli/client.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <ostream>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/usage.hpp"

namespace oc::cli {
namespace {

// Announced for later versions; better said than called unknown.
constexpr std::array<std::string_view, 20> kLaterCommands = {
    "tls",  "renew-tls",   "certificates", "expose",          "unexpose",
    "keys", "key-names",   "create-key",   "delete-key",      "network-create",
    "path", "netcheck",    "bench",        "network-leave",   "shell",
    "logs", "update-node", "all-metrics",  "download-binary", "drain"};

void print_fault(const Fault& fault, std::ostream& err) {
  err << printable(fault.to_string()) << std::endl;
}

// Only the letters of a flag or command: what follows them may be a secret.
std::string letters(const std::string& argument) {
  const std::size_t end = argument.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-");
  return argument.substr(0, std::min<std::size_t>(end, 40));
}

void add_global_flags(CLI::App& app, Globals& globals) {
  app.add_option("--host", globals.host,
                 "the node's API; or OPEN_CHAT_HOST. Default: " + std::string(kDefaultServer))
      ->option_text("URL");
  app.add_option("--node", globals.node,
                 "run it on this member, through the node: id, prefix or name")
      ->option_text("PEER");
  app.add_option("--session-id", globals.session_id,
                 "use this session; or OPEN_CHAT_SESSION_ID. Default: the one `login` kept")
      ->option_text("ID");
  app.add_flag("--json", globals.json, "print JSON instead of tables");
}

void build(CLI::App& app, Globals& globals, Action& chosen) {
  app.formatter(std::make_shared<Help>());  // CLI11 shares it with every command
  app.set_help_flag("-h,--help", "print this help");
  app.fallthrough();
  app.require_subcommand(1);
  add_global_flags(app, globals);
  add_session_commands(app, chosen);
  add_network_commands(app, chosen);
  add_rule_commands(app, globals, chosen);
  add_node_commands(app, globals, chosen);
  app.footer(
      "Long names also work with one dash (nodes -ls). Exit status: 0 when it was done, 1 when it\n"
      "failed, 2 when the command was not understood.\n"
      "  open-chat client login\n"
      "  open-chat client nodes -ls\n"
      "  open-chat client get-metrics --node nas");
}

Fault unknown_command(const std::string& name) {
  const bool later =
      std::find(kLaterCommands.begin(), kLaterCommands.end(), name) != kLaterCommands.end();
  return {FaultCode::bad_flag,
          later ? "the command " + name + " is not in this version"
                : "there is no command '" + name + "'",
          "`open-chat client --help` lists the commands"};
}

// What CLI11 makes of the arguments, said in our words where its own might repeat a secret.
Fault usage_fault(const CLI::App& app, const CLI::ParseError& error) {
  const auto commands = app.get_subcommands();
  const std::string command = commands.empty() ? "" : commands.front()->get_name();
  const std::string hint =
      "`open-chat client " + command + (command.empty() ? "" : " ") + "--help` shows how";
  const std::vector<std::string> left = app.remaining(true);
  if (command.empty() && !left.empty() && !left.front().starts_with('-')) {
    return unknown_command(letters(left.front()));
  }
  for (const std::string& argument : left) {
    if (argument.size() < 2 || argument.front() != '-') continue;
    return {FaultCode::bad_flag, "there is no flag " + letters(argument) + " here", hint};
  }
  const std::string words = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return {FaultCode::bad_flag, words.substr(0, words.find(':')) + " has no value", hint};
  }
  if (!left.empty())
    return {FaultCode::bad_flag, command + " was given an argument too many", hint};
  if (command.empty()) return {FaultCode::bad_flag, "a command is missing", hint};
  return {FaultCode::bad_flag, words, hint};
}

std::string state_folder(const Environment& environment) {
  // The XDG specification: a relative path is to be ignored.
  const auto state = environment("XDG_STATE_HOME");
  if (state && state->starts_with('/')) return *state + "/open-chat";
  const auto home = environment("HOME");
  return home && home->starts_with('/') ? *home + "/.local/state/open-chat" : "";
}

std::string first_of(const std::string& flag, const std::optional<std::string>& variable,
                     std::string_view otherwise) {
  if (!flag.empty()) return flag;
  return variable && !variable->empty() ? *variable : std::string(otherwise);
}

Outcome<Target> find_target(const Globals& globals, const Environment& environment,
                            const SessionFile& sessions) {
  const auto server =
      parse_server(first_of(globals.host, environment("OPEN_CHAT_HOST"), kDefaultServer));
  if (!server) return server.error();
  Target target{*server, "", globals.node, ""};
  const auto own = sessions.find(server->url(), "");
  target.session_id =
      first_of(globals.session_id, environment("OPEN_CHAT_SESSION_ID"), own ? own->id : "");
  if (!globals.node.empty()) {
    const auto far = sessions.find(server->url(), globals.node);
    target.node_session_id = far ? far->id : "";
  }
  return target;
}

int run_action(const Action& action, const Globals& globals, const Surroundings& world) {
  const SessionFile sessions(state_folder(world.environment));
  auto target = find_target(globals, world.environment, sessions);
  if (!target) {
    print_fault(target.error(), world.err);
    return kUsageError;
  }
  Client client{world, globals, sessions, Api(world.connect, *std::move(target))};
  if (const Failure failure = action(client)) {
    print_fault(*failure, world.err);
    return kFailed;
  }
  if (!world.out.flush()) {
    print_fault({FaultCode::store_unavailable, "the output cannot be written"}, world.err);
    return kFailed;
  }
  return kDone;
}

}  // namespace

int run_client(std::span<const std::string> args, const Surroundings& world) {
  Globals globals;
  Action chosen;
  CLI::App app("Talk to a node");
  build(app, globals, chosen);
  std::vector<std::string> reversed = expand_single_dash(args, app);
  std::reverse(reversed.begin(), reversed.end());  // as CLI::App::parse wants them
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    world.out << app.help() << std::flush;
    return kDone;
  } catch (const CLI::ParseError& error) {
    print_fault(usage_fault(app, error), world.err);
    return kUsageError;
  }
  return run_action(chosen, globals, world);
}

}  // namespace oc::cli
