#include "node/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "node/config_settings.hpp"

namespace oc::node {
namespace {

// The client's are hidden by the same function, since main() calls it before it knows which it is.
constexpr std::array<std::string_view, 6> kSecretFlags = {
    "-dnc",        "--default-network-credentials", "-rc", "--root-credentials", "--password",
    "--session-id"};

// Announced for later versions; better said than called unknown.
constexpr std::array<std::string_view, 14> kLaterFlags = {"--install",    "install",
                                                          "uninstall",    "--ssl",
                                                          "-s",           "--tls-key-prefix",
                                                          "-tkp",         "--host-domain",
                                                          "-hd",          "--http-redirect-port",
                                                          "-hrp",         "--db-url",
                                                          "--acme-email", "--public-relay"};

struct Flag {
  std::string_view name;
  std::optional<std::string_view> value;  // behind '='
};

Flag split_flag(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return {argument, std::nullopt};
  return {argument.substr(0, equals), argument.substr(equals + 1)};
}

bool contains(std::span<const std::string_view> list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

// Whatever follows a misspelt flag without a space may be a secret: only the flag's own letters.
std::string_view flag_letters(std::string_view argument) {
  const std::size_t end = argument.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-");
  return argument.substr(0, std::min<std::size_t>(end, 40));
}

Fault unknown_argument(std::string_view argument, std::size_t position) {
  const std::string_view name = split_flag(argument).name;
  const std::string hint = "`open-chat --help` lists the flags";
  if (contains(kLaterFlags, name)) {
    return {FaultCode::bad_flag, std::string(name) + " is not in this version", hint};
  }
  if (argument.size() > 1 && argument.front() == '-') {
    return {FaultCode::bad_flag, "there is no flag " + std::string(flag_letters(argument)), hint};
  }
  return {FaultCode::bad_flag, "argument " + std::to_string(position) + " belongs to no flag",
          hint};
}

Outcome<FoundSettings> read_flags(std::span<const std::string> args) {
  FoundSettings found;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Flag flag = split_flag(args[i]);
    const Setting* setting = find_flag(flag.name);
    if (setting == nullptr) return unknown_argument(args[i], i + 1);
    const std::string name = "--" + std::string(setting->name);
    const std::string example = name + " " + std::string(setting->example);
    std::string value;
    if (flag.value) {
      value = *flag.value;
    } else if (i + 1 < args.size() && find_flag(split_flag(args[i + 1]).name) == nullptr) {
      value = args[++i];
    } else {
      return Fault(setting->code, name + " has no value", "write it like " + example);
    }
    Found& entry = found[setting];
    if (!setting->several) entry.values.clear();
    entry.where = name;
    entry.example = example;
    entry.code = setting->code;
    entry.values.push_back(std::move(value));
  }
  return found;
}

// Several values stand on a line each.
std::vector<std::string> split_at(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    if (end > start) parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

FoundSettings read_environment(const Environment& environment) {
  FoundSettings found;
  for (const Setting& setting : settings()) {
    const std::string variable = variable_of(setting);
    const std::optional<std::string> value = environment(variable);
    if (!value || value->empty()) continue;
    // OPEN_CHAT_HOST is the client's too, a URL there: a shell that has it set may start a node.
    if (setting.name == "host" && value->find("://") != std::string::npos) continue;
    found[&setting] = {variable, variable + "=" + std::string(setting.example), setting.code,
                       setting.several ? split_at(*value, '\n') : std::vector{*value}};
  }
  return found;
}

Outcome<FoundSettings> read_file(const Found& file, const FileReader& reader) {
  const std::string& path = file.values.back();
  const Result<std::string> text = reader(path);
  if (!text) {
    return Fault(FaultCode::bad_config_file,
                 "cannot read " + quoted(path) + ": " + text.error().message(),
                 "write it like " + file.example);
  }
  return read_toml(*text, path);
}

std::optional<Fault> apply(const Setting& setting, const Found& found, NodeConfig& config) {
  for (const std::string& text : found.values) {
    const auto values = setting.comma_separated ? split_at(text, ',') : std::vector{text};
    for (const std::string& value : values.empty() ? std::vector{text} : values) {
      if (auto complaint = setting.apply(config, value)) {
        return Fault(found.code, found.where + " " + *complaint, "write it like " + found.example);
      }
    }
  }
  return std::nullopt;
}

std::string default_db_path(const Environment& environment) {
  // The XDG specification: a relative path is to be ignored.
  const auto data = environment("XDG_DATA_HOME");
  if (data && data->starts_with('/')) return *data + "/open-chat/open-chat.db";
  const auto home = environment("HOME");
  if (home && home->starts_with('/')) return *home + "/.local/share/open-chat/open-chat.db";
  return "/var/lib/open-chat/open-chat.db";
}

Outcome<NodeCommand> build(const FoundSettings& found, const Environment& environment) {
  NodeConfig config;
  config.db_path = default_db_path(environment);
  for (const Setting& setting : settings()) {
    const auto entry = found.find(&setting);
    if (entry == found.end() || setting.apply == nullptr) continue;
    if (auto fault = apply(setting, entry->second, config)) return *std::move(fault);
  }
  const std::uint16_t port = config.port.value_or(kDefaultPort);
  if (port != 0 && config.p2p_port && *config.p2p_port == port) {
    return Fault(FaultCode::bad_flag, "--p2pport and --port are both " + std::to_string(port),
                 "give them different ports");
  }
  return NodeCommand(std::move(config));
}

void overwrite(char* text) { std::memset(text, '*', std::strlen(text)); }

}  // namespace

Outcome<NodeCommand> parse_node_command_line(std::span<const std::string> args,
                                             const Environment& environment,
                                             const FileReader& reader) {
  for (const std::string& arg : args) {
    if (arg == "--help" || arg == "-h") return NodeCommand(ShowHelp{});
    if (arg == "--version") return NodeCommand(ShowVersion{});
  }
  auto flags = read_flags(args);
  if (!flags) return flags.error();
  FoundSettings found = *std::move(flags);
  found.merge(read_environment(environment));
  if (const auto file = found.find(find_setting("config")); file != found.end()) {
    auto entries = read_file(file->second, reader);
    if (!entries) return entries.error();
    found.merge(*std::move(entries));
  }
  return build(found, environment);
}

void hide_secrets(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const Flag flag = split_flag(argv[i]);
    if (!contains(kSecretFlags, flag.name)) continue;
    if (flag.value) {
      overwrite(argv[i] + flag.name.size() + 1);
    } else if (i + 1 < argc) {
      overwrite(argv[++i]);
    }
  }
}

std::optional<std::string> system_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<std::string> read_config_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return error_code(errno, boost::system::system_category());
  std::string text(kMaxConfigFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return error_code(EIO, boost::system::system_category());
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxConfigFile) return Errc::limit_exceeded;
  return text;
}

}  // namespace oc::node
