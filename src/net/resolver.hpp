// Resolver: what the names of hosts stand for. The seam; DnsResolver asks the system's servers.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

#include "base/async.hpp"

namespace oc::net {

enum class AddressFamily { any, v4, v6 };

// Errors of all look-ups: Errc::not_found (there is no such name, or nothing of that kind under
// it), ::timed_out, ::malformed (no name that DNS can carry), ::limit_exceeded (too many look-ups
// under way), ::closed (the resolver is gone), ::cancelled, or what the servers said.
class Resolver {
 public:
  virtual ~Resolver() = default;

  // The addresses of a host, at least one; an address that is written out stands for itself. Of
  // AddressFamily::any the kinds alternate, IPv6 first (RFC 8305, section 4), so that either is
  // among the first few.
  virtual awaitable<Result<std::vector<asio::ip::address>>> addresses_of(std::string name,
                                                                         AddressFamily family) = 0;
  // The TXT records of a name, at least one; the strings of a record are joined. Any bytes.
  virtual awaitable<Result<std::vector<std::string>>> texts_of(std::string name) = 0;
};

}  // namespace oc::net
