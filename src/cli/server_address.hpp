// Where the client finds its node: the value of --host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fault.hpp"

namespace oc::cli {

inline constexpr std::string_view kDefaultServer = "http://localhost:1984";

struct ServerAddress {
  std::string host;  // a name or an IP address, IPv6 without brackets; lower case
  std::uint16_t port = 1984;

  // "localhost:1984", "[::1]:1984": as in the Host header.
  std::string authority() const;
  // "http://localhost:1984": normalised, the name under which a session is kept.
  std::string url() const;
};

// "http://localhost:1984", or shorter: the scheme, the port (1984) and a last '/' may be left out.
// FaultCode::bad_flag for anything else, https included.
Outcome<ServerAddress> parse_server(std::string_view text);

}  // namespace oc::cli
