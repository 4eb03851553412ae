#include "node/node.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/memory.hpp"
#include "net/interfaces.hpp"
#include "node/version.hpp"
#include "p2p/nat/natpmp_gateway.hpp"
#include "p2p/nat/upnp_gateway.hpp"

namespace oc::node {
namespace {

// Records of members that are stored in one transaction.
constexpr std::size_t kRecordsPerWrite = 256;

bool has_public_ip4(const std::vector<codec::Multiaddr>& addresses) {
  return std::ranges::any_of(addresses, [](const codec::Multiaddr& address) {
    return address.has(codec::Protocol::ip4) &&
           address.scope() == codec::AddressScope::public_internet;
  });
}

// A write that the end of the node interrupted is carried out all the same; that is no error.
template <class T>
void report(const Outcome<T>& stored, const TaskScope& tasks) {
  if (!stored && !tasks.closing()) log::error("{}", stored.error().to_string());
}

}  // namespace

Node::Node(Executor executor, Clock& clock, Random& random, store::Store& store,
           WorkerPool& workers, Plan plan)
    : executor_(executor),
      clock_(clock),
      random_(random),
      store_(store),
      workers_(workers),
      plan_(std::move(plan)),
      resolver_(clock),
      host_(executor, clock, random, plan_.identity, identify_options(), {.resolver = &resolver_},
            relay_options()),
      overlay_(host_, clock, random, overlay_options(), overlay_events()),
      port_mapping_(plan_.port_mapping ? make_port_mapping(random) : nullptr),
      rules_(overlay_, resolver_, clock, random, executor),
      local_(host_, overlay_, rules_, store, clock, plan_.name),
      api_(local_, store, clock, random, workers),
      tasks_(executor) {
  overlay_.handle("/http/1.1",
                  [this](p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
                    return api_.serve_overlay(std::move(stream), connection->peer().to_string());
                  });
  for (const overlay::Network& network : plan_.networks) {
    if (!overlay_.join(network))
      log::error("cannot join network {}: too many", network.name.value());
  }
  for (const store::MemberRow& row : plan_.members) {
    overlay_.restore(overlay::NetworkName(row.network), row.record, row.last_contact);
  }
  for (const overlay::BootstrapPeer& peer : plan_.bootstrap) (void)overlay_.add_bootstrap(peer);
  local_.remember_bootstrap(plan_.bootstrap);
  if (port_mapping_) local_.set_port_mapping(*port_mapping_);
}

Node::~Node() = default;

p2p::IdentifyOptions Node::identify_options() {
  p2p::IdentifyOptions options;
  options.agent_version = "open-chat/" + std::string(kVersion);
  options.addresses = [this] { return overlay_.own_addresses(); };
  options.identified = [this](const p2p::ConnectionPtr&) { overlay_.look_for_relays(); };
  options.record_seq = [this] {
    return static_cast<std::uint64_t>(unix_milliseconds(clock_.wall_now()));
  };
  return options;
}

std::vector<p2p::OwnAddress> Node::own_addresses() const {
  using Source = p2p::AddressSource;
  std::vector<p2p::OwnAddress> out;
  const auto add = [&out](const std::vector<codec::Multiaddr>& addresses, Source source) {
    for (const codec::Multiaddr& address : addresses) {
      const bool known = std::ranges::find(out, address, &p2p::OwnAddress::address) != out.end();
      if (!known) out.push_back({address, source});
    }
  };
  add(plan_.announce, Source::announced);
  if (const auto mapped = port_mapping_ ? port_mapping_->external() : std::nullopt)
    add({*mapped}, Source::mapped);
  add(host_.identify().external_addresses(), Source::observed);
  add(host_.swarm().listen_addresses(), Source::listened);
  std::erase_if(out, [](const p2p::OwnAddress& own) {
    return own.address.scope() == codec::AddressScope::loopback;
  });
  return out;
}

void Node::report_reachability() {
  const auto state = host_.reachability().reachability().public_state();
  if (std::exchange(reported_, state) == state) return;
  log::info("from the internet this node is now: {}", p2p::to_text(state));
}

overlay::OverlayOptions Node::overlay_options() const {
  overlay::OverlayOptions options;
  options.own.node_name = plan_.name;
  options.own.version = std::string(kVersion);
  options.own.announce = plan_.announce;
  options.own.last_seq = plan_.record_seq;
  options.own.mapped = [this] { return port_mapping_ ? port_mapping_->external() : std::nullopt; };
  options.reachable = [this] { return reachable(); };
  options.own.unreachable = [this](const codec::Multiaddr& address) {
    return host_.reachability().reachability().state_of(address) ==
           p2p::ReachabilityState::unreachable;
  };
  return options;
}

p2p::RelayOptions Node::relay_options() const {
  p2p::RelayOptions options;
  options.serve_strangers = plan_.public_relay;
  return options;
}

bool Node::reachable() const {
  if (!plan_.announce.empty()) return true;
  const auto found = host_.reachability().reachability().public_state();
  if (found != p2p::ReachabilityState::unknown) return found == p2p::ReachabilityState::reachable;
  const auto is_public = [](const codec::Multiaddr& address) {
    return address.scope() == codec::AddressScope::public_internet;
  };
  return std::ranges::any_of(host_.swarm().listen_addresses(), is_public);
}

awaitable<void> Node::offer_relay() {
  for (;;) {
    const bool automatic = plan_.relay == RelayMode::automatic && reachable();
    host_.relay_service().serve(automatic || plan_.relay == RelayMode::on);
    if (auto slept = co_await clock_.sleep_for(kRelayOfferInterval); !slept) co_return;
  }
}

overlay::OverlayEvents Node::overlay_events() {
  overlay::OverlayEvents events;
  events.seq_used = [this](std::uint64_t seq) { tasks_.spawn("store seq", store_seq(seq)); };
  events.record_changed = [this](const overlay::NetworkName& network,
                                 const overlay::SealedRecord& record) {
    unsaved_.insert_or_assign({network, record.record.peer}, record);
    if (!saving_) tasks_.spawn("store records", store_records());
  };
  events.member_changed = [this](const codec::PeerId& peer, const overlay::NetworkName& network,
                                 bool online) {
    rules_.member_changed();
    const auto connection = online ? overlay_.membership().connection_to(peer) : nullptr;
    const bool dialed =
        connection != nullptr && connection->facts().direction == p2p::Direction::outbound;
    tasks_.spawn(
        "store contact",
        store_contact(peer, network, dialed ? connection->facts().remote_address.to_string() : ""));
  };
  return events;
}

std::unique_ptr<p2p::PortMapping> Node::make_port_mapping(Random& random) {
  std::vector<std::unique_ptr<p2p::Gateway>> gateways;
  gateways.push_back(std::make_unique<p2p::NatPmpGateway>(clock_));
  gateways.push_back(std::make_unique<p2p::UpnpGateway>(clock_));
  p2p::PortMappingOptions options;
  // A machine with a public address has no router that maps for it, and its network is no home.
  options.wanted = [this] { return !has_public_ip4(host_.swarm().listen_addresses()); };
  options.changed = [this] { overlay_.addresses_changed(); };
  return std::make_unique<p2p::PortMapping>(executor_, clock_, random, std::move(gateways),
                                            std::move(options));
}

awaitable<void> Node::store_seq(std::uint64_t seq) {
  auto stored = co_await store_.settings.put(kSettingRecordSeq, std::to_string(seq));
  report(stored, tasks_);
}

awaitable<void> Node::store_records() {
  struct Saving {
    bool& flag;
    explicit Saving(bool& f) : flag(f) { flag = true; }
    ~Saving() { flag = false; }
  } saving(saving_);
  // Together: a node that joins a large network learns of thousands at once.
  while (!unsaved_.empty()) {
    std::vector<store::MemberRow> rows;
    while (!unsaved_.empty() && rows.size() < kRecordsPerWrite) {
      auto taken = unsaved_.extract(unsaved_.begin());
      store::MemberRow row;
      row.peer_id = taken.key().second.to_string();
      row.network = taken.key().first.value();
      row.record = std::move(taken.mapped().envelope);
      row.seq = static_cast<std::int64_t>(taken.mapped().record.seq);
      rows.push_back(std::move(row));
    }
    auto stored = co_await store_.members.put_newer(std::move(rows));
    report(stored, tasks_);
  }
}

awaitable<void> Node::store_contact(codec::PeerId peer, overlay::NetworkName network,
                                    std::string address) {
  auto stored = co_await store_.members.touch(peer.to_string(), network.value(), clock_.wall_now(),
                                              std::move(address));
  report(stored, tasks_);
}

Outcome<std::uint16_t> Node::listen_for_peers() {
  const auto fault = [](const net::TcpAddress& at, error_code error) {
    return Fault(FaultCode::cannot_listen, "cannot listen for peers on " + net::to_text(at) + ": " +
                                               error.message() + " (--p2pport)");
  };
  const net::TcpAddress v4(asio::ip::address_v4::any(), plan_.p2p_port);
  auto listening = host_.swarm().listen(v4);
  if (!listening) return fault(v4, listening.error());
  const std::uint16_t port = host_.swarm().listen_port(false).value();
  const net::TcpAddress v6(asio::ip::address_v6::any(), port);
  // A machine without IPv6 is no reason not to start.
  if (auto also = host_.swarm().listen(v6); !also) log::warn("{}", fault(v6, also.error()).message);
  return port;
}

awaitable<Outcome<bool>> Node::start() {
  auto port = listen_for_peers();
  if (!port) co_return port.error();
  if (plan_.p2p_port == 0) {
    auto kept = co_await store_.settings.put(kSettingP2pPort, std::to_string(*port));
    if (!kept) co_return kept.error();
  }
  const net::TcpAddress at(asio::ip::make_address(plan_.host), plan_.port);
  auto listener = net::TcpListener::open(executor_, at);
  if (!listener) {
    co_return Fault(FaultCode::cannot_listen, "cannot serve the API on " + net::to_text(at) + ": " +
                                                  listener.error().message() + " (--host, --port)");
  }
  api_listener_.emplace(*std::move(listener));
  for (const store::RuleRow& row : plan_.rules) {
    auto rule = from_row(row, overlay_.self());
    if (rule) {
      rules_.restore(*std::move(rule));
    } else {
      log::error("rule {} of the store cannot be used: {}", row.id, rule.error().to_string());
    }
  }
  if (plan_.public_relay && plan_.relay == RelayMode::off)
    log::warn("--public-relay has no effect while --relay is off");
  overlay_.start();
  tasks_.spawn("relay offer", offer_relay());
  host_.reachability().reachability().on_change = [this] {
    report_reachability();
    overlay_.addresses_changed();
  };
  host_.reachability().start([this] { return own_addresses(); });
  if (plan_.mdns) start_discovery();
  tasks_.spawn("api accept", accept_api());
  tasks_.spawn("machine figures", sample_machine());
  if (port_mapping_) port_mapping_->start(Port(*port));
  tasks_.spawn("interfaces", watch_interfaces());
  co_return true;
}

void Node::start_discovery() {
  lan_.emplace(executor_, clock_);
  lan_->start();
  mdns_.emplace(
      executor_, *lan_, clock_, random_, overlay_.self(),
      [this] { return host_.swarm().listen_addresses(); },
      [this](const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses) {
        (void)overlay_.add_candidate(peer, std::move(addresses));
      });
  mdns_->start();
}

awaitable<void> Node::accept_api() {
  for (;;) {
    auto accepted = co_await api_listener_->accept();
    if (!accepted) co_return;
    tasks_.spawn("api connection",
                 api_.serve(std::move(accepted->stream), accepted->remote.address().to_string()));
  }
}

awaitable<void> Node::sample_machine() {
  // Shared with a job that outlives a cancelled wait.
  auto sampler = std::make_shared<HostSampler>();
  auto heap = std::make_shared<FreeHeap>();
  for (;;) {
    auto sample = [sampler, heap] {
      heap->release();
      return sampler->sample();
    };
    auto figures = co_await workers_.run(sample);
    if (figures) local_.set_machine(*std::move(figures));
    if (auto slept = co_await clock_.sleep_for(kSampleInterval); !slept) co_return;
  }
}

awaitable<void> Node::watch_interfaces() {
  auto known = host_.swarm().listen_addresses();
  auto watch = net::InterfaceWatch::open(executor_);
  if (!watch) {
    log::warn("interfaces are looked at every {} s only: {}",
              std::chrono::floor<std::chrono::seconds>(kInterfaceInterval).count(),
              watch.error().message());
  }
  for (;;) {
    if (watch) {
      if (auto changed = co_await watch->changed(); !changed) co_return;
    }
    const Duration wait = watch ? kInterfacesSettle : kInterfaceInterval;
    if (auto slept = co_await clock_.sleep_for(wait); !slept) co_return;
    auto now = host_.swarm().listen_addresses();
    if (now == known) continue;
    known = std::move(now);
    interfaces_changed();
  }
}

void Node::interfaces_changed() {
  log::info("the addresses of this machine have changed");
  host_.swarm().network_changed();
  if (port_mapping_) port_mapping_->interfaces_changed();
  host_.reachability().network_changed();
  overlay_.addresses_changed();
}

awaitable<void> Node::close() {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (api_listener_) api_listener_->close();
  if (mdns_) co_await mdns_->close();
  if (lan_) co_await lan_->close();
  if (port_mapping_) co_await port_mapping_->close();
  co_await rules_.close();
  co_await overlay_.close();
  co_await host_.reachability().close();
  co_await host_.swarm().close();
  co_await local_.tasks().close();
  co_await tasks_.close();
}

}  // namespace oc::node
