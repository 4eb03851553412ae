#include "cli/surroundings.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/terminal.hpp"
#include "net/tcp.hpp"

namespace oc::cli {
namespace {

// Tries each address of the host in turn; the last one's error stands for all.
awaitable<Result<std::unique_ptr<net::Stream>>> connect_by_tcp(std::string host,
                                                               std::uint16_t port) {
  CO_TRY(const std::vector<net::TcpAddress> addresses,
         co_await net::resolve(std::move(host), port));
  error_code last = Errc::not_found;
  for (const net::TcpAddress& address : addresses) {
    Result<std::unique_ptr<net::SocketStream>> stream = co_await net::tcp_connect(address);
    if (stream) co_return std::unique_ptr<net::Stream>(*std::move(stream));
    last = stream.error();
  }
  co_return last;
}

std::optional<std::string> read_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> next_input_line(const std::string&, bool) {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

Surroundings system_surroundings() {
  const bool interactive = ::isatty(STDIN_FILENO) == 1;
  return {
      read_environment, connect_by_tcp, interactive ? Ask(ask_on_terminal) : Ask(next_input_line),
      interactive,      std::cout,      std::cerr};
}

}  // namespace oc::cli
