// What is said to a UPnP Internet gateway by HTTP: its description, and SOAP actions. Without I/O.
//
// Source: UPnP Device Architecture 2.0, 2 (description) and 3 (control);
// UPnP InternetGatewayDevice:1 and :2, services WANIPConnection and WANPPPConnection.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.hpp"
#include "p2p/nat/ssdp.hpp"

namespace oc::p2p {

// Real descriptions have 2 to 10 KiB, answers below one.
inline constexpr std::size_t kMaxUpnpBody = 64 * 1024;
inline constexpr std::size_t kMaxUpnpHead = 4 * 1024;
// A gateway has one for each kind of line to the internet.
inline constexpr std::size_t kMaxUpnpServices = 4;
// Texts of an answer: more than any has; longer ones are none that we ask for.
inline constexpr std::size_t kMaxUpnpValues = 64;
inline constexpr std::size_t kMaxUpnpValue = 128;  // bytes

// A service that maps ports, and where it takes actions.
struct UpnpService {
  HttpPlace control;
  std::string type;  // "urn:schemas-upnp-org:service:WANIPConnection:1"

  bool operator==(const UpnpService&) const = default;
};

// The services of the description that was read at `from`, at most
// kMaxUpnpServices. Left out are those of other
// types, and those that lead to another host than `from`.
std::vector<UpnpService> parse_upnp_description(std::string_view xml, const HttpPlace& from);

using UpnpArguments = std::vector<std::pair<std::string_view, std::string>>;

// Arguments must not need escaping (numbers, addresses, our own names).
net::HttpRequest upnp_action(const UpnpService& service, std::string_view action,
                             const UpnpArguments& arguments);

// An answer to an action. Each text is what the router says: to be checked, never shown.
class UpnpAnswer {
 public:
  // Errc::limit_exceeded above kMaxUpnpBody or kMaxUpnpValues.
  static Result<UpnpAnswer> parse(std::string_view xml);

  // The text of the element of that name; empty if there is none.
  std::string_view value(std::string_view name) const;
  // UPnP's error code; 0 when the answer is none of an error.
  int error() const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace oc::p2p
