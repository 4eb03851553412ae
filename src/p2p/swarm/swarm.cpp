#include "p2p/swarm/swarm.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "net/interfaces.hpp"
#include "p2p/swarm/circuit_address.hpp"
#include "p2p/swarm/counted_stream.hpp"
#include "p2p/upgrade/multistream.hpp"

namespace oc::p2p {
namespace {

// Shared by an operation that may be cut, and whoever cuts it, perhaps when it is over already.
struct Cut {
  asio::cancellation_signal signal;
  bool done = false;
};

// Runs an operation that ends early when it is cut: P2pErrc::connection_limit.
awaitable<Result<ConnectionPtr>> until_cut(std::shared_ptr<Cut> cut,
                                           awaitable<Result<ConnectionPtr>> operation) {
  auto executor = co_await asio::this_coro::executor;
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  auto outer = cancellation.slot();
  if (outer.is_connected())
    outer.assign([cut](asio::cancellation_type type) { cut->signal.emit(type); });
  Result<ConnectionPtr> result = P2pErrc::connection_limit;
  try {
    result = co_await asio::co_spawn(
        executor, std::move(operation),
        asio::bind_cancellation_slot(cut->signal.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error&) {
    if (!cut->done) throw;
  }
  if (outer.is_connected()) outer.clear();
  if (!result && cut->done) co_return P2pErrc::connection_limit;
  co_return result;
}

}  // namespace

Swarm::Swarm(Executor executor, Clock& clock, Random& random, crypto::PrivateKey identity,
             SwarmOptions options)
    : executor_(executor),
      clock_(clock),
      random_(random),
      identity_(std::move(identity)),
      options_(std::move(options)),
      self_(identity_.peer_id()),
      upgrader_(identity_, clock, random, options_.upgrade),
      ledger_(options_.limits),
      trimmer_(options_.trim),
      dialer_(
          executor, clock, options_.resolver,
          [this](const codec::Multiaddr& address) {
            return is_plain_tcp(address) || (connect_circuit_ && parse_circuit(address));
          },
          [this](codec::PeerId peer, codec::Multiaddr address, SourcePort from) {
            return dial_address(std::move(peer), std::move(address), from);
          },
          attempts_),
      tasks_(executor),
      running_(executor) {}

Swarm::~Swarm() = default;

Result<void> Swarm::listen(net::TcpAddress at) {
  TRY(auto listener, net::TcpListener::open(executor_, at, {.share_port = true}));
  listeners_.push_back(std::make_shared<net::TcpListener>(std::move(listener)));
  tasks_.spawn("swarm accept", accept_loop(listeners_.back()));
  return success();
}

std::vector<codec::Multiaddr> Swarm::listen_addresses() const {
  std::vector<codec::Multiaddr> out;
  for (const auto& listener : listeners_) {
    const net::TcpAddress at = listener->local();
    if (!at.address().is_unspecified()) {
      out.push_back(net::to_multiaddr(at));
      continue;
    }
    for (const auto& ip : net::interface_addresses()) {
      if (ip.is_v6() == at.address().is_v6()) out.push_back(net::to_multiaddr({ip, at.port()}));
    }
  }
  return out;
}

bool Swarm::listens_on(bool v6, std::uint16_t port) const {
  return std::ranges::any_of(listeners_, [&](const auto& listener) {
    const net::TcpAddress at = listener->local();
    return at.address().is_v6() == v6 && at.port() == port;
  });
}

std::optional<std::uint16_t> Swarm::listen_port(bool v6) const {
  for (const auto& listener : listeners_) {
    if (listener->local().address().is_v6() == v6) return listener->local().port();
  }
  return std::nullopt;
}

void Swarm::handle(std::string protocol, ProtocolHandler handler, StreamLimits limits) {
  const bool is_new =
      protocols_.insert_or_assign(std::move(protocol), Protocol{std::move(handler), limits}).second;
  if (!is_new) return;
  for (const SwarmEvents& observer : observers_) observer.protocols_changed();
}

void Swarm::stop_handling(std::string_view protocol) {
  const auto found = protocols_.find(protocol);
  if (found == protocols_.end()) return;
  protocols_.erase(found);
  for (const SwarmEvents& observer : observers_) observer.protocols_changed();
}

std::vector<std::string> Swarm::protocols() const {
  std::vector<std::string> out;
  for (const auto& [protocol, served] : protocols_) out.push_back(protocol);
  return out;
}

ConnectionPtr Swarm::connection_to(const codec::PeerId& peer) const {
  for (ConnectionPtr& connection : connections_to(peer)) {
    if (connection->alive() && !connection->facts().probe) return std::move(connection);
  }
  return nullptr;
}

std::vector<ConnectionPtr> Swarm::connections_to(const codec::PeerId& peer) const {
  std::vector<ConnectionPtr> out;
  if (auto found = by_peer_.find(peer); found != by_peer_.end()) {
    for (const ConnectionId id : found->second) out.push_back(connections_.at(id));
  }
  std::ranges::sort(out, [](const ConnectionPtr& a, const ConnectionPtr& b) {
    return preferred(a->facts(), b->facts());
  });
  return out;
}

std::vector<ConnectionPtr> Swarm::connections() const {
  std::vector<ConnectionPtr> out;
  for (const auto& [id, connection] : connections_) out.push_back(connection);
  return out;
}

SwarmCounters Swarm::counters() const {
  SwarmCounters out = counters_;
  out.dials = dialer_.counters().dials;
  out.dials_failed = dialer_.counters().failed;
  out.dials_backed_off = dialer_.counters().backed_off;
  return out;
}

std::map<Refusal, std::uint64_t> Swarm::refusals() const {
  auto out = ledger_.refusals();
  // What muxers refused is in the ledger once their connections ended.
  for (const auto& [id, connection] : connections_) {
    const std::uint64_t streams = connection->counters().refused_streams;
    if (streams != 0) out[{Scope::connection, Resource::stream_in}] += streams;
  }
  return out;
}

awaitable<void> Swarm::accept_loop(std::shared_ptr<net::TcpListener> listener) {
  for (;;) {
    auto accepted = co_await listener->accept();
    if (!accepted) co_return;
    auto slot = ledger_.accept(accepted->remote.address(), clock_.now());
    if (!slot) {
      ++counters_.refused;
      continue;
    }
    ++counters_.accepted;
    tasks_.spawn("swarm inbound", accept_one(*std::move(accepted), *std::move(slot)));
  }
}

awaitable<void> Swarm::accept_one(net::TcpListener::Accepted accepted,
                                  ResourceLedger::ConnectionSlot slot) {
  const auto server = servers_.find(accepted.remote);
  const Direction role = server == servers_.end() ? Direction::inbound : Direction::outbound;
  std::optional<codec::PeerId> expected;
  if (server != servers_.end()) expected = server->second;
  auto raw = describe(std::move(accepted.stream));
  if (!raw) co_return;  // gone already
  if (expected) raw->origin = Origin::punched;
  auto upgraded = co_await admit(*std::move(raw), role, std::move(expected), std::move(slot));
  if (upgraded) co_return;
  ++counters_.upgrades_failed;
  log::debug("inbound connection from {} failed: {}", net::to_text(accepted.remote),
             upgraded.error().message());
}

awaitable<Result<ConnectionPtr>> Swarm::dial(codec::PeerId peer,
                                             std::vector<codec::Multiaddr> addresses,
                                             DialOptions options) {
  if (peer == self_) co_return P2pErrc::dial_to_self;
  if (auto existing = connection_to(peer)) co_return existing;
  const auto own = listen_addresses();
  std::erase_if(addresses, [&own](const codec::Multiaddr& address) {
    return std::ranges::find(own, address.without_peer()) != own.end();
  });
  auto dialed = co_await dialer_.dial(peer, std::move(addresses), options);
  if (dialed) co_return dialed;
  // The peer may have come to us meanwhile.
  if (auto existing = connection_to(peer)) co_return existing;
  co_return dialed.error();
}

awaitable<Result<ConnectionPtr>> Swarm::dial_anew(codec::PeerId peer, codec::Multiaddr address) {
  const auto own = listen_addresses();
  const bool to_self = std::ranges::find(own, address.without_peer()) != own.end();
  if (peer == self_ || to_self) co_return P2pErrc::dial_to_self;
  CO_TRY(const net::TcpAddress to, net::to_tcp_address(address));
  const TcpDial how{.from = SourcePort::any, .probe = true};
  co_return co_await dial_tcp(std::move(peer), to, how);
}

awaitable<Result<ConnectionPtr>> Swarm::accept_circuit(RawConnection raw, codec::PeerId from) {
  const auto circuit = parse_circuit(raw.remote_address);
  if (!circuit) co_return Errc::unsupported;
  auto slot = ledger_.accept_circuit(circuit->relay, clock_.now());
  if (!slot) {
    ++counters_.refused;
    co_return P2pErrc::connection_limit;
  }
  ++counters_.accepted;
  co_return co_await admit(std::move(raw), Direction::inbound, std::move(from), *std::move(slot));
}

awaitable<Result<ConnectionPtr>> Swarm::admit(RawConnection raw, Direction role,
                                              std::optional<codec::PeerId> expected,
                                              ResourceLedger::ConnectionSlot slot) {
  auto cut = std::make_shared<Cut>();
  slot.on_cut([cut] {
    cut->done = true;
    cut->signal.emit(asio::cancellation_type::terminal);
  });
  co_return co_await with_deadline<ConnectionPtr>(
      clock_, kUpgradeTimeout,
      until_cut(cut, establish(std::move(raw), role, std::move(expected), std::move(slot))));
}

awaitable<Result<ConnectionPtr>> Swarm::dial_address(codec::PeerId peer, codec::Multiaddr address,
                                                     SourcePort from) {
  if (parse_circuit(address)) co_return co_await dial_circuit(std::move(peer), std::move(address));
  CO_TRY(const net::TcpAddress to, net::to_tcp_address(address));
  TcpDial how{.from = from};
  auto dialed = co_await dial_tcp(peer, to, how);
  if (dialed || dialed.error() != P2pErrc::handshake_failed || from != SourcePort::listening)
    co_return dialed;
  // The peer may have dialed us in the same moment, both from the listening ports: TCP makes one
  // connection of that, and each side took itself for the client. Other ports do not collide.
  how.from = SourcePort::any;
  co_return co_await dial_tcp(std::move(peer), to, how);
}

awaitable<Result<ConnectionPtr>> Swarm::connect_once(codec::PeerId peer, codec::Multiaddr address,
                                                     Direction role, Origin how, Duration limit) {
  CO_TRY(const net::TcpAddress to, net::to_tcp_address(address));
  LoggedAttempt logged(attempts_, clock_, peer, std::move(address), how);
  struct Expected {
    std::map<net::TcpAddress, codec::PeerId>& servers;
    net::TcpAddress at;
    bool added;
    ~Expected() {
      if (added) servers.erase(at);
    }
  };
  const bool client = role == Direction::outbound;
  const Expected expected{servers_, to, client && servers_.emplace(to, peer).second};
  const TcpDial dial{.role = role, .origin = how};
  auto connection =
      co_await with_deadline<ConnectionPtr>(clock_, limit, dial_tcp(std::move(peer), to, dial));
  logged.end(connection ? error_code() : connection.error());
  co_return connection;
}

awaitable<Result<ConnectionPtr>> Swarm::dial_circuit(codec::PeerId peer, codec::Multiaddr address) {
  auto slot = ledger_.dial();
  if (!slot) co_return P2pErrc::connection_limit;
  CO_TRY(RawConnection raw, co_await connect_circuit_(peer, std::move(address)));
  raw.origin = Origin::dialed;
  co_return co_await establish(std::move(raw), Direction::outbound, std::move(peer),
                               *std::move(slot));
}

awaitable<Result<ConnectionPtr>> Swarm::dial_tcp(codec::PeerId peer, net::TcpAddress to,
                                                 TcpDial how) {
  auto slot = ledger_.dial();
  if (!slot) co_return P2pErrc::connection_limit;
  net::DialOptions options;
  // From the listen port only to the outside: on loopback both ends' ports would collide at once.
  if (how.from == SourcePort::listening && !to.address().is_loopback())
    options.from_port = listen_port(to.address().is_v6());
  CO_TRY(auto stream, co_await net::tcp_connect(to, options));
  CO_TRY(RawConnection raw, describe(std::move(stream)));
  raw.origin = how.origin;
  raw.probe = how.probe;
  co_return co_await establish(std::move(raw), how.role, std::move(peer), *std::move(slot));
}

Result<RawConnection> Swarm::describe(std::unique_ptr<net::SocketStream> stream) const {
  TRY(const net::TcpAddress remote, net::remote_address(*stream));
  TRY(const net::TcpAddress local, net::local_address(*stream));
  net::set_user_timeout(*stream, options_.user_timeout);
  return RawConnection{std::move(stream), net::to_multiaddr(remote), net::to_multiaddr(local)};
}

awaitable<Result<ConnectionPtr>> Swarm::establish(RawConnection raw, Direction direction,
                                                  std::optional<codec::PeerId> expected,
                                                  ResourceLedger::ConnectionSlot slot) {
  const bool initiator = direction == Direction::outbound;
  CO_TRY(SecureChannel channel,
         co_await upgrader_.upgrade(std::move(raw.stream), initiator, std::move(expected)));
  Connection::Facts facts;
  facts.direction = direction;
  facts.origin = raw.origin;
  facts.peer = channel.remote_key.peer_id();
  facts.remote_address = std::move(raw.remote_address);
  facts.local_address = std::move(raw.local_address);
  facts.limited = raw.limited;
  facts.probe = raw.probe;
  if (facts.peer == self_) co_return P2pErrc::dial_to_self;
  if (running_.closing()) co_return Errc::closed;
  if (!slot.identify(facts.peer)) co_return P2pErrc::connection_limit;
  co_return add_connection(std::move(facts), std::move(channel), std::move(slot));
}

ConnectionPtr Swarm::add_connection(Connection::Facts facts, SecureChannel channel,
                                    ResourceLedger::ConnectionSlot slot) {
  const bool inbound = facts.direction == Direction::inbound && !facts.probe;
  facts.id = ConnectionId(next_connection_++);
  facts.opened = clock_.now();
  std::uint64_t seed = 0;
  random_.fill({reinterpret_cast<Byte*>(&seed), sizeof seed});
  // The callback runs only inside the connection's own run(), so the weak pointer is never empty.
  auto self = std::make_shared<std::weak_ptr<Connection>>();
  auto opened = [this, self](std::unique_ptr<net::Stream> stream) {
    if (auto connection = self->lock()) on_stream(std::move(connection), std::move(stream));
  };
  auto connection =
      std::make_shared<Connection>(std::move(facts), std::move(channel), std::move(slot), clock_,
                                   seed, executor_, std::move(opened), [this] { on_silent(); });
  *self = connection;
  // Why does it come again? One that it had may be dead.
  for (const ConnectionPtr& older : connections_to(connection->peer())) older->check();
  connections_.emplace(connection->facts().id, connection);
  by_peer_[connection->peer()].insert(connection->facts().id);
  if (!std::exchange(trimming_, true)) tasks_.spawn("swarm trim", keep_trimming());
  for (const SwarmEvents& observer : observers_) observer.connected(connection);
  if (inbound) dialer_.came(connection);
  // Last, because the first streams may be served at once: what serves them knows the connection.
  running_.spawn("connection", run_connection(connection));
  return connection;
}

awaitable<void> Swarm::run_connection(ConnectionPtr connection) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const error_code why = co_await connection->run();
  const Connection::Facts& facts = connection->facts();
  if (facts.direction == Direction::outbound && !facts.probe) dialer_.ended(*connection, why);
  const ConnectionId id = facts.id;
  connections_.erase(id);
  auto found = by_peer_.find(connection->peer());
  found->second.erase(id);
  if (found->second.empty()) by_peer_.erase(found);
  for (const SwarmEvents& observer : observers_) observer.disconnected(connection, why);
}

void Swarm::on_silent() {
  const TimePoint now = clock_.now();
  if (now - checked_ < kCheckInterval) return;
  checked_ = now;
  check_all();
}

void Swarm::check_all() {
  for (const auto& [id, connection] : connections_) connection->check();
}

void Swarm::network_changed() {
  for (const auto& [id, connection] : connections_) {
    const codec::Multiaddr& address = connection->facts().local_address;
    const auto local = net::to_tcp_address(address);  // a circuit has none
    if (!local || address.scope() == codec::AddressScope::link_local) continue;
    if (!net::is_own_address(local->address()))
      connection->abort(boost::system::errc::make_error_code(boost::system::errc::network_down));
  }
  check_all();
}

void Swarm::on_stream(ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
  auto slot = connection->admit_stream();
  if (!slot) return;  // the stream goes, and with it is reset
  TaskScope& tasks = connection->tasks();
  tasks.spawn("stream", serve_stream(std::move(connection), std::move(stream), *std::move(slot)));
}

awaitable<void> Swarm::serve_stream(ConnectionPtr connection, std::unique_ptr<net::Stream> stream,
                                    ResourceLedger::StreamSlot slot) {
  // Own copy, of the moment in which the protocol was agreed upon: the answer may take a while to
  // go out, and the handler must outlive the table's entry.
  Protocol served;
  const auto supports = [this, &served](std::string_view protocol) {
    const auto found = protocols_.find(protocol);
    if (found == protocols_.end()) return false;
    served = found->second;
    return true;
  };
  auto protocol = co_await with_deadline<std::string>(clock_, kNegotiationTimeout,
                                                      select_as_listener(*stream, supports));
  if (!protocol) co_return;
  if (!slot.negotiate(*protocol, served.limits)) {
    stream->reset();
    co_return;
  }
  auto counted = with_slot(std::move(stream), std::move(slot));
  co_await served.handler(std::move(connection), std::move(counted));
}

awaitable<void> Swarm::keep_trimming() {
  for (;;) {
    if (auto slept = co_await clock_.sleep_for(kTrimInterval); !slept) co_return;
    trim();
    cut_hanging();
  }
}

void Swarm::cut_hanging() {
  for (const auto& [id, connection] : connections_) {
    const auto since = connection->closing_since();
    if (since && clock_.now() - *since >= kClosingTimeout) connection->abort(Errc::timed_out);
  }
}

void Swarm::trim() {
  const TimePoint now = clock_.now();
  std::vector<TrimCandidate> all;
  std::set<ConnectionId> closing;
  for (const auto& [peer, ids] : by_peer_) {
    std::vector<TrimCandidate> of_peer;
    for (const ConnectionPtr& connection : connections_to(peer)) {
      if (!connection->alive() || connection->facts().probe) continue;
      const Connection::Facts& facts = connection->facts();
      of_peer.push_back({facts.id, peer, facts.direction, connection->trusted(),
                         connection->stream_count(), facts.opened});
    }
    for (const ConnectionId id : trimmer_.surplus(self_, of_peer, now)) closing.insert(id);
    all.insert(all.end(), of_peer.begin(), of_peer.end());
  }
  for (const ConnectionId id : trimmer_.choose(std::move(all), now)) closing.insert(id);
  for (const ConnectionId id : closing) {
    const ConnectionPtr& connection = connections_.at(id);
    log::debug("trimmed the connection to {}", connection->peer().to_string());
    connection->close();
  }
  counters_.trimmed += closing.size();
}

awaitable<void> Swarm::close(Duration grace) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (const auto& listener : listeners_) listener->close();
  co_await tasks_.close();
  co_await dialer_.close();
  for (const auto& [id, connection] : connections_) connection->close();
  const TimePoint until = clock_.now() + grace;
  while (!connections_.empty() && clock_.now() < until) {
    if (auto done = co_await clock_.sleep_for(std::chrono::milliseconds(20)); !done) break;
  }
  co_await running_.close();
}

}  // namespace oc::p2p
