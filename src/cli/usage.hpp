// --help of the client and of its commands.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace oc::cli {

// Prints a command's usage, what it does, its arguments and flags, and its examples (its footer). A
// flag's placeholder is its option_text().
class Help final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

}  // namespace oc::cli
