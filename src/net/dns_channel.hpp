// One c-ares channel (a set of DNS servers, and queries to them), driven by Asio.
#pragma once

#include <ares.h>

#include <memory>
#include <string>

#include "base/async.hpp"
#include "base/clock.hpp"

namespace oc::net {

struct DnsOptions {
  // "192.0.2.1:53,[2001:db8::1]:53". Empty: those of /etc/resolv.conf, with its search list.
  std::string servers;
  // A server has so long to answer the first time; c-ares doubles it with each round of tries.
  Duration try_timeout = std::chrono::milliseconds(1500);
  int tries = 2;  // of each server
  // For a look-up altogether, however many servers and search domains there are.
  Duration total_timeout = std::chrono::seconds(4);
};

// Thread: the executor's. Not to be destroyed or closed inside a callback of its own queries.
class DnsChannel {
 public:
  // Reads the system's configuration anew, some small files. Errors: dns_error().
  static Result<std::unique_ptr<DnsChannel>> open(const Executor& executor,
                                                  const DnsOptions& options);
  ~DnsChannel();  // close()

  // For starting queries; call drive() after that. Null once closed.
  ares_channel handle() const;
  void drive();
  // Ends all queries: those that were under way call back with ARES_EDESTRUCTION.
  void close();

 private:
  struct State;
  explicit DnsChannel(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;  // shared with waits for sockets and time, which may end later
};

// A status of c-ares as an error; those that net::Resolver names are Errc.
error_code dns_error(int status);

}  // namespace oc::net
