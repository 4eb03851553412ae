// UpnpGateway: a Gateway that speaks UPnP IGD, version 1 or 2.
//
//   search by multicast ──▶ answers that speak of their senders ──▶ description ──▶ service
//   service: GetExternalIPAddress, AddPortMapping, DeletePortMapping
//
// miniupnpc does the same, but blocks, waits as long as the other side likes, takes as much as it
// sends, and reads past the end of some broken XML (2.2.4).
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <vector>

#include "p2p/nat/gateway.hpp"
#include "p2p/nat/upnp_message.hpp"

namespace oc::p2p {

// Devices answer within a second, as the search asks them to.
inline constexpr Duration kSsdpWait = std::chrono::milliseconds(1500);
// Datagrams looked at in one search: a home has few devices, and each answers four questions.
inline constexpr std::size_t kMaxSsdpAnswers = 256;
// For one request and its answer. Slow routers take a second.
inline constexpr Duration kUpnpTime = std::chrono::seconds(3);

struct UpnpOptions {
  asio::ip::udp::endpoint search_at{asio::ip::address_v4(0xEFFFFFFA), 1900};  // 239.255.255.250
};

class UpnpGateway final : public Gateway {
 public:
  explicit UpnpGateway(Clock& clock, UpnpOptions options = {})
      : clock_(clock), options_(std::move(options)) {}

  std::string_view protocol() const override { return "upnp"; }
  awaitable<Result<asio::ip::address_v4>> find() override;
  awaitable<Result<MappingGrant>> map(MappingRequest request) override;
  awaitable<Result<void>> unmap(Port internal, Port external) override;

 private:
  struct Answered {
    UpnpAnswer answer;
    asio::ip::address_v4 local;  // from which this machine asked
  };

  awaitable<Result<std::vector<HttpPlace>>> search();
  awaitable<std::vector<UpnpService>> services_at(HttpPlace place);
  // The external address; the service is then the one in use.
  awaitable<Result<asio::ip::address_v4>> try_service(UpnpService service);
  awaitable<Result<Answered>> act(UpnpService service, std::string action, UpnpArguments arguments);
  awaitable<Result<void>> add(MappingRequest request, std::int64_t lease_seconds);
  // Whether the router's mapping of that port leads to this machine's.
  awaitable<bool> is_ours(Port internal, Port external);

  Clock& clock_;
  UpnpOptions options_;
  std::optional<UpnpService> service_;  // found last; it may be gone by now
  asio::ip::address_v4 local_;
};

}  // namespace oc::p2p
