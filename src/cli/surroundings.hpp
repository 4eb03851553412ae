// All that the client touches of the world, injected so that tests can fake it.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "net/stream.hpp"

namespace oc::cli {

// The value of an environment variable; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Opens a connection to a host (a name or an IP address). Its time-out is the caller's.
using Connect = std::function<awaitable<Result<std::unique_ptr<net::Stream>>>(std::string host,
                                                                              std::uint16_t port)>;

// Gets a line from the user: asked for by `prompt` on the terminal, where it is not shown unless
// `echo`; or the next line of standard input when that is no terminal. nullopt when there is none.
using Ask = std::function<std::optional<std::string>(const std::string& prompt, bool echo)>;

struct Surroundings {
  Environment environment;
  Connect connect;
  Ask ask;
  bool interactive;   // ask() speaks with a person
  std::ostream& out;  // results only
  std::ostream& err;  // diagnostics
};

// The process's own: its environment and streams, /dev/tty, and TCP.
Surroundings system_surroundings();

}  // namespace oc::cli
