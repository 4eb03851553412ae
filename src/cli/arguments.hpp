// Single-dash long names: `nodes -ls` is `nodes --ls`.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <vector>

namespace oc::cli {

// The arguments with "-name" and "-name=value" turned into "--name…" wherever `app` or a command of
// it has a long flag of that name (of two letters or more). What is the value of a flag, and what
// stands behind "--", stays as it is.
std::vector<std::string> expand_single_dash(std::span<const std::string> args, const CLI::App& app);

}  // namespace oc::cli
