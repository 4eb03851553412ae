#include "harness/variables.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "p2p/upgrade/upgrade.hpp"

namespace oc::harness {

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string required(const std::string& name) {
  if (auto value = variable(name)) return *std::move(value);
  throw std::runtime_error(name + " is not set");
}

void refuse(const std::string& name, const std::string& value, const std::string& wanted) {
  throw std::runtime_error(fmt::format("{}={} where {} is wanted", name, value, wanted));
}

bool is_first(const std::string& name, const std::string& value, const std::string& first,
              const std::string& second) {
  if (value != first && value != second) refuse(name, value, first + " or " + second);
  return value == first;
}

bool truth(const std::string& name, const std::string& value) {
  return is_first(name, value, "true", "false");
}

std::uint64_t number(const std::string& name, const std::string& value, std::uint64_t max) {
  std::uint64_t out = 0;
  const char* end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, out);
  if (error != std::errc() || stopped != end || out < 1 || out > max)
    refuse(name, value, fmt::format("a number from 1 to {}", max));
  return out;
}

void require_only(const std::string& name, const std::string& only) {
  if (const auto value = required(name); value != only)
    refuse(name, value, only + ", the only one here,");
}

std::string security_protocol() {
  const std::string name = "SECURE_CHANNEL";
  return is_first(name, required(name), "noise", "tls") ? p2p::kNoiseId : p2p::kTlsId;
}

RedisAddress redis_address(const std::string& name, const std::string& value) {
  const auto colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0) refuse(name, value, "host:port");
  std::string host = value.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = number(name, value.substr(colon + 1), 65535);
  return {std::move(host), static_cast<std::uint16_t>(port)};
}

asio::ip::address ip_address(const std::string& name, const std::string& value) {
  error_code error;
  auto address = asio::ip::make_address(value, error);
  if (error) refuse(name, value, "an IP address");
  return address;
}

}  // namespace oc::harness
