// A router that maps ports as a test wants it to, and the faces that it shows: a Gateway, a NAT-PMP
// server, and a UPnP device, both on loopback.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/http.hpp"
#include "net/tcp.hpp"
#include "p2p/nat/gateway.hpp"
#include "p2p/nat/natpmp_message.hpp"
#include "support/operation.hpp"

namespace oc::test {

struct FakeRouter {
  asio::ip::address_v4 external = asio::ip::make_address_v4("203.0.113.5");
  std::map<std::uint16_t, std::uint16_t> mappings;  // external port to internal one
  std::set<std::uint16_t> taken;                    // external ports of others
  std::chrono::seconds longest_lease{86400};
  bool present = true;  // it answers
  bool refuses = false;
  int asked = 0;  // times that it was asked for a port
};

// Runs an operation to its end while the clock goes on, slowly enough for loopback to keep up.
template <class T>
awaitable<Result<T>> run_in_time(FakeClock& clock, awaitable<Result<T>> operation) {
  Operation<T> running(co_await asio::this_coro::executor, std::move(operation));
  for (int i = 0; i < 3000 && !running.done(); ++i) {
    co_await turns(20);
    clock.advance(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(running.done()) << "30 seconds were not enough";
  running.cancel();
  co_return co_await running.result();
}

class FakeGateway final : public p2p::Gateway {
 public:
  enum class Step { none, find, map, unmap };

  FakeGateway(FakeRouter& router, std::string protocol)
      : router_(router), protocol_(std::move(protocol)) {}

  // This step does not go on until release(), or never.
  Step hangs_at = Step::none;
  void release() { released_.set(); }
  Step under_way() const { return under_way_; }

  std::string_view protocol() const override { return protocol_; }
  awaitable<Result<asio::ip::address_v4>> find() override {
    CO_CHECK(co_await step(Step::find));
    if (!router_.present) co_return p2p::NatErrc::no_gateway;
    if (router_.external.is_unspecified()) co_return p2p::NatErrc::not_connected;
    found_ = true;
    co_return router_.external;
  }
  awaitable<Result<p2p::MappingGrant>> map(p2p::MappingRequest request) override {
    CO_CHECK(co_await step(Step::map));
    ++router_.asked;
    if (!router_.present) co_return p2p::NatErrc::no_gateway;
    if (router_.refuses) co_return p2p::NatErrc::refused;
    if (router_.taken.contains(request.external.value())) co_return p2p::NatErrc::port_taken;
    router_.mappings[request.external.value()] = request.internal.value();
    co_return p2p::MappingGrant{request.external,
                                std::min<Duration>(request.lease, router_.longest_lease)};
  }
  awaitable<Result<void>> unmap(Port, Port external) override {
    if (!found_) co_return success();
    CO_CHECK(co_await step(Step::unmap));
    router_.mappings.erase(external.value());
    co_return success();
  }

 private:
  // Never at once: no router answers so.
  awaitable<Result<void>> step(Step which) {
    under_way_ = which;
    if (hangs_at != which) {
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      released_.set();
    }
    auto done = co_await released_.wait();
    under_way_ = Step::none;
    co_return done;
  }

  FakeRouter& router_;
  std::string protocol_;
  bool found_ = false;
  Step under_way_ = Step::none;
  Event released_;
};

// A UDP socket on loopback that answers each datagram. Close it before destruction.
class FakeUdpServer {
 public:
  using Answers = std::function<std::vector<Bytes>(BytesView)>;

  FakeUdpServer(Executor executor, Answers answers)
      : answers_(std::move(answers)),
        socket_(executor, asio::ip::udp::endpoint(asio::ip::address_v4::loopback(), 0)),
        tasks_(executor) {
    tasks_.spawn("udp", serve());
  }
  asio::ip::udp::endpoint address() const { return socket_.local_endpoint(); }
  int received() const { return received_; }
  awaitable<void> close() {
    socket_.close();
    co_await tasks_.close();
  }

 private:
  awaitable<void> serve() {
    FixedBytes<2048> message;
    for (;;) {
      asio::ip::udp::endpoint from;
      auto [error, size] = co_await socket_.async_receive_from(asio::buffer(message), from,
                                                               asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      ++received_;
      for (const Bytes& reply : answers_(BytesView(message).first(size)))
        socket_.send_to(asio::buffer(reply), from);
    }
  }

  Answers answers_;
  asio::ip::udp::socket socket_;
  int received_ = 0;
  TaskScope tasks_;
};

// What a NAT-PMP server says to a request (RFC 6886).
inline std::vector<Bytes> natpmp_answer(FakeRouter& router, BytesView request) {
  if (!router.present) return {};
  const bool maps = request.size() == 12;
  Bytes out(maps ? 16 : 12);
  out[1] = static_cast<Byte>(request[1] + 128);
  put_be16(&out[2], router.refuses && maps ? 2 : 0);
  if (!maps) {
    put_be32(&out[8], router.external.to_uint());
    return {out};
  }
  ++router.asked;
  if (router.refuses) return {out};
  const std::uint16_t internal = get_be16(&request[4]);
  std::uint16_t external = get_be16(&request[6]);
  const std::uint32_t lifetime = get_be32(&request[8]);
  std::erase_if(router.mappings, [internal](const auto& each) { return each.second == internal; });
  while (router.taken.contains(external)) ++external;
  if (lifetime != 0) router.mappings[external] = internal;
  put_be16(&out[8], internal);
  put_be16(&out[10], lifetime == 0 ? 0 : external);
  put_be32(&out[12], std::min(lifetime, static_cast<std::uint32_t>(router.longest_lease.count())));
  return {out};
}

// A UPnP Internet gateway. Close it before destruction.
class FakeIgd {
 public:
  FakeIgd(Executor executor, FakeRouter& router)
      : router_(router),
        listener_(*net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0})),
        ssdp_(executor, [this](BytesView) { return answer_search(); }),
        tasks_(executor) {
    location = "http://" + net::to_text(listener_.local()) + "/rootDesc.xml";
    tasks_.spawn("accept", accept());
  }

  // What it says, for tests to change.
  std::string location;
  std::string control_url = "/ctl";
  bool only_permanent = false;         // refuses leases, with error 725
  bool renewal_is_conflict = false;    // refuses to map a port anew to whom it is mapped
  std::optional<std::string> instead;  // of every answer by HTTP: this body

  const std::vector<std::string>& actions() const { return actions_; }
  asio::ip::udp::endpoint search_address() const { return ssdp_.address(); }
  awaitable<void> close() {
    listener_.close();
    co_await ssdp_.close();
    co_await tasks_.close();
  }

 private:
  static constexpr const char* kService = "urn:schemas-upnp-org:service:WANIPConnection:1";

  std::vector<Bytes> answer_search() {
    if (!router_.present) return {};
    return {to_bytes(as_bytes("HTTP/1.1 200 OK\r\nEXT:\r\nLocation: " + location + "\r\n\r\n"))};
  }

  awaitable<void> accept() {
    for (;;) {
      auto accepted = co_await listener_.accept();
      if (!accepted) co_return;
      tasks_.spawn("http", serve(std::move(accepted->stream)));
    }
  }
  awaitable<void> serve(std::unique_ptr<net::Stream> stream) {
    net::HttpHandler handler = [this](net::HttpRequest request) { return answer(request); };
    co_await net::serve_http(*stream, clock_, handler);
  }

  awaitable<net::HttpResponse> answer(net::HttpRequest request) {
    net::HttpResponse response;
    if (instead) {
      response.body = *instead;
    } else if (request.method == "GET") {
      response.body = description();
    } else {
      act(request, response);
    }
    co_return response;
  }

  std::string description() const {
    return std::string("<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\">") +
           "<device><serviceList><service><serviceType>" + kService + "</serviceType>" +
           "<controlURL>" + control_url + "</controlURL><eventSubURL>/evt</eventSubURL>" +
           "<SCPDURL>/WANIPCn.xml</SCPDURL></service></serviceList></device></root>";
  }

  static std::string element(const std::string& xml, const std::string& name) {
    const std::size_t at = xml.find("<" + name + ">");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 2;
    return xml.substr(begin, xml.find("</", begin) - begin);
  }
  static std::uint16_t number(const std::string& xml, const std::string& name) {
    return static_cast<std::uint16_t>(std::stoi(element(xml, name)));
  }

  void act(const net::HttpRequest& request, net::HttpResponse& response) {
    const std::string header(*net::find_header(request.headers, "SOAPAction"));
    std::string action = header.substr(header.find('#') + 1);
    if (!action.empty()) action.pop_back();  // the quote
    actions_.push_back(action);
    std::string inner;
    const int error = carry_out(action, request.body, inner);
    if (error != 0) {
      response.status = 500;
      inner = "<s:Fault><detail><UPnPError><errorCode>" + std::to_string(error) +
              "</errorCode></UPnPError></detail></s:Fault>";
    } else {
      inner = "<u:" + action + "Response xmlns:u=\"" + kService + "\">" + inner + "</u:" + action +
              "Response>";
    }
    response.body =
        "<?xml version=\"1.0\"?><s:Envelope><s:Body>" + inner + "</s:Body></s:Envelope>";
  }

  // UPnP's error code.
  int carry_out(const std::string& action, const std::string& body, std::string& out) {
    if (action == "GetExternalIPAddress") {
      out = "<NewExternalIPAddress>" + router_.external.to_string() + "</NewExternalIPAddress>";
      return 0;
    }
    const std::uint16_t external = number(body, "NewExternalPort");
    if (action == "DeletePortMapping") return router_.mappings.erase(external) == 0 ? 714 : 0;
    if (action == "GetSpecificPortMappingEntry") {
      if (!router_.mappings.contains(external)) return 714;
      out = "<NewInternalPort>" + std::to_string(router_.mappings[external]) +
            "</NewInternalPort><NewInternalClient>127.0.0.1</NewInternalClient>";
      return 0;
    }
    ++router_.asked;
    if (router_.refuses) return 606;
    if (only_permanent && number(body, "NewLeaseDuration") != 0) return 725;
    if (router_.taken.contains(external)) return 718;
    if (renewal_is_conflict && router_.mappings.contains(external)) return 718;
    EXPECT_EQ(element(body, "NewInternalClient"), "127.0.0.1");
    EXPECT_EQ(element(body, "NewProtocol"), "TCP");
    router_.mappings[external] = number(body, "NewInternalPort");
    return 0;
  }

  FakeRouter& router_;
  FakeClock clock_;
  net::TcpListener listener_;
  FakeUdpServer ssdp_;
  std::vector<std::string> actions_;
  TaskScope tasks_;
};

}  // namespace oc::test
