// Asking a person on the terminal.
#pragma once

#include <optional>
#include <string>

namespace oc::cli {

// Writes `prompt` to /dev/tty and reads a line from it, not shown unless `echo`. The terminal is as
// before when it returns; a signal that ends or stops the process meanwhile is acted on only after
// that. nullopt when there is no terminal or no line.
std::optional<std::string> ask_on_terminal(const std::string& prompt, bool echo);

}  // namespace oc::cli
