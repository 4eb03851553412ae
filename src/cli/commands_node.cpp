#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.hpp"

namespace oc::cli {
namespace {

using nlohmann::json;

// {"cpu":{"cores":[1,2]}} becomes rows "cpu.cores.0", "cpu.cores.1". The API bounds the nesting.
void flatten(const json& value, const std::string& name, Table& table) {
  if (!value.is_structured()) {
    const bool text = value.is_string();
    table.add({name, text ? value.get<std::string>() : value.is_null() ? "" : value.dump()});
    return;
  }
  for (const auto& [key, inner] : value.items()) {
    flatten(inner, name.empty() ? key : name + "." + key, table);
  }
}

Failure metrics(Client& client) {
  const auto answer = client.api.get("metrics");
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
    return std::nullopt;
  }
  Table table({"FIGURE", "VALUE"});
  flatten(*answer, "", table);
  client.print(table);
  return std::nullopt;
}

Failure netcheck(Client& client) {
  const auto answer = client.api.get("netcheck");
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
    return std::nullopt;
  }
  const json nat = answer->value("nat", json::object());
  Table summary({"from the internet", cell(*answer, "state")});
  summary.add(
      {"NAT mapping", cell(nat, "mapping") + " (" + cell(nat, "observers") + " observers)"});
  summary.add({"port mapping", cell(*answer, "port_mapping")});
  const json relays = answer->value("relays", json::array());
  if (relays.empty()) summary.add({"relays", "none"});
  for (const json& relay : relays)
    summary.add({"relay", cell(relay, "peer_id") + " (until " + cell(relay, "expires") + ")"});
  const json relaying = answer->value("relaying", json::object());
  summary.add(
      {"relays for", fmt::format("{} ({} reservations, {} circuits)", cell(relaying, "serves"),
                                 cell(relaying, "reservations"), cell(relaying, "circuits"))});
  client.print(summary);
  client.world.out << '\n';
  Table table({"ADDRESS", "FOUND", "STATE", "CHECKED", "BY"});
  for (const json& row : answer->value("addresses", json::array())) {
    const bool checked = !cell(row, "checked").empty();
    table.add({cell(row, "address"), cell(row, "source"), cell(row, "state"), cell(row, "checked"),
               checked ? cell(row, "servers") : ""});
  }
  client.print(table);
  return std::nullopt;
}

struct RequestFlags {
  std::string method;
  std::string path;
  std::string body;
  bool has_body = false;
};

Failure request(Client& client, const RequestFlags& flags) {
  const std::string path = flags.path.starts_with('/') ? flags.path : "/api/v1/" + flags.path;
  const auto answer = client.api.exchange(
      flags.method, path, flags.has_body ? std::optional(flags.body) : std::nullopt);
  if (!answer) return answer.error();
  if (answer->status >= 400) return fault_of(*answer, client.api.target());
  if (!client.globals.json) {
    client.world.out << answer->body;
    if (!answer->body.empty() && !answer->body.ends_with('\n')) client.world.out << '\n';
    return std::nullopt;
  }
  json headers = json::object();
  for (const auto& [name, value] : answer->headers) headers[name] = value;
  client.print(json{{"status", answer->status}, {"headers", headers}, {"body", answer->body}});
  return std::nullopt;
}

Failure audit(Client& client, unsigned limit) {
  const auto rows = client.api.list("audit/list", limit);
  if (!rows) return rows.error();
  if (client.globals.json) {
    client.print(*rows);
    return std::nullopt;
  }
  Table table({"TIME", "USER", "ROLE", "FROM", "RESULT", "ACTION", "DETAIL"});
  for (const json& row : *rows) {
    table.add({cell(row, "time"), cell(row, "user"), cell(row, "role"), cell(row, "address"),
               cell(row, "result"), cell(row, "action"), cell(row, "detail")});
  }
  client.print(table);
  return std::nullopt;
}

void add_request(CLI::App& app, Action& chosen) {
  const auto flags = std::make_shared<RequestFlags>();  // shared by parser and action
  CLI::App* command =
      app.add_subcommand("request", "Call any path of the API, with --node on any member");
  command->add_option("METHOD", flags->method, "GET, HEAD, POST, PUT, PATCH or DELETE")
      ->required()
      ->transform(
          CLI::IsMember({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, CLI::ignore_case));
  command->add_option("PATH", flags->path, "from '/', or below /api/v1/")->required();
  CLI::Option* body =
      command->add_option("-d,--data", flags->body, "the body, JSON")->option_text("BODY");
  command->footer(
      "Prints the answer's body; with --json its status and headers too.\n"
      "  open-chat client request --node nas GET metrics\n"
      "  open-chat client request POST federation/nodes/register -d "
      "'{\"bootstrap_string\":\"eyJpZCI6…\"}'");
  command->callback([&chosen, flags, body] {
    flags->has_body = body->count() > 0;
    chosen = [flags](Client& client) { return request(client, *flags); };
  });
}

void add_audit(CLI::App& app, Action& chosen) {
  const auto limit = std::make_shared<unsigned>(50);  // shared by parser and action
  CLI::App* command = app.add_subcommand("audit", "Show what was changed on the node, and by whom");
  command->add_option("--limit", *limit, "how many entries, newest first; default 50")
      ->option_text("N")
      ->check(CLI::Range(1, 10000));
  command->callback(
      [&chosen, limit] { chosen = [limit](Client& client) { return audit(client, *limit); }; });
}

}  // namespace

void add_node_commands(CLI::App& app, const Globals& globals, Action& chosen) {
  app.add_subcommand("metrics", "Show the node's figures and its host's")->callback([&chosen] {
    chosen = metrics;
  });
  CLI::App* remote = app.add_subcommand("get-metrics", "Show another node's figures (--node)");
  remote->footer("  open-chat client get-metrics --node 12D3KooWD3ecki");
  remote->callback([&chosen, &globals] {
    require_node(globals);
    chosen = metrics;
  });
  CLI::App* check = app.add_subcommand(
      "netcheck", "Show whether others can reach the node, and at which addresses");
  check->footer("  open-chat client netcheck --node nas");
  check->callback([&chosen] { chosen = netcheck; });
  add_request(app, chosen);
  add_audit(app, chosen);
}

}  // namespace oc::cli
