#include "environment.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "p2p/upgrade/upgrade.hpp"

namespace oc::transport_test {
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

bool truth(const std::string& name, const std::string& value) {
  if (value != "true" && value != "false") refuse(name, value, "true or false");
  return value == "true";
}

template <class Number>
Number number(const std::string& name, std::string_view digits, Number max) {
  Number value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stopped != end || value < 1 || value > max)
    refuse(name, std::string(digits), fmt::format("a number from 1 to {}", max));
  return value;
}

void require_only(const std::string& name, const std::string& only) {
  if (const auto value = required(name); value != only)
    refuse(name, value, only + ", the only one here,");
}

std::string security_protocol() {
  const std::string name = "SECURE_CHANNEL";
  const auto value = required(name);
  if (value == "noise") return p2p::kNoiseId;
  if (value == "tls") return p2p::kTlsId;
  refuse(name, value, "noise or tls");
}

// "host:port"; an IPv6 address is in brackets.
void read_redis_address(Environment& environment) {
  const std::string name = "REDIS_ADDR";
  const auto value = required(name);
  const auto colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0) refuse(name, value, "host:port");
  std::string_view host = std::string_view(value).substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  environment.redis_host = host;
  environment.redis_port =
      number<std::uint16_t>(name, std::string_view(value).substr(colon + 1), 65535);
}

asio::ip::address ip_address(const std::string& name) {
  const auto value = required(name);
  error_code error;
  auto address = asio::ip::make_address(value, error);
  if (error) refuse(name, value, "an IP address");
  return address;
}

}  // namespace

Environment read_environment() {
  Environment environment;
  environment.debug = truth("DEBUG", variable("DEBUG").value_or("false"));
  environment.is_dialer = truth("IS_DIALER", required("IS_DIALER"));
  read_redis_address(environment);
  environment.redis_key = required("TEST_KEY") + "_listener_multiaddr";
  require_only("TRANSPORT", "tcp");
  environment.security = security_protocol();
  require_only("MUXER", "yamux");
  if (!environment.is_dialer) environment.listener_ip = ip_address("LISTENER_IP");
  if (const auto limit = variable("TEST_TIMEOUT_SECS"))
    environment.timeout =
        std::chrono::seconds(number("TEST_TIMEOUT_SECS", *limit, kMaxTimeout.count()));
  return environment;
}

}  // namespace oc::transport_test
