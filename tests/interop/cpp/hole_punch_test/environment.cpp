#include "environment.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace oc::hole_punch_test {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& value,
                         const std::string& wanted) {
  throw std::runtime_error(fmt::format("{}={} where {} is wanted", name, value, wanted));
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string required(const std::string& name) {
  if (auto value = variable(name)) return *std::move(value);
  throw std::runtime_error(name + " is not set");
}

// The first or the second of two values.
bool is_first(const std::string& name, const std::string& value, const std::string& first,
              const std::string& second) {
  if (value != first && value != second) refuse(name, value, first + " or " + second);
  return value == first;
}

void read_redis_address(Environment& environment, const std::string& value) {
  const std::string name = "REDIS_ADDR";
  const auto colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0) refuse(name, value, "host:port");
  environment.redis_host = value.substr(0, colon);
  const std::string_view port = std::string_view(value).substr(colon + 1);
  const char* end = port.data() + port.size();
  const auto [stopped, error] = std::from_chars(port.data(), end, environment.redis_port);
  if (error != std::errc() || stopped != end) refuse(name, value, "host:port");
}

}  // namespace

Environment read_environment() {
  Environment environment;
  environment.debug = is_first("DEBUG", variable("DEBUG").value_or("false"), "true", "false");
  environment.is_dialer = is_first("MODE", required("MODE"), "dial", "listen");
  if (const auto transport = required("TRANSPORT"); transport != "tcp")
    refuse("TRANSPORT", transport, "tcp, the only one here,");
  if (const auto address = variable("REDIS_ADDR")) read_redis_address(environment, *address);
  return environment;
}

}  // namespace oc::hole_punch_test
