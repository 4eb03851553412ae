#include "p2p/nat/ssdp.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "net/http.hpp"
#include "net/http_head.hpp"
#include "net/tcp.hpp"

namespace oc::p2p {
namespace {

constexpr std::string_view kScheme = "http://";

bool is_on_this_link(const boost::asio::ip::address_v4& address) {
  using codec::AddressScope;
  const AddressScope scope = net::to_multiaddr({address, 1}).scope();
  return scope == AddressScope::private_use || scope == AddressScope::link_local ||
         scope == AddressScope::loopback;
}

Result<Port> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || port == 0) return Errc::malformed;
  return Port(port);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// Cuts the next line off, without its end.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trimmed(line);
}

}  // namespace

Result<HttpPlace> parse_http_url(std::string_view url) {
  if (url.size() > kMaxUrl) return Errc::limit_exceeded;
  if (!net::equal_ignoring_case(url.substr(0, kScheme.size()), kScheme)) return Errc::unsupported;
  url.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  const std::string_view authority = url.substr(0, slash);
  const std::size_t colon = std::min(authority.find(':'), authority.size());
  HttpPlace place{{}, Port(80), std::string(url.substr(slash))};
  if (place.path.empty()) place.path = "/";
  if (!net::is_origin_form(place.path)) return Errc::malformed;
  error_code failed;
  place.host = boost::asio::ip::make_address_v4(std::string(authority.substr(0, colon)), failed);
  if (failed) return Errc::unsupported;
  if (colon < authority.size()) {
    TRY(place.port, parse_port(authority.substr(colon + 1)));
  }
  return place;
}

std::string ssdp_search(std::string_view type) {
  return "M-SEARCH * HTTP/1.1\r\n"
         "HOST: 239.255.255.250:1900\r\n"
         "MAN: \"ssdp:discover\"\r\n"
         "MX: 1\r\n"
         "ST: " +
         std::string(type) + "\r\n\r\n";
}

Result<HttpPlace> parse_ssdp_answer(std::string_view datagram, boost::asio::ip::address_v4 sender) {
  if (datagram.size() > kMaxSsdpAnswer) return Errc::limit_exceeded;
  const std::string_view status = next_line(datagram);
  if (status.size() < 12 || !status.starts_with("HTTP/1.") || status.substr(8, 4) != " 200")
    return Errc::malformed;
  for (std::string_view line = next_line(datagram); !line.empty(); line = next_line(datagram)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!net::equal_ignoring_case(trimmed(line.substr(0, colon)), "location")) continue;
    TRY(HttpPlace place, parse_http_url(trimmed(line.substr(colon + 1))));
    if (place.host != sender || !is_on_this_link(sender)) return Errc::permission_denied;
    return place;
  }
  return Errc::malformed;
}

void SsdpPlaces::take(std::string_view datagram, boost::asio::ip::address_v4 sender) {
  auto place = parse_ssdp_answer(datagram, sender);
  if (!place || std::ranges::find(places_, *place) != places_.end()) return;
  std::set<boost::asio::ip::address_v4> others;
  for (const HttpPlace& known : places_) {
    if (known.host != router_) others.insert(known.host);
  }
  const bool is_router = sender == router_;
  if (!is_router && !others.contains(sender) && others.size() >= kMaxUpnpDevices) return;
  if (std::ranges::count(places_, sender, &HttpPlace::host) >= std::ptrdiff_t{kMaxPlacesOfDevice})
    return;
  const auto behind_router = std::ranges::find_if(
      places_, [this](const HttpPlace& known) { return known.host != router_; });
  places_.insert(is_router ? behind_router : places_.end(), *std::move(place));
}

}  // namespace oc::p2p
