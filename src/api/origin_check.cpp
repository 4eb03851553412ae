#include "api/origin_check.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace oc::api {
namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_ip_literal(std::string_view text) {
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(std::string(text), failed);
  return !failed && (address.is_v4() || text.find('%') == std::string_view::npos);
}

// "[…]" or "[…]:port".
bool is_bracketed_literal(std::string_view host) {
  const auto end = host.find(']');
  if (end == std::string_view::npos) return false;
  const std::string_view rest = host.substr(end + 1);
  const std::string_view literal = host.substr(1, end - 1);
  return literal.find(':') != std::string_view::npos && is_ip_literal(literal) &&
         (rest.empty() || (rest[0] == ':' && is_port(rest.substr(1))));
}

}  // namespace

bool is_own_host(std::string_view host, const std::vector<std::string>& host_names) {
  if (host.starts_with('[')) return is_bracketed_literal(host);
  const auto colon = host.find(':');
  if (colon != std::string_view::npos && !is_port(host.substr(colon + 1))) return false;
  const std::string_view name = host.substr(0, colon);
  if (net::equal_ignoring_case(name, "localhost") || is_ip_literal(name)) return true;
  return std::any_of(host_names.begin(), host_names.end(), [name](const std::string& own) {
    return net::equal_ignoring_case(name, own);
  });
}

bool is_own_origin(const net::HttpHeaders& headers, const std::vector<std::string>& host_names) {
  const auto host = net::find_header(headers, "host");
  if (!host || net::count_header(headers, "host") != 1 || !is_own_host(*host, host_names))
    return false;
  const std::size_t origins = net::count_header(headers, "origin");
  if (origins == 0) return true;
  std::string_view origin = *net::find_header(headers, "origin");
  if (origins != 1) return false;
  if (origin.starts_with("http://")) {
    origin.remove_prefix(7);
  } else if (origin.starts_with("https://")) {
    origin.remove_prefix(8);
  } else {
    return false;
  }
  return net::equal_ignoring_case(origin, *host);
}

}  // namespace oc::api
