#include "cli/commands.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

namespace oc::cli {

using nlohmann::json;

void Client::print(const json& value) {
  world.out << value.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

void Client::print(const Table& table) { world.out << table.to_string(); }

void Client::note(const std::string& text) { world.err << printable(text) << '\n'; }

void require_node(const Globals& globals) {
  if (globals.node.empty()) throw CLI::RequiredError("--node");
}

std::string cell(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (found->is_string()) return found->get<std::string>();
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  if (!found->is_array()) return found->dump(-1, ' ', false, json::error_handler_t::replace);
  std::string joined;
  for (const json& item : *found) {
    if (!joined.empty()) joined += ", ";
    joined += item.is_string() ? item.get<std::string>()
                               : item.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return joined;
}

std::string cell_ms(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return {};
  return fmt::format("{:.1f} ms", found->get<double>());
}

}  // namespace oc::cli
