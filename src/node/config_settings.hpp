// The table of the node's settings, from which flags, environment, file and help are made.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/config.hpp"

namespace oc::node {

// What is wrong with a value, to be read after the setting's name: "is not a port". Nothing of a
// secret is in it.
using Complaint = std::optional<std::string>;

struct Setting {
  std::string_view name;        // "p2pport": the flag --p2pport, the file's key
  std::string_view short_flag;  // "-pp2p", or empty
  std::string_view placeholder;
  std::string_view help;     // may have several lines
  std::string_view example;  // a value
  FaultCode code;
  bool several;          // may be given more than once
  bool comma_separated;  // one text may hold several values
  // Null for `config`, which is no part of the configuration but says where to find more of it.
  Complaint (*apply)(NodeConfig& config, const std::string& value);
};

std::span<const Setting> settings();
// By name without dashes; null if there is none.
const Setting* find_setting(std::string_view name);
// By flag, "--port" or "-p"; null if there is none.
const Setting* find_flag(std::string_view flag);
// "OPEN_CHAT_DB_PATH"
std::string variable_of(const Setting& setting);

// Values as they were found, before any check.
struct Found {
  std::string where;    // for messages: "--port", "OPEN_CHAT_PORT", "line 3 of node.toml: port"
  std::string example;  // the setting's example as one writes it there
  FaultCode code;
  std::vector<std::string> values;
};
using FoundSettings = std::map<const Setting*, Found>;

// The settings of a configuration file's text; `path` is for messages.
Outcome<FoundSettings> read_toml(const std::string& text, const std::string& path);

// A text of a user, fit for a one-line message: quoted, without control characters, cut at 64
// bytes.
std::string quoted(std::string_view text);

}  // namespace oc::node
