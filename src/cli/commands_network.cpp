#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "cli/commands.hpp"

namespace oc::cli {
namespace {

using nlohmann::json;

Failure identity(Client& client, bool bootstrap_string_only) {
  const auto answer = client.api.get("federation/identity");
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
    return std::nullopt;
  }
  if (bootstrap_string_only) {
    client.world.out << printable(cell(*answer, "bootstrap_string")) << '\n';
    return std::nullopt;
  }
  Table table({"peer id", printable(cell(*answer, "id"))});
  table.add({"name", cell(*answer, "name")});
  table.add({"version", cell(*answer, "version")});
  table.add({"networks", cell(*answer, "networks")});
  const json addresses = answer->value("connect_multiadress", json::array());
  const json states = answer->value("reachability", json::array());
  std::string label = "addresses";
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto text = [i](const json& list) {
      return i < list.size() && list[i].is_string() ? list[i].get<std::string>() : std::string();
    };
    const std::string state = text(states);
    table.add(
        {std::exchange(label, ""), text(addresses) + (state.empty() ? "" : " (" + state + ")")});
  }
  client.print(table);
  return std::nullopt;
}

std::string presence(const json& member) {
  if (cell(member, "self") == "yes") return "(self)";
  return cell(member, "online") == "yes" ? "(online)" : "(offline)";
}

Failure nodes(Client& client) {
  const auto rows = client.api.list("federation/nodes/list");
  if (!rows) return rows.error();
  if (client.globals.json) {
    client.print(*rows);
    return std::nullopt;
  }
  Table table(
      {"PEER ID", "NAME", "VERSION", "NETWORKS", "STATUS", "ROUND TRIP", "LAST CONTACT", "PATH"});
  for (const json& row : *rows) {
    table.add({cell(row, "peer_id"), cell(row, "name"), cell(row, "version"), cell(row, "networks"),
               presence(row), cell_ms(row, "round_trip_ms"), cell(row, "last_contact"),
               cell(row, "path")});
  }
  client.print(table);
  return std::nullopt;
}

Failure networks(Client& client) {
  const auto rows = client.api.list("federation/networks/list");
  if (!rows) return rows.error();
  if (client.globals.json) {
    client.print(*rows);
    return std::nullopt;
  }
  Table table({"NETWORK", "MEMBERS", "ONLINE"});
  for (const json& row : *rows) {
    table.add({cell(row, "name"), cell(row, "members"), cell(row, "online")});
  }
  client.print(table);
  return std::nullopt;
}

Failure register_peer(Client& client, const std::string& bootstrap_string) {
  const auto answer =
      client.api.post("federation/nodes/register", {{"bootstrap_string", bootstrap_string}});
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
  } else {
    client.note("registered " + cell(*answer, "peer_id") +
                "; `open-chat client nodes` shows when it is connected");
  }
  return std::nullopt;
}

Failure ping(Client& client, const std::string& peer, unsigned count) {
  const auto answer = client.api.get("federation/nodes/" + percent_encoded(peer) +
                                     "/ping?count=" + std::to_string(count));
  if (!answer) return answer.error();
  const json times = answer->value("round_trips_ms", json::array());
  if (times.empty()) {
    return Fault(FaultCode::peer_timed_out,
                 "node " + peer + " answered none of " + std::to_string(count) + " pings");
  }
  if (client.globals.json) {
    client.print(*answer);
    return std::nullopt;
  }
  Table table({"PEER ID", "ANSWERED", "LEAST", "MEAN", "MOST"});
  table.add({cell(*answer, "peer_id"), fmt::format("{} of {}", times.size(), count),
             cell_ms(*answer, "min_ms"), cell_ms(*answer, "mean_ms"), cell_ms(*answer, "max_ms")});
  client.print(table);
  return std::nullopt;
}

// "OC-2005: it took too long", or the result when it was no failure.
std::string outcome(const json& row) {
  const json reason = row.value("reason", json());
  return reason.is_object() ? cell(reason, "code") + ": " + cell(reason, "message")
                            : cell(row, "result");
}

Failure path(Client& client, const std::string& peer) {
  const auto answer = client.api.get("federation/nodes/" + percent_encoded(peer) + "/path");
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
    return std::nullopt;
  }
  const bool online = answer->value("online", false);
  Table summary({"peer id", cell(*answer, "peer_id")});
  summary.add({"name", cell(*answer, "name")});
  summary.add({"status", online ? "online" : "offline: " + outcome(*answer)});
  client.print(summary);
  client.world.out << '\n';
  Table connections(
      {"", "PATH", "CAME ABOUT", "ROUND TRIP", "SECURITY", "STREAMS", "LIMITED", "SINCE"});
  for (const json& row : answer->value("connections", json::array())) {
    connections.add({row.value("used", false) ? "*" : "", cell(row, "path"), cell(row, "origin"),
                     cell_ms(row, "round_trip_ms"), cell(row, "security"), cell(row, "streams"),
                     cell(row, "limited"), cell(row, "opened")});
  }
  client.print(connections);
  client.world.out << '\n';
  Table attempts({"ADDRESS TRIED", "HOW", "AT", "TOOK", "RESULT"});
  for (const json& row : answer->value("attempts", json::array())) {
    attempts.add({cell(row, "address"), cell(row, "how"), cell(row, "started"),
                  cell_ms(row, "took_ms"), outcome(row)});
  }
  client.print(attempts);
  return std::nullopt;
}

void add_identity(CLI::App& app, Action& chosen) {
  const auto b64 = std::make_shared<bool>(false);  // shared by parser and action
  CLI::App* command = app.add_subcommand("identity", "Show a node's peer id and addresses");
  command->add_flag("--b64", *b64,
                    "print the bootstrap string only: what -bs of other nodes takes");
  command->footer("  open-chat client identity -b64");
  command->callback(
      [&chosen, b64] { chosen = [b64](Client& client) { return identity(client, *b64); }; });
}

void add_nodes(CLI::App& app, Action& chosen) {
  CLI::App* command = app.add_subcommand("nodes", "List the members of the node's networks");
  const std::string listing = "list them (what it does anyway)";
  command->add_flag("--ls", listing);
  command->footer("  open-chat client nodes -ls");
  command->callback([&chosen] { chosen = nodes; });
}

void add_register(CLI::App& app, Action& chosen) {
  const auto text = std::make_shared<std::string>();  // shared by parser and action
  CLI::App* command = app.add_subcommand("register", "Add a peer by its bootstrap string");
  command->add_option("--b64", *text, "what `client identity -b64` prints there")
      ->option_text("B64")
      ->required();
  command->footer("  open-chat client register --b64 eyJpZCI6…");
  command->callback([&chosen, text] {
    chosen = [text](Client& client) { return register_peer(client, *text); };
  });
}

void add_ping(CLI::App& app, Action& chosen) {
  struct Flags {
    std::string peer;
    unsigned count = 4;
  };
  const auto flags = std::make_shared<Flags>();  // shared by parser and action
  CLI::App* command = app.add_subcommand("ping", "Measure round trips to a member");
  command->add_option("PEER", flags->peer, "peer id, unique prefix of one, or node name")
      ->required();
  command->add_option("-c,--count", flags->count, "how many, 1 to 20; default 4")
      ->option_text("N")
      ->check(CLI::Range(1, 20));
  command->footer("  open-chat client ping nas -c 10");
  command->callback([&chosen, flags] {
    chosen = [flags](Client& client) { return ping(client, flags->peer, flags->count); };
  });
}

void add_path(CLI::App& app, Action& chosen) {
  const auto peer = std::make_shared<std::string>();  // shared by parser and action
  CLI::App* command =
      app.add_subcommand("path", "Show the connections to a member, and what was tried");
  command->add_option("PEER", *peer, "peer id, unique prefix of one, or node name")->required();
  command->footer("  open-chat client path nas");
  command->callback(
      [&chosen, peer] { chosen = [peer](Client& client) { return path(client, *peer); }; });
}

}  // namespace

void add_network_commands(CLI::App& app, Action& chosen) {
  add_identity(app, chosen);
  add_nodes(app, chosen);
  app.add_subcommand("networks", "List the networks the node is in")->callback([&chosen] {
    chosen = networks;
  });
  add_register(app, chosen);
  add_ping(app, chosen);
  add_path(app, chosen);
}

}  // namespace oc::cli
