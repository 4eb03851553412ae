// toml++ 3.3 asserts that a key begins well just before it finds out, and says, that it does not.
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "node/config_settings.hpp"

namespace oc::node {
namespace {

Fault bad_line(const std::string& path, const toml::source_position& at, const std::string& what) {
  return {FaultCode::bad_config_file,
          "line " + std::to_string(at.line) + " of " + path + ": " + what};
}

// `name = "nas"`, `port = 1984`
std::string example_line(const Setting& setting, const toml::node& value) {
  const std::string quote = value.is_integer() ? "" : "\"";
  return std::string(setting.name) + " = " + quote + std::string(setting.example) + quote;
}

// A string, or an integer as text; nullopt for what no setting takes.
std::optional<std::string> scalar(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  return std::nullopt;
}

}  // namespace

Outcome<FoundSettings> read_toml(const std::string& text, const std::string& path) {
  const toml::parse_result file = toml::parse(text);
  // The parser's own description may repeat a piece of the line, which may hold a password.
  if (!file) {
    return bad_line(path, file.error().source().begin, "not valid TOML (a text stands in quotes)");
  }
  FoundSettings found;
  for (const auto& [key, node] : file.table()) {
    const toml::source_position at = key.source().begin;
    const Setting* setting = find_setting(key.str());
    if (setting == nullptr || setting->apply == nullptr) {
      return bad_line(path, at, "there is no setting " + quoted(key.str()));
    }
    const std::string name(setting->name);
    Found entry{"line " + std::to_string(at.line) + " of " + path + ": " + name,
                example_line(*setting, node),
                FaultCode::bad_config_file,
                {}};
    if (auto value = scalar(node)) {
      entry.values.push_back(*std::move(value));
    } else if (const toml::array* list = node.as_array(); list != nullptr && setting->several) {
      for (const toml::node& item : *list) {
        auto one = scalar(item);
        if (!one) return bad_line(path, at, name + " has an entry that is not a text");
        entry.values.push_back(*std::move(one));
      }
    } else {
      const std::string wanted = setting->several ? "neither a text nor a list of texts"
                                                  : "neither a text nor a whole number";
      return bad_line(path, at, name + " is " + wanted);
    }
    found.emplace(setting, std::move(entry));
  }
  return found;
}

}  // namespace oc::node
