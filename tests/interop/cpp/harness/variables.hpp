// The environment variables by which the harnesses of libp2p say what they ask of a run.
//
// All throw std::runtime_error that names the variable when it is missing or malformed, or asks for
// what this library has not.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "base/async.hpp"

namespace oc::harness {

struct RedisAddress {
  std::string host;
  std::uint16_t port = 0;
};

// Nothing where it is not set, or empty.
std::optional<std::string> variable(const std::string& name);
std::string required(const std::string& name);
[[noreturn]] void refuse(const std::string& name, const std::string& value,
                         const std::string& wanted);

// Whether a value is the first of two that there are.
bool is_first(const std::string& name, const std::string& value, const std::string& first,
              const std::string& second);
bool truth(const std::string& name, const std::string& value);
std::uint64_t number(const std::string& name, const std::string& value, std::uint64_t max);
void require_only(const std::string& name, const std::string& only);
// SECURE_CHANNEL, as p2p::kNoiseId or p2p::kTlsId.
std::string security_protocol();
// "host:port"; an IPv6 address is in brackets.
RedisAddress redis_address(const std::string& name, const std::string& value);
asio::ip::address ip_address(const std::string& name, const std::string& value);

}  // namespace oc::harness
