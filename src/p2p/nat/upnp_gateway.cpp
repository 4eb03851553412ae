#include "p2p/nat/upnp_gateway.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/multicast.hpp>

#include "base/deadline.hpp"
#include "net/tcp.hpp"
#include "p2p/nat/default_gateway.hpp"

namespace oc::p2p {
namespace {

using asio::ip::address_v4;
using asio::ip::udp;
using std::to_string;

// Version 2 answers to 1 as well, where it keeps to the rules; some old routers answer only for the
// service.
constexpr std::array kSearched = {
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
};
constexpr const char* kDescription = "open-chat";
constexpr const char* kProtocol = "TCP";

// UPnP's error codes: UDA 2.0, 3.2.5; WANIPConnection:2, 2.5.
constexpr int kNoSuchEntry = 714, kConflict = 718, kOnlyPermanent = 725;

struct HttpExchange {
  net::HttpResponse response;
  address_v4 local;
};

awaitable<Result<HttpExchange>> exchange(HttpPlace place, net::HttpRequest request) {
  const net::TcpAddress at(place.host, place.port.value());
  CO_TRY(auto stream, co_await net::tcp_connect(at));
  CO_TRY(const net::TcpAddress local, net::local_address(*stream));
  net::HttpLimits limits;
  limits.header_bytes = kMaxUpnpHead;
  limits.body_bytes = kMaxUpnpBody;
  CO_TRY(auto response,
         co_await net::http_call(*stream, std::move(request), net::to_text(at), limits));
  HttpExchange done{std::move(response), local.address().to_v4()};
  co_return done;
}

error_code upnp_error(int code) {
  return code == kConflict ? NatErrc::port_taken : NatErrc::refused;
}

awaitable<Result<void>> collect(udp::socket& socket, SsdpPlaces& places) {
  FixedBytes<kMaxSsdpAnswer> datagram;
  for (std::size_t i = 0; i < kMaxSsdpAnswers; ++i) {
    udp::endpoint sender;
    auto [error, size] = co_await socket.async_receive_from(asio::buffer(datagram), sender,
                                                            asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) co_return Errc::cancelled;
    if (error) co_return error;
    const BytesView bytes = BytesView(datagram).first(size);
    places.take(as_text(bytes), sender.address().to_v4());
  }
  co_return success();
}

}  // namespace

awaitable<Result<std::vector<HttpPlace>>> UpnpGateway::search() {
  const Executor executor = co_await asio::this_coro::executor;
  udp::socket socket(executor);
  error_code failed;
  socket.open(udp::v4(), failed);
  if (!failed) socket.set_option(asio::ip::multicast::hops(1), failed);
  if (failed) co_return failed;
  for (const char* type : kSearched) {
    const std::string message = ssdp_search(type);
    auto [error, size] = co_await socket.async_send_to(asio::buffer(message), options_.search_at,
                                                       asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) co_return Errc::cancelled;
    if (error) co_return NatErrc::no_gateway;  // no network to search
  }
  SsdpPlaces places(default_gateway());
  auto collected = co_await with_deadline(clock_, kSsdpWait, collect(socket, places));
  if (!collected && collected.error() != Errc::timed_out) co_return collected.error();
  co_return places.ordered();
}

awaitable<std::vector<UpnpService>> UpnpGateway::services_at(HttpPlace place) {
  net::HttpRequest request{"GET", place.path, {}, {}};
  auto done = co_await with_deadline(clock_, kUpnpTime, exchange(place, std::move(request)));
  if (!done || done->response.status != 200) co_return std::vector<UpnpService>();
  co_return parse_upnp_description(done->response.body, place);
}

awaitable<Result<UpnpGateway::Answered>> UpnpGateway::act(UpnpService service, std::string action,
                                                          UpnpArguments arguments) {
  auto request = upnp_action(service, action, arguments);
  CO_TRY(auto done,
         co_await with_deadline(clock_, kUpnpTime, exchange(service.control, std::move(request))));
  // An action that fails is answered by 500, with the reason in the body.
  if (done.response.status != 200 && done.response.status != 500) co_return NatErrc::bad_reply;
  CO_TRY(auto answer, UpnpAnswer::parse(done.response.body));
  if (done.response.status == 500 && answer.error() == 0) co_return NatErrc::bad_reply;
  Answered answered{std::move(answer), done.local};
  co_return answered;
}

awaitable<Result<address_v4>> UpnpGateway::try_service(UpnpService service) {
  CO_TRY(const auto done, co_await act(service, "GetExternalIPAddress", UpnpArguments()));
  if (done.answer.error() != 0) co_return NatErrc::refused;
  const std::string_view text = done.answer.value("NewExternalIPAddress");
  // Some say nothing, and some 0.0.0.0, while they have none.
  if (text.empty()) co_return NatErrc::not_connected;
  error_code failed;
  const auto address = asio::ip::make_address_v4(std::string(text), failed);
  if (failed) co_return NatErrc::bad_reply;
  service_ = std::move(service);
  local_ = done.local;
  if (address.is_unspecified()) co_return NatErrc::not_connected;
  co_return address;
}

awaitable<Result<address_v4>> UpnpGateway::find() {
  if (service_) {
    auto known = co_await try_service(*service_);
    if (known || known.error() == Errc::cancelled) co_return known;
  }
  CO_TRY(const auto places, co_await search());
  error_code why = NatErrc::no_gateway;
  for (const HttpPlace& place : places) {
    const auto services = co_await services_at(place);
    for (const UpnpService& service : services) {
      auto address = co_await try_service(service);
      if (address || address.error() == Errc::cancelled) co_return address;
      why = address.error();
    }
  }
  co_return why;
}

awaitable<Result<void>> UpnpGateway::add(MappingRequest request, std::int64_t lease_seconds) {
  UpnpArguments arguments{{"NewRemoteHost", ""},
                          {"NewExternalPort", to_string(request.external.value())},
                          {"NewProtocol", kProtocol},
                          {"NewInternalPort", to_string(request.internal.value())},
                          {"NewInternalClient", local_.to_string()},
                          {"NewEnabled", "1"},
                          {"NewPortMappingDescription", kDescription},
                          {"NewLeaseDuration", to_string(lease_seconds)}};
  CO_TRY(const auto done, co_await act(*service_, "AddPortMapping", std::move(arguments)));
  const int code = done.answer.error();
  if (code == kOnlyPermanent && lease_seconds != 0) co_return Errc::unsupported;
  if (code != 0) co_return upnp_error(code);
  co_return success();
}

awaitable<bool> UpnpGateway::is_ours(Port internal, Port external) {
  UpnpArguments arguments{{"NewRemoteHost", ""},
                          {"NewExternalPort", to_string(external.value())},
                          {"NewProtocol", kProtocol}};
  auto done = co_await act(*service_, "GetSpecificPortMappingEntry", std::move(arguments));
  co_return done && done->answer.value("NewInternalClient") == local_.to_string() &&
      done->answer.value("NewInternalPort") == to_string(internal.value());
}

awaitable<Result<MappingGrant>> UpnpGateway::map(MappingRequest request) {
  if (!service_) co_return NatErrc::no_gateway;
  std::optional<Duration> lease = request.lease;
  std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(request.lease).count();
  auto added = co_await add(request, seconds);
  if (!added && added.error() == Errc::unsupported) {
    lease.reset();
    seconds = 0;
    added = co_await add(request, seconds);
  }
  if (!added && added.error() == NatErrc::port_taken) {
    // Some routers take the renewal of a mapping for a conflict with it.
    const bool ours = co_await is_ours(request.internal, request.external);
    if (!ours) co_return NatErrc::port_taken;
    CO_CHECK(co_await unmap(request.internal, request.external));
    added = co_await add(request, seconds);
  }
  if (!added) co_return added.error();
  co_return MappingGrant{request.external, lease};
}

awaitable<Result<void>> UpnpGateway::unmap(Port, Port external) {
  if (!service_) co_return success();
  UpnpArguments arguments{{"NewRemoteHost", ""},
                          {"NewExternalPort", to_string(external.value())},
                          {"NewProtocol", kProtocol}};
  CO_TRY(const auto done, co_await act(*service_, "DeletePortMapping", std::move(arguments)));
  const int code = done.answer.error();
  if (code != 0 && code != kNoSuchEntry) co_return upnp_error(code);
  co_return success();
}

}  // namespace oc::p2p
