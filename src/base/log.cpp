#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace oc::log {
namespace {

Format& current_format() {
  static Format format = Format::text;
  return format;
}

spdlog::logger& logger() {
  static auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("open-chat",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-5l %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

Result<Level> parse_level(std::string_view name) {
  if (name == "trace") return Level::trace;
  if (name == "debug") return Level::debug;
  if (name == "info") return Level::info;
  if (name == "warn") return Level::warn;
  if (name == "error") return Level::error;
  if (name == "off") return Level::off;
  return Errc::malformed;
}

Result<Format> parse_format(std::string_view name) {
  if (name == "text") return Format::text;
  if (name == "json") return Format::json;
  return Errc::malformed;
}

void configure(Level level, Format format) {
  logger().set_level(native(level));
  current_format() = format;
  if (format == Format::json) {
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})",
                         spdlog::pattern_time_type::utc);
  }
}

bool enabled(Level level) { return logger().should_log(native(level)); }

void write(Level level, std::string_view message) {
  if (current_format() == Format::json) {
    const auto quoted = nlohmann::json(std::string(message))
                            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    logger().log(native(level), "{}", quoted);
  } else {
    // A peer's text must not forge lines of the log.
    std::string line(message);
    for (char& c : line) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    logger().log(native(level), "{}", line);
  }
}

void die(std::string_view message) {
  write(Level::error, message);
  logger().flush();
  std::abort();
}

}  // namespace oc::log
