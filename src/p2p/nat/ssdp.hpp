// Searching for UPnP devices: the messages of SSDP, without I/O.
//
// Source: UPnP Device Architecture 2.0, 1.3 (discovery; HTTP's grammar over UDP).
#pragma once

#include <boost/asio/ip/address_v4.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/strong.hpp"

namespace oc::p2p {

// An answer that is longer is refused; real ones have about 500 bytes.
inline constexpr std::size_t kMaxSsdpAnswer = 2048;
inline constexpr std::size_t kMaxUrl = 256;
// Devices asked for their description, beside the default router, and descriptions of one: a home
// has few, and anybody on the link can send more.
inline constexpr std::size_t kMaxUpnpDevices = 4;
inline constexpr std::size_t kMaxPlacesOfDevice = 2;

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

// The places that answers to one search name, and in which order to ask them: the default router's
// first, then those of the others as they came. A router may describe itself more than once, for
// its versions; beyond that nobody gets the turn of another. Pure state.
class SsdpPlaces {
 public:
  // `router`: the default one, if it is known; its answers have room beside those of all others.
  explicit SsdpPlaces(std::optional<boost::asio::ip::address_v4> router) : router_(router) {}

  // Takes an answer; what parse_ssdp_answer() refuses, and what goes beyond the bounds, is dropped.
  void take(std::string_view datagram, boost::asio::ip::address_v4 sender);
  const std::vector<HttpPlace>& ordered() const { return places_; }

 private:
  std::optional<boost::asio::ip::address_v4> router_;
  std::vector<HttpPlace> places_;
};

}  // namespace oc::p2p
