#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"

namespace oc::cli {
namespace {

using nlohmann::json;

struct RuleFlags {
  std::string direction, kind, origin, target, network, bind, to, key_prefix, expires_in;
  std::uint32_t port = 0;
  std::vector<std::string> tags;
  bool disabled = false;
};

// "90", "90s", "15m", "2h", "7d" in seconds; nullopt for anything else, 0 included.
std::optional<std::uint64_t> seconds_of(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  const std::uint64_t factor = unit.empty() || unit == "s" ? 1
                               : unit == "m"               ? 60
                               : unit == "h"               ? 3600
                               : unit == "d"               ? 86400
                                                           : 0;
  constexpr std::uint64_t kLongest = 100ull * 366 * 86400;
  if (error != std::errc() || factor == 0 || number == 0 || number > kLongest / factor) {
    return std::nullopt;
  }
  return number * factor;
}

json body_of(const RuleFlags& flags) {
  json body = {{"direction", flags.direction}, {"kind", flags.kind}};
  const auto put = [&body](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = value;
  };
  put("traffic_origin", flags.origin);
  put("traffic_target", flags.target);
  put("network", flags.network);
  put("bind", flags.bind);
  put("to", flags.to);
  put("key_prefix", flags.key_prefix);
  if (flags.port != 0) body["port"] = flags.port;
  if (!flags.tags.empty()) body["tags"] = flags.tags;
  if (flags.disabled) body["disabled"] = true;
  if (const auto seconds = seconds_of(flags.expires_in)) body["expires_in_seconds"] = *seconds;
  return body;
}

// Peer ids as long as they need to be to name a peer by them: "12D3KooWD3ecki…:8080".
std::string shorten_peers(const std::string& text) {
  constexpr std::size_t kShown = 14;
  constexpr std::size_t kShortestId = 46;
  constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::string out;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of(kBase58, start), text.size());
    const bool is_id = end - start >= kShortestId;
    out += text.substr(start, is_id ? kShown : end - start) + (is_id ? "…" : "");
    if (end < text.size()) out += text[end];
    start = end + 1;
  }
  return out;
}

// Where the rule touches this machine.
std::string local_end(const json& rule) {
  const std::string port = cell(rule, "port");
  const std::string to = cell(rule, "to");
  if (cell(rule, "direction") == "ingress") return to.empty() ? "127.0.0.1:" + port : to;
  const std::string bind = cell(rule, "bind");
  return (bind.find(':') == std::string::npos ? bind : "[" + bind + "]") + ":" + port;
}

double number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string reason(const json& rule) {
  const json fault = rule.value("reason", json());
  return fault.is_object() ? cell(fault, "code") + ": " + cell(fault, "message") : "";
}

void print_rules(Client& client, const json& rules) {
  Table table({"ID", "NETWORK", "DIRECTION", "KIND", "ORIGIN", "TARGET", "HERE", "STATE", "OPEN",
               "TOTAL", "IN", "OUT", "TAGS", "REASON"});
  for (const json& rule : rules) {
    table.add({cell(rule, "id"), cell(rule, "network"), cell(rule, "direction"), cell(rule, "kind"),
               shorten_peers(cell(rule, "traffic_origin")),
               shorten_peers(cell(rule, "traffic_target")), local_end(rule), cell(rule, "state"),
               cell(rule, "open"), cell(rule, "connections"), byte_count(number(rule, "bytes_in")),
               byte_count(number(rule, "bytes_out")), cell(rule, "tags"), reason(rule)});
  }
  client.print(table);
}

// An answer {"rule":{…}, …}.
Failure print_rule(Client& client, const Outcome<json>& answer) {
  if (!answer) return answer.error();
  const json rule = answer->value("rule", json());
  if (client.globals.json) {
    client.print(*answer);
  } else if (rule.is_object()) {
    print_rules(client, json::array({rule}));
  }
  return std::nullopt;
}

Failure create(Client& client, const RuleFlags& flags) {
  const auto answer = client.api.post("federation/nodes/proxy", body_of(flags));
  if (auto failure = print_rule(client, answer)) return failure;
  client.note(cell(*answer, "created") == "yes" ? "the rule is created"
                                                : "the rule was there already");
  return std::nullopt;
}

Failure list(Client& client) {
  const auto rows = client.api.list("federation/proxies/list");
  if (!rows) return rows.error();
  if (client.globals.json) {
    client.print(*rows);
  } else {
    print_rules(client, *rows);
  }
  return std::nullopt;
}

Failure remove(Client& client, const std::string& id) {
  const auto answer = client.api.call("DELETE", "federation/proxies/" + percent_encoded(id));
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
  } else {
    client.note("rule " + id + " is deleted");
  }
  return std::nullopt;
}

Failure switch_rule(Client& client, const std::string& id, const char* how) {
  return print_rule(
      client, client.api.call("POST", "federation/proxies/" + percent_encoded(id) + "/" + how));
}

void add_rule_options(CLI::App& command, RuleFlags& flags) {
  command
      .add_option("--direction", flags.direction,
                  "egress (into the network) or ingress (out of it)")
      ->option_text("DIRECTION")
      ->required()
      ->check(CLI::IsMember({"egress", "ingress"}));
  command.add_option("--kind", flags.kind, "what it carries: tcp, …")
      ->option_text("KIND")
      ->required();
  command.add_option("--traffic-origin,--origin", flags.origin, "where the traffic comes from")
      ->option_text("ORIGIN");
  command.add_option("--traffic-target,--target", flags.target, "where it goes")
      ->option_text("TARGET");
  command
      .add_option("--network", flags.network, "the network it runs over, if the node is in several")
      ->option_text("NAME");
  command.add_option("--bind", flags.bind, "egress: address to listen on; default 127.0.0.1")
      ->option_text("ADDRESS");
  command.add_option("--port", flags.port, "port to listen on or to connect to, if not said above")
      ->option_text("PORT")
      ->check(CLI::Range(1, 65535));
  command
      .add_option("--to", flags.to, "ingress: HOST:PORT or unix:/path; default 127.0.0.1:<port>")
      ->option_text("WHERE");
  command.add_option("--key-prefix", flags.key_prefix, "the certificate of a tls rule")
      ->option_text("PREFIX");
  command.add_option("--expires-in", flags.expires_in, "30s, 15m, 2h, 7d: then it ends by itself")
      ->option_text("TIME")
      ->check([](const std::string& text) {
        return seconds_of(text) ? std::string() : std::string("write it like 30s, 15m, 2h or 7d");
      });
  command.add_option("--tag", flags.tags, "a word to know it by; may be repeated")
      ->option_text("WORD")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--disabled", flags.disabled, "create it switched off");
}

void add_create(CLI::App& app, Action& chosen) {
  const auto flags = std::make_shared<RuleFlags>();  // shared by parser and action
  CLI::App* command = app.add_subcommand("proxy", "Create a routing rule");
  add_rule_options(*command, *flags);
  command->footer(
      "The same rule twice makes no second one. To reach port 8080 of <private> on port 8080 of "
      "<public>:\n"
      "  on <public>:   open-chat client proxy --direction egress --kind tcp \\\n"
      "                   --origin <public>:8080 --target <private>:8080\n"
      "  on <private>:  open-chat client proxy --direction ingress --kind tcp \\\n"
      "                   --origin <public>:8080 --target <private>:8080");
  command->callback(
      [&chosen, flags] { chosen = [flags](Client& client) { return create(client, *flags); }; });
}

void add_with_id(CLI::App& app, Action& chosen, const char* name, const char* description,
                 Failure (*run)(Client&, const std::string&)) {
  const auto id = std::make_shared<std::string>();  // shared by parser and action
  CLI::App* command = app.add_subcommand(name, description);
  command->add_option("ID", *id, "the rule's id, as `proxies` shows it")->required();
  command->callback(
      [&chosen, id, run] { chosen = [id, run](Client& client) { return run(client, *id); }; });
}

}  // namespace

void add_rule_commands(CLI::App& app, const Globals& globals, Action& chosen) {
  add_create(app, chosen);
  app.add_subcommand("proxies", "List the node's rules and their state")->callback([&chosen] {
    chosen = list;
  });
  CLI::App* remote = app.add_subcommand("get-proxies", "List the rules of another node (--node)");
  remote->footer("  open-chat client get-proxies --node nas");
  remote->callback([&chosen, &globals] {
    require_node(globals);
    chosen = list;
  });
  add_with_id(app, chosen, "delete-proxy", "Delete a rule", remove);
  add_with_id(
      app, chosen, "enable-proxy", "Switch a rule on",
      [](Client& client, const std::string& id) { return switch_rule(client, id, "enable"); });
  add_with_id(
      app, chosen, "disable-proxy", "Switch a rule off",
      [](Client& client, const std::string& id) { return switch_rule(client, id, "disable"); });
}

}  // namespace oc::cli
