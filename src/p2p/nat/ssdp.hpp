// Searching for UPnP devices: the messages of SSDP, without I/O.
//
// Source: UPnP Device Architecture 2.0, 1.3 (discovery; HTTP's grammar over UDP).
#pragma once

#include <boost/asio/ip/address_v4.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/strong.hpp"

namespace oc::p2p {

// An answer that is longer is refused; real ones have about 500 bytes.
inline constexpr std::size_t kMaxSsdpAnswer = 2048;
inline constexpr std::size_t kMaxUrl = 256;

// What an http:// URL of a device names. The host is an address, never a name.
struct HttpPlace {
  boost::asio::ip::address_v4 host;
  Port port;
  std::string path;  // with its query; in origin form

  bool operator==(const HttpPlace&) const = default;
};

// Errc::unsupported for another scheme, a host that is no IPv4 literal, or credentials;
// Errc::malformed; Errc::limit_exceeded above kMaxUrl.
Result<HttpPlace> parse_http_url(std::string_view url);

// The question for devices or services of one type.
std::string ssdp_search(std::string_view type);

// Where an answer says that its device describes itself. `sender` is whom the datagram came from:
// Errc::permission_denied unless it speaks of itself and is on a private, link-local or loopback
// address. Nobody else on the link can thereby make us ask a third machine. Other errors:
// Errc::malformed, Errc::limit_exceeded, those of parse_http_url.
Result<HttpPlace> parse_ssdp_answer(std::string_view datagram, boost::asio::ip::address_v4 sender);

}  // namespace oc::p2p
