// A node's rules, with services and visitors around it. For tests of whole tunnels.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>

#include "net/tcp.hpp"
#include "support/overlay_world.hpp"
#include "tunnel/rule_table.hpp"

namespace oc::test {

inline net::TcpAddress loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

// A port that nobody listens on now.
inline Port free_port(const Executor& executor) {
  auto listener = net::TcpListener::open(executor, loopback(0));
  const Port port(listener->local().port());
  listener->close();
  return port;
}

// A member of the network "home" with a table of rules.
struct Site {
  Site(World& world, std::uint64_t seed, std::uint16_t port = 0)
      : node(world.add({.seed = seed, .port = port, .networks = {network_of("home", "password")}})),
        rules(node.overlay, node.resolver, world.clock, node.random, world.executor()) {
    node.on_member_changed = [this] { rules.member_changed(); };
    node.overlay.start();
  }
  const codec::PeerId& id() const { return node.id(); }

  tunnel::Rule egress(Port port, std::vector<tunnel::PeerTarget> targets) const {
    tunnel::Rule rule;
    rule.network = overlay::NetworkName("home");
    rule.direction = tunnel::RuleDirection::egress;
    rule.port = port;
    rule.targets = std::move(targets);
    return rule;
  }
  tunnel::Rule ingress(Port port, tunnel::LocalTarget to) const {
    tunnel::Rule rule;
    rule.network = overlay::NetworkName("home");
    rule.direction = tunnel::RuleDirection::ingress;
    rule.port = port;
    rule.to = std::move(to);
    return rule;
  }
  // The only rule's, or that of an id.
  tunnel::RuleStatus status() const { return rules.list().at(0); }
  tunnel::RuleStatus status(const tunnel::RuleId& id) const { return *rules.find(id); }
  bool is_up() const { return status().state == tunnel::RuleState::up; }
  // The code of the reason why the only rule is not up; 0 when it is.
  int code() const {
    const auto reason = status().reason;
    return reason ? static_cast<int>(reason->code) : 0;
  }

  OverlayNode& node;
  tunnel::RuleTable rules;
};

// Sends back what it gets, with a greeting before it and the end of the half behind it.
class EchoService {
 public:
  explicit EchoService(Executor executor, std::string greeting = "", std::uint16_t port = 0)
      : greeting_(std::move(greeting)), tasks_(executor) {
    auto opened = net::TcpListener::open(executor, loopback(port));
    EXPECT_TRUE(opened) << opened.error().message();
    listener_.emplace(*std::move(opened));
    tasks_.spawn("accept", accept_loop());
  }
  Port port() const { return Port(listener_->local().port()); }
  tunnel::LocalTarget target() const { return tunnel::HostTarget{"127.0.0.1", port()}; }
  // From now on the end of a visitor's half is not answered.
  void hold() { holding_ = true; }
  awaitable<void> close() {
    listener_->close();
    co_await tasks_.close();
  }

 private:
  awaitable<void> accept_loop() {
    for (;;) {
      auto accepted = co_await listener_->accept();
      if (!accepted) co_return;
      tasks_.spawn("echo", serve(std::move(accepted->stream)));
    }
  }
  awaitable<void> serve(std::unique_ptr<net::Stream> stream) {
    if (!co_await stream->write(as_bytes(greeting_))) co_return;
    for (;;) {
      auto chain = co_await stream->read_chain();
      if (!chain) {
        if (holding_) (void)co_await Event().wait();
        if (chain.error() == Errc::eof) (void)co_await stream->close_write();
        co_return;
      }
      if (!co_await stream->write_chain(*std::move(chain))) co_return;
    }
  }

  std::string greeting_;
  bool holding_ = false;
  std::optional<net::TcpListener> listener_;
  TaskScope tasks_;
};

// Sites and services, which it ends before the nodes.
class TunnelWorld : public World {
 public:
  explicit TunnelWorld(Executor executor) : World(std::move(executor)) {
    before_close([this] { return close_sites(); });
  }
  Site& add_site(std::uint64_t seed, std::uint16_t p2p_port = 0) {
    sites_.push_back(std::make_unique<Site>(*this, seed, p2p_port));
    return *sites_.back();
  }
  EchoService& add_service(std::string greeting = "", std::uint16_t port = 0) {
    services_.push_back(std::make_unique<EchoService>(executor(), std::move(greeting), port));
    return *services_.back();
  }
  // Ends a site's rules and its node.
  awaitable<void> remove_site(Site& site) {
    EXPECT_TRUE(co_await finish(site.rules.close()));
    co_await remove(site.node);
    std::erase_if(sites_, [&site](const auto& owned) { return owned.get() == &site; });
  }

 private:
  awaitable<void> close_sites() {
    for (const auto& site : sites_) co_await site->rules.close();
    for (const auto& service : services_) co_await service->close();
  }

  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<std::unique_ptr<EchoService>> services_;
};

struct Visit {
  std::string answer;
  error_code end;  // Errc::eof when all was well
};

inline awaitable<Visit> read_to_end(net::Stream& stream) {
  Visit visit;
  for (;;) {
    FixedBytes<16 * 1024> bytes;
    const auto n = co_await stream.read_some(bytes);
    if (!n) {
      visit.end = n.error();
      co_return visit;
    }
    visit.answer += as_text(BytesView(bytes).first(*n));
  }
}

// A visitor who says one thing, and reads until the end.
inline awaitable<Visit> visit(Port port, std::string words) {
  Visit refused;
  auto stream = co_await net::tcp_connect(loopback(port.value()));
  if (!stream) {
    refused.end = stream.error();
    co_return refused;
  }
  (void)co_await (*stream)->write(as_bytes(words));
  (void)co_await (*stream)->close_write();
  co_return co_await read_to_end(**stream);
}

}  // namespace oc::test
