#include "cli/server_address.hpp"

#include <algorithm>
#include <charconv>

#include "cli/terminal_text.hpp"

namespace oc::cli {
namespace {

constexpr std::string_view kHostCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

Fault bad(std::string_view text, const std::string& what) {
  return {FaultCode::bad_flag, "--host is '" + printable(text.substr(0, 100)) + "', " + what,
          "write it like --host " + std::string(kDefaultServer)};
}

}  // namespace

std::string ServerAddress::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string ServerAddress::url() const { return "http://" + authority(); }

Outcome<ServerAddress> parse_server(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) return bad(text, "but this version speaks http only");
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);

  ServerAddress address;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return bad(text, "which has no ']'");
    address.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (address.host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos) {
      return bad(text, "which has no IPv6 address between the brackets");
    }
  } else {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    address.host = rest.substr(0, end);
    rest.remove_prefix(end);
    if (address.host.find_first_not_of(kHostCharacters) != std::string::npos) {
      return bad(text, "not the URL of a node");
    }
  }
  if (address.host.empty()) return bad(text, "which names no host");
  std::transform(address.host.begin(), address.host.end(), address.host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (rest.empty()) return address;

  const char* end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data() + 1, end, address.port);
  if (rest.front() != ':' || error != std::errc() || stop != end || address.port == 0) {
    return bad(text, "which has no port from 1 to 65535 behind the host");
  }
  return address;
}

}  // namespace oc::cli
