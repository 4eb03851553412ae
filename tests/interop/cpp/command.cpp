#include "command.hpp"

#include <charconv>
#include <optional>
#include <span>

namespace oc::interop {
namespace {

constexpr const char* kUsage =
    "usage: interop-peer listen [flags] | dial ADDRESS CASE [flags] | relay [flags]";

std::optional<double> parse_amount(const std::string& text) {
  double amount = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, amount);
  if (error != std::errc() || stopped != end || amount < 0) return std::nullopt;
  return amount;
}

bool is_one_of(const std::string& value, std::initializer_list<const char*> known) {
  for (const char* one : known) {
    if (value == one) return true;
  }
  return false;
}

Verdict<void> take_flag(Command& command, const std::string& name, const std::string& value) {
  if (name == "security") {
    if (!is_one_of(value, {"noise", "tls", "both"}))
      return Failure{"no security protocol " + value + "; there are noise, tls and both"};
    command.security = value;
  } else if (name == "key") {
    if (!is_one_of(value, {"ed25519", "secp256k1", "ecdsa", "rsa"}))
      return Failure{"no kind of key " + value + "; there are ed25519, secp256k1, ecdsa and rsa"};
    command.key = value;
  } else if (name == "ip") {
    if (!is_one_of(value, {"4", "6", "any"})) return Failure{"no IP version " + value};
    command.ip = value;
  } else if (name == "relay") {
    command.relay = value;
  } else {
    const auto amount = parse_amount(value);
    if (!amount) return Failure{"--" + name + " takes a number, not " + value};
    command.options[name] = *amount;
  }
  return {};
}

// Flags stand anywhere; what is none of them stays in order.
Verdict<std::vector<std::string>> take_flags(Command& command, std::span<const std::string> words) {
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) {
      rest.push_back(words[i]);
      continue;
    }
    if (i + 1 == words.size()) return Failure{words[i] + " needs a value"};
    CHECK(take_flag(command, words[i].substr(2), words[i + 1]));
    ++i;
  }
  return rest;
}

}  // namespace

Verdict<Command> parse_command(const std::vector<std::string>& words) {
  Command command;
  TRY(const std::vector<std::string> rest, take_flags(command, words));
  if (rest.size() == 1 && rest[0] == "listen") {
    if (!command.options.empty()) return Failure{kUsage};
    return command;
  }
  if (rest.size() == 1 && rest[0] == "relay") {
    command.action = Action::relay;
    return command;
  }
  if (rest.size() != 3 || rest[0] != "dial") return Failure{kUsage};
  command.action = Action::dial;
  command.address = rest[1];
  command.case_name = rest[2];
  return command;
}

}  // namespace oc::interop
