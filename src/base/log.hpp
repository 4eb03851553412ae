// The log: one line an event on stderr, as text or JSON. Secrets never go through here.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace oc::log {

enum class Level { trace, debug, info, warn, error, off };
enum class Format { text, json };

// "trace", "debug", "info", "warn", "error", "off"; Errc::malformed otherwise.
Result<Level> parse_level(std::string_view name);
Result<Format> parse_format(std::string_view name);
// Sets both for the process. Call before other threads start.
void configure(Level level, Format format);
bool enabled(Level level);
void write(Level level, std::string_view message);
// Writes, flushes and aborts: for bugs.
[[noreturn]] void die(std::string_view message);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::warn)) write(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::error)) write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
[[noreturn]] void fatal(fmt::format_string<Args...> format, Args&&... args) {
  die(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace oc::log
