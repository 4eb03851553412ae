#include "cli/arguments.hpp"

#include <algorithm>
#include <map>

namespace oc::cli {
namespace {

using TakesValue = std::map<std::string, bool>;

// Where commands differ (`identity -b64`, `register --b64 S`) the name counts as taking no value.
void collect(const CLI::App& app, TakesValue& flags) {
  const auto add = [&flags](const std::string& name, bool takes_value) {
    const auto [place, is_new] = flags.emplace(name, takes_value);
    if (!is_new) place->second = place->second && takes_value;
  };
  for (const CLI::Option* option : app.get_options()) {
    const bool takes_value = option->get_items_expected_min() > 0;
    for (const std::string& name : option->get_lnames()) add("--" + name, takes_value);
    for (const std::string& name : option->get_snames()) add("-" + name, takes_value);
  }
  for (const CLI::App* command : app.get_subcommands({})) collect(*command, flags);
}

}  // namespace

std::vector<std::string> expand_single_dash(std::span<const std::string> args,
                                            const CLI::App& app) {
  TakesValue flags;
  collect(app, flags);
  std::vector<std::string> expanded;
  bool is_value = false;
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string arg = args[i];
    if (arg == "--" && !is_value) {
      expanded.insert(expanded.end(), args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
      break;
    }
    const std::size_t name_end = std::min(arg.find('='), arg.size());
    const bool single = arg.size() > 2 && arg[0] == '-' && arg[1] != '-';
    if (!is_value && single && name_end > 2 && flags.contains("-" + arg.substr(0, name_end))) {
      arg.insert(0, "-");
    }
    const auto flag = flags.find(arg);
    is_value = !is_value && flag != flags.end() && flag->second;
    expanded.push_back(std::move(arg));
  }
  return expanded;
}

}  // namespace oc::cli
