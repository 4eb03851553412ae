#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands.hpp"
#include "crypto/password_hash.hpp"

namespace oc::cli {
namespace {

using nlohmann::json;

struct Credentials {
  std::string user;
  std::string password;
};

Failure ask_for_missing(Client& client, Credentials& credentials) {
  const std::string& node = client.globals.node;
  const std::string where = node.empty() ? "" : " on node " + printable(node);
  if (credentials.user.empty()) {
    credentials.user = client.world.ask("User name" + where + ": ", true).value_or("");
  }
  if (credentials.user.empty()) {
    return Fault(FaultCode::bad_flag, "there is no user name to log in with",
                 "type it, or give --username NAME");
  }
  if (credentials.password.empty()) {
    credentials.password = client.world.environment("OPEN_CHAT_PASSWORD").value_or("");
  }
  if (credentials.password.empty()) {
    credentials.password = client.world.ask("Password" + where + ": ", false).value_or("");
  }
  if (credentials.password.empty()) {
    return Fault(FaultCode::bad_flag, "there is no password to log in with",
                 "type it, or set OPEN_CHAT_PASSWORD");
  }
  return std::nullopt;
}

Failure login(Client& client, Credentials credentials) {
  if (auto failure = ask_for_missing(client, credentials)) return failure;
  const auto answer = client.api.post(
      "user/login", {{"email", credentials.user}, {"password", credentials.password}});
  if (!answer) return answer.error();
  const std::string id = cell(*answer, "session_id");
  if (id.empty()) {
    return Fault(FaultCode::unexpected_answer,
                 client.api.target().server.url() + " answered without a session");
  }
  Session session{client.api.target().server.url(), "", "", credentials.user, id};
  if (!client.globals.node.empty()) {
    client.api.use_session(id);
    const auto identity = client.api.get("federation/identity");
    if (!identity) return identity.error();
    session.peer_id = cell(*identity, "id");
    session.peer_name = cell(*identity, "name");
  }
  if (auto failure = client.sessions.put(std::move(session))) return failure;
  if (client.globals.json) {
    client.print(*answer);
    return std::nullopt;
  }
  const json user = answer->value("user", json::object());
  Table table({"USER", "ROLE", "UNTIL"});
  table.add({cell(user, "name"), cell(user, "role"), cell(*answer, "expires")});
  client.print(table);
  return std::nullopt;
}

Failure logout(Client& client) {
  const auto answer = client.api.call("POST", "user/logout");
  if (!answer && answer.error().code != FaultCode::not_logged_in) return answer.error();
  const Target& target = client.api.target();
  if (auto failure = client.sessions.remove(target.server.url(), target.node)) return failure;
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
  } else {
    client.note("logged out");
  }
  return std::nullopt;
}

Failure whoami(Client& client) {
  const auto answer = client.api.get("user/self");
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
    return std::nullopt;
  }
  const json user = answer->value("user", json::object());
  Table table({"USER", "ROLE", "UNTIL"});
  table.add({cell(user, "name"), cell(user, "role"), cell(*answer, "expires")});
  client.print(table);
  return std::nullopt;
}

Failure sessions(Client& client) {
  const auto rows = client.api.list("user/sessions/list");
  if (!rows) return rows.error();
  if (client.globals.json) {
    client.print(*rows);
    return std::nullopt;
  }
  Table table({"ID", "USER", "ROLE", "FROM", "SINCE", "UNTIL", ""});
  for (const json& row : *rows) {
    table.add({cell(row, "id"), cell(row, "user"), cell(row, "role"), cell(row, "address"),
               cell(row, "created"), cell(row, "expires"),
               cell(row, "current") == "yes" ? "(this one)" : ""});
  }
  client.print(table);
  return std::nullopt;
}

Failure end_session(Client& client, const std::string& id) {
  const auto answer = client.api.call("DELETE", "user/sessions/" + percent_encoded(id));
  if (!answer) return answer.error();
  if (client.globals.json) {
    client.print(*answer);
  } else {
    client.note("session " + id + " is ended");
  }
  return std::nullopt;
}

Failure hash_password(Client& client) {
  const Surroundings& world = client.world;
  const std::string password = world.ask("Password: ", false).value_or("");
  if (password.empty() || password.size() > crypto::kMaxPasswordSize) {
    return Fault(FaultCode::bad_flag,
                 "a password has 1 to " + std::to_string(crypto::kMaxPasswordSize) + " bytes",
                 "type it, or pipe one line into standard input");
  }
  if (world.interactive && world.ask("Again: ", false) != password) {
    return Fault(FaultCode::bad_flag, "the two passwords differ", "try again");
  }
  const std::string hash = crypto::hash_password(password);
  if (client.globals.json) {
    client.print(json{{"hash", hash}});
  } else {
    world.out << hash << '\n';
  }
  return std::nullopt;
}

void add_login(CLI::App& app, Action& chosen) {
  const auto credentials = std::make_shared<Credentials>();  // shared by parser and action
  CLI::App* command = app.add_subcommand("login", "Log in to a node, and keep the session");
  command
      ->add_option("--username,--email", credentials->user,
                   "root user, or a network's name to read only; asked for if missing")
      ->option_text("NAME");
  command
      ->add_option("--password", credentials->password,
                   "better typed when asked for, or in OPEN_CHAT_PASSWORD")
      ->option_text("PASSWORD");
  command->footer(
      "Asks on the terminal; standard input is read by lines (user name, password) when it is "
      "none.\n"
      "  open-chat client login\n"
      "  open-chat client login --node nas --username admin");
  command->callback([&chosen, credentials] {
    chosen = [credentials](Client& client) { return login(client, *credentials); };
  });
}

}  // namespace

void add_session_commands(CLI::App& app, Action& chosen) {
  add_login(app, chosen);
  app.add_subcommand("logout", "End the session, and forget it")->callback([&chosen] {
    chosen = logout;
  });
  app.add_subcommand("whoami", "Show who is logged in")->callback([&chosen] { chosen = whoami; });

  const auto ended = std::make_shared<std::string>();  // shared by parser and action
  CLI::App* list = app.add_subcommand("sessions", "List the node's sessions, or end one");
  list->add_option("--end", *ended, "end the session of this id")->option_text("ID");
  list->callback([&chosen, ended] {
    chosen = [ended](Client& client) {
      return ended->empty() ? sessions(client) : end_session(client, *ended);
    };
  });

  CLI::App* hash = app.add_subcommand("hash-password", "Hash a password for --root-credentials");
  hash->footer(
      "Asks for the password, and needs no node. In a shell, quote the hash:\n"
      "  open-chat --root-credentials 'admin:hashed_$argon2id$…'");
  hash->callback([&chosen] { chosen = hash_password; });
}

}  // namespace oc::cli
