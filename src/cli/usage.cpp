#include "cli/usage.hpp"

#include <algorithm>
#include <vector>

#include "cli/terminal_text.hpp"

namespace oc::cli {
namespace {

using Row = std::pair<std::string, std::string>;

// Two columns; a first column that is too wide stands on a line of its own.
std::string columns(const std::string& title, const std::vector<Row>& rows) {
  constexpr std::size_t kWidest = 30;
  if (rows.empty()) return {};
  std::size_t width = 0;
  for (const Row& row : rows) {
    if (display_width(row.first) <= kWidest) width = std::max(width, display_width(row.first));
  }
  std::string out = "\n" + title + "\n";
  for (const auto& [first, second] : rows) {
    const std::size_t used = display_width(first);
    out += "  " + first;
    out += used > width ? "\n" + std::string(width + 4, ' ') : std::string(width - used + 2, ' ');
    out += second + "\n";
  }
  return out;
}

// "-c, --count N", "--traffic-origin, --origin O"
std::string flag_name(const CLI::Option& option) {
  std::string names;
  const auto add = [&names](const std::string& name) {
    names += (names.empty() ? "" : ", ") + name;
  };
  for (const std::string& name : option.get_snames()) add("-" + name);
  for (const std::string& name : option.get_lnames()) add("--" + name);
  return option.get_option_text().empty() ? names : names + " " + option.get_option_text();
}

std::string description(const CLI::Option& option) {
  return option.get_description() +
         (option.get_required() && option.nonpositional() ? " (required)" : "");
}

std::vector<Row> rows_of(const CLI::App& app, bool positional) {
  std::vector<Row> rows;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() != positional) continue;
    rows.emplace_back(positional ? option->get_name(true) : flag_name(*option),
                      description(*option));
  }
  return rows;
}

}  // namespace

std::string Help::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  const bool is_root = app->get_parent() == nullptr;
  std::string text = "open-chat client " + (is_root ? "<command>" : app->get_name());
  for (const Row& row : rows_of(*app, true)) text += " " + row.first;
  text += " [flags]\n\n" + app->get_description() + ".\n";

  std::vector<Row> commands;
  for (const CLI::App* command : app->get_subcommands({})) {
    commands.emplace_back(command->get_name(), command->get_description());
  }
  text += columns("Commands:", commands);
  text += columns("Arguments:", rows_of(*app, true));
  text += columns(is_root ? "Flags of every command:" : "Flags:", rows_of(*app, false));
  if (!is_root) {
    text += "  --host, --node, --session-id and --json as well: see `open-chat client --help`.\n";
  }
  if (!app->get_footer().empty()) text += "\n" + app->get_footer() + "\n";
  return text;
}

}  // namespace oc::cli
