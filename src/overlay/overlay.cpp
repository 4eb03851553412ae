#include "overlay/overlay.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"

namespace oc::overlay {
namespace {

// Whom failures from an address are counted against: one IPv4 address, or one IPv6 /64, which is
// what a single customer has.
std::string limited_address(const codec::Multiaddr& address) {
  const auto endpoint = address.tcp_endpoint();
  if (!endpoint) return address.to_string();
  return to_hex(BytesView(endpoint->address).first(endpoint->v6 ? 8 : 4));
}

// From how far an address can be reached; less is farther.
constexpr int kLoopbackRank = 4;
int rank(const codec::Multiaddr& address) {
  switch (address.scope()) {
    case codec::AddressScope::public_internet: return 0;
    case codec::AddressScope::shared_cgnat: return 1;
    case codec::AddressScope::private_use: return 2;
    case codec::AddressScope::link_local: return 3;
    default: return kLoopbackRank;
  }
}

}  // namespace

Overlay::Overlay(p2p::Host& host, Clock& clock, Random& random, OverlayOptions options,
                 OverlayEvents events)
    : host_(host),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      events_(std::move(events)),
      members_(host.swarm()),
      sync_(host.swarm(), members_, clock, random,
            [this](const NetworkId& network, const SealedRecord& record) {
              on_record(network, record);
            }),
      failed_proofs_(kMaxFailedProofs, kFailedProofWindow),
      failed_addresses_(kMaxFailedProofsOfAddress, kFailedProofWindow),
      schedule_(random),
      relays_(host.swarm(), host.relay_client(), clock, relay_keeper_options()),
      tasks_(host.swarm().executor()) {
  host_.swarm().handle(kNetworkProtocol,
                       [this](p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
                         return serve_handshake(std::move(connection), std::move(stream));
                       },
                       {p2p::kUnlimited, kMaxHandshakeStreams});
  p2p::SwarmEvents observer;
  observer.connected = [this](const p2p::ConnectionPtr& connection) { on_connected(connection); };
  observer.disconnected = [this](const p2p::ConnectionPtr& connection, error_code why) {
    on_disconnected(connection, why);
  };
  host_.swarm().observe(std::move(observer));
  host_.relay_client().ready = [this](p2p::ConnectionPtr relay) {
    return wait_for_proof(relay, [this, relay] { return members_.is_member(*relay); });
  };
  members_.on_change = [this](const codec::PeerId& peer, const NetworkId& id, bool online) {
    on_member_changed(peer, id, online);
  };
}

Overlay::~Overlay() = default;

Result<void> Overlay::join(Network network) { return members_.join(std::move(network)); }

void Overlay::restore(const NetworkName& name, BytesView envelope,
                      std::optional<WallTime> last_contact) {
  const Network* network = members_.find(name);
  auto record = open_record(envelope);
  if (network == nullptr || !record || !check_record_date(record->record, clock_.wall_now()))
    return;
  const codec::PeerId peer = record->record.peer;
  if (peer == self()) return;
  if (last_contact) remember_contact(peer, *last_contact);
  (void)members_.book(network->id).put(*std::move(record));
}

bool Overlay::add_bootstrap(const BootstrapPeer& peer) {
  if (peer.id == self()) return false;
  if (bootstrap_.size() >= kMaxBootstrapPeers && !bootstrap_.contains(peer.id)) return false;
  bootstrap_[peer.id] = peer;
  schedule_.reset(peer.id);
  return true;
}

bool Overlay::add_candidate(const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses) {
  return peer != self() && candidates_.add(peer, std::move(addresses), clock_.now());
}

void Overlay::start() {
  refresh_record();
  tasks_.spawn("mesh", keep_connected());
  tasks_.spawn("own record", keep_record());
  tasks_.spawn("sync", sync_.run());
  relays_.start();
}

awaitable<void> Overlay::close() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await relays_.close();
  co_await tasks_.close();
}

p2p::RelayKeeperOptions Overlay::relay_keeper_options() {
  p2p::RelayKeeperOptions options;
  options.needed = [this] { return !options_.reachable(); };
  options.may_relay = [this](const p2p::Connection& relay) { return members_.is_member(relay); };
  options.changed = [this] { refresh_record(); };
  return options;
}

void Overlay::addresses_changed() {
  refresh_record();
  relays_.look();
}

std::vector<codec::Multiaddr> Overlay::own_addresses() const {
  std::vector<codec::Multiaddr> addresses = options_.announce;
  const auto add = [&addresses](const codec::Multiaddr& address) {
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  };
  if (const auto mapped = options_.mapped()) add(*mapped);
  std::ranges::for_each(host_.identify().external_addresses(), add);
  if (options_.announce.empty()) {
    auto listening = host_.swarm().listen_addresses();
    std::ranges::stable_sort(listening, {}, rank);
    if (listening.size() > kMaxInterfaceAddresses) listening.resize(kMaxInterfaceAddresses);
    std::ranges::for_each(listening, add);
  }
  std::ranges::for_each(relays_.addresses(), add);
  // Loopback leads a peer on another machine to itself; it is told only where there is nothing
  // else.
  const auto is_loopback = [](const auto& address) { return rank(address) == kLoopbackRank; };
  if (!std::ranges::all_of(addresses, is_loopback)) std::erase_if(addresses, is_loopback);
  return addresses;
}

BootstrapPeer Overlay::own_bootstrap() const {
  BootstrapPeer out{self(), {}};
  for (const auto& address : own_addresses()) out.addresses.push_back(address.with_peer(self()));
  return out;
}

std::vector<MemberStatus> Overlay::members() const {
  std::map<codec::PeerId, MemberStatus> found;
  const auto entry = [&found](const codec::PeerId& peer) -> MemberStatus& {
    MemberStatus& status = found[peer];
    status.peer = peer;
    if (status.record.peer.empty()) status.record.peer = peer;
    return status;
  };
  for (const auto& [id, network] : members_.networks()) {
    const RecordBook* book = members_.find_book(id);
    for (const auto& [peer, sealed] : book->all()) {
      if (peer == self()) continue;
      MemberStatus& status = entry(peer);
      status.networks.insert(network.name.value());
      if (status.record.seq <= sealed.record.seq) status.record = sealed.record;
    }
    for (const auto& connection : members_.connected(id)) {
      MemberStatus& status = entry(connection->peer());
      status.networks.insert(network.name.value());
      status.online = true;
      status.connection = connection;
    }
  }
  std::vector<MemberStatus> out;
  for (auto& [peer, status] : found) {
    if (auto contact = last_contact_.find(peer); contact != last_contact_.end()) {
      status.last_contact = contact->second;
    }
    if (status.online) status.last_contact = clock_.wall_now();
    out.push_back(std::move(status));
  }
  return out;
}

std::optional<error_code> Overlay::last_refusal(const codec::PeerId& peer) const {
  auto found = refusals_.find(peer);
  if (found == refusals_.end()) return std::nullopt;
  return found->second;
}

void Overlay::on_connected(const p2p::ConnectionPtr& connection) {
  if (connection->facts().probe) return;
  const bool ours = connection->facts().direction == p2p::Direction::outbound;
  if (ours) connection->tasks().spawn("prove membership", prove_all(connection));
  connection->tasks().spawn("drop stranger", drop_stranger(connection));
}

void Overlay::on_disconnected(const p2p::ConnectionPtr& connection, error_code why) {
  if (connection->facts().probe) return;
  const bool was_member = members_.is_member(*connection);
  if (was_member) {
    remember_contact(connection->peer(), clock_.wall_now());
    schedule_.reset(connection->peer());
    log::info("lost the connection to {}: {}", connection->peer().to_string(), why.message());
  } else if (connection->facts().direction == p2p::Direction::outbound &&
             is_expected(connection->peer()) && schedule_.due(connection->peer(), clock_.now())) {
    // It ended before anything was proved, and not for a refusal, which has a wait of its own.
    schedule_.failed(connection->peer(), clock_.now());
  }
  members_.forget(*connection);
}

void Overlay::on_member_changed(const codec::PeerId& peer, const NetworkId& id, bool online) {
  p2p::ConnectionTrimmer& trimmer = host_.swarm().trimmer();
  if (const auto connection = members_.connection_to(peer)) {
    trimmer.tag(peer, "member", kMemberValue);
    // Whom we want, and not only who wants us.
    const bool dialed = connection->facts().direction == p2p::Direction::outbound;
    if (dialed || bootstrap_.contains(peer)) trimmer.protect(peer, "mesh");
  } else {
    trimmer.untag(peer, "member");
    trimmer.unprotect(peer, "mesh");
  }
  if (const Network* network = members_.find(id))
    events_.member_changed(peer, network->name, online);
}

HandshakeParties Overlay::parties(const p2p::Connection& connection) const {
  return {self(), connection.peer(), to_bytes(connection.binding())};
}

awaitable<void> Overlay::prove_all(p2p::ConnectionPtr connection) {
  std::vector<Network> networks;
  for (const auto& [id, network] : members_.networks()) networks.push_back(network);
  if (networks.empty()) co_return;
  bool any = false;
  error_code last;
  for (Network& network : networks) {
    auto proved = co_await with_deadline<void>(clock_, kProofTimeout, prove(connection, network));
    any = any || proved.has_value();
    if (!proved) last = proved.error();
  }
  if (any) {
    refusals_.erase(connection->peer());
    co_return;
  }
  if (!connection->alive()) co_return;
  if (!is_expected(connection->peer())) {
    candidates_.refused(connection->peer(), clock_.now());
    log::debug("{} at {} is no member of a network of this node: {}",
               connection->peer().to_string(), connection->facts().remote_address.to_string(),
               last.message());
    connection->close();
    co_return;
  }
  if (last.category() == handshake_category()) {
    refusals_[connection->peer()] = last;
    schedule_.refused(connection->peer(), clock_.now());
  }
  const Fault fault(handshake_fault(last),
                    "node " + connection->peer().to_string() +
                        " does not accept this node as a member: " + last.message());
  log::error("{}", fault.to_string());
  connection->close();
}

awaitable<Result<void>> Overlay::prove(p2p::ConnectionPtr connection, Network network) {
  CO_TRY(auto stream, co_await connection->open_stream(kNetworkProtocol));
  const NetworkId id = network.id;
  const std::string name = network.name.value();
  auto proved =
      co_await prove_membership(*stream, parties(*connection), std::move(network), random_);
  if (!proved) {
    ++counters_.proofs_failed;
    stream->reset();
    co_return proved.error();
  }
  (void)co_await stream->close_write();
  ++counters_.proofs_ok;
  log::info("connected to {} in network {} at {}", connection->peer().to_string(), name,
            connection->facts().remote_address.to_string());
  admit(connection, id);
  sync_.start(connection, id);
  co_return success();
}

awaitable<void> Overlay::serve_handshake(p2p::ConnectionPtr connection,
                                         std::unique_ptr<net::Stream> stream) {
  const std::string peer = connection->peer().to_string();
  const std::string address = connection->facts().remote_address.to_string();
  const std::string host = limited_address(connection->facts().remote_address);
  Verifier verifier;
  verifier.find = [this](const NetworkId& id) { return members_.find(id); };
  verifier.allowed = [&](const NetworkId& id) {
    const TimePoint now = clock_.now();
    return failed_proofs_.allowed(peer + to_hex(id), now) &&
           failed_proofs_.allowed(host + to_hex(id), now) && failed_addresses_.allowed(host, now);
  };
  verifier.failed = [&](const NetworkId& id) {
    const TimePoint now = clock_.now();
    failed_proofs_.failed(peer + to_hex(id), now);
    failed_proofs_.failed(host + to_hex(id), now);
    failed_addresses_.failed(host, now);
  };
  verifier.proved = [&](const NetworkId& id) {
    ++counters_.proofs_ok;
    log::info("{} joined network {} from {}", peer, members_.find(id)->name.value(), address);
    admit(connection, id);
  };
  auto verified = co_await with_deadline<void>(
      clock_, kProofTimeout, verify_membership(*stream, parties(*connection), verifier, random_));
  if (verified) co_return;
  ++counters_.proofs_failed;
  log::warn("{} at {} failed to prove membership: {}", peer, address, verified.error().message());
}

void Overlay::admit(const p2p::ConnectionPtr& connection, const NetworkId& network) {
  members_.proved(connection, network);
  // A fellow member is trusted to say from where it sees us: it would harm its own network only.
  host_.identify().trust(*connection);
  look_for_relays();
}

awaitable<void> Overlay::drop_stranger(p2p::ConnectionPtr connection) {
  if (auto done = co_await clock_.sleep_for(kProofTimeout); !done) co_return;
  if (members_.is_member(*connection)) co_return;
  ++counters_.strangers_dropped;
  connection->close();
}

void Overlay::on_record(const NetworkId& network, const SealedRecord& record) {
  const codec::PeerId& peer = record.record.peer;
  const Duration wait = self() < peer ? Duration{} : kPoliteness;
  if (members_.connection_to(peer) == nullptr) schedule_.heard(peer, clock_.now() + wait);
  if (const Network* found = members_.find(network)) events_.record_changed(found->name, record);
}

void Overlay::refresh_record() {
  NodeRecord record;
  record.peer = self();
  record.addresses = own_addresses();
  record.name = options_.node_name;
  record.version = options_.version;
  record.issued = clock_.wall_now();
  if (own_record_) {
    const bool moved = record.addresses != issued_addresses_;
    if (!moved && record.issued - own_record_->record.issued < kRecordRefresh) return;
    if (moved) host_.identify().changed();
  }
  issued_addresses_ = record.addresses;
  // The clock is a floor, so that a store that lost the last seq does not make us repeat one.
  const auto floor = static_cast<std::uint64_t>(unix_milliseconds(record.issued));
  record.seq = std::max(options_.last_seq + 1, floor);
  options_.last_seq = record.seq;
  events_.seq_used(record.seq);
  own_record_ = seal_record(host_.swarm().identity(), std::move(record));
  for (const auto& [id, network] : members_.networks()) {
    (void)members_.book(id).put(*own_record_);
    sync_.push(id, {self()}, self());
  }
}

awaitable<void> Overlay::keep_record() {
  for (;;) {
    if (auto slept = co_await clock_.sleep_for(kRecordCheck); !slept) co_return;
    refresh_record();
    forget_old_records();
  }
}

void Overlay::forget_old_records() {
  const WallTime oldest = clock_.wall_now() - kMaxRecordAge;
  for (const auto& [id, network] : members_.networks())
    members_.book(id).forget_issued_before(oldest);
  // What is remembered of a peer lasts no longer than its record.
  const auto expected = [this](const codec::PeerId& peer) { return is_expected(peer); };
  schedule_.keep_only(expected);
  std::erase_if(refusals_, [&](const auto& entry) { return !expected(entry.first); });
  std::erase_if(unreachable_, [&](const auto& entry) { return !expected(entry.first); });
}

void Overlay::remember_contact(const codec::PeerId& peer, WallTime when) {
  // A member that comes under ever new ids must not fill the memory.
  if (last_contact_.size() < kMaxRecords || last_contact_.contains(peer))
    last_contact_[peer] = when;
}

std::vector<codec::Multiaddr> Overlay::addresses_of(const codec::PeerId& peer) const {
  std::vector<codec::Multiaddr> out;
  if (auto found = bootstrap_.find(peer); found != bootstrap_.end()) {
    for (const auto& address : found->second.addresses) out.push_back(address.without_peer());
  }
  if (const SealedRecord* record = members_.find_record(peer)) {
    for (const auto& address : record->record.addresses) out.push_back(address.without_peer());
  }
  for (auto& address : candidates_.addresses_of(peer)) out.push_back(std::move(address));
  return out;
}

bool Overlay::is_expected(const codec::PeerId& peer) const {
  return bootstrap_.contains(peer) || members_.find_record(peer) != nullptr;
}

std::set<codec::PeerId> Overlay::wanted_peers() const {
  std::set<codec::PeerId> wanted;
  for (const auto& [id, network] : members_.networks()) {
    const RecordBook* book = members_.find_book(id);
    const bool enough = members_.connected(id).size() >= kSmallNetwork;
    for (const auto& [peer, record] : book->all()) {
      if (enough) break;
      if (peer != self() && members_.connection_to(peer, id) == nullptr) wanted.insert(peer);
    }
  }
  for (const auto& [peer, entry] : bootstrap_) {
    if (!members_.networks().empty() && members_.connection_to(peer) == nullptr)
      wanted.insert(peer);
  }
  return wanted;
}

awaitable<void> Overlay::keep_connected() {
  for (;;) {
    const TimePoint now = clock_.now();
    const std::set<codec::PeerId> wanted = wanted_peers();
    std::vector<codec::PeerId> peers(wanted.begin(), wanted.end());
    // From a random one on: in a large network each node then has other neighbours, and peers that
    // are gone do not keep us from trying the rest.
    if (!peers.empty()) {
      const auto first = static_cast<std::ptrdiff_t>(random_.below(peers.size()));
      std::rotate(peers.begin(), peers.begin() + first, peers.end());
    }
    for (const codec::PeerId& peer : peers) {
      if (dialing_.size() >= kMaxDialsAtOnce) break;
      if (dialing_.contains(peer) || !schedule_.due(peer, now) || addresses_of(peer).empty())
        continue;
      tasks_.spawn("dial member", dial_member(peer));
    }
    dial_candidates();
    if (auto slept = co_await clock_.sleep_for(kMeshTick); !slept) co_return;
  }
}

void Overlay::dial_candidates() {
  if (members_.networks().empty()) return;
  const TimePoint now = clock_.now();
  auto dialing = static_cast<std::size_t>(
      std::ranges::count_if(dialing_, [this](const auto& peer) { return !is_expected(peer); }));
  for (const codec::PeerId& peer : candidates_.due(now)) {
    if (dialing >= kMaxCandidateDials || dialing_.size() >= kMaxDialsAtOnce) return;
    if (is_expected(peer) || dialing_.contains(peer) ||
        host_.swarm().connection_to(peer) != nullptr) {
      continue;
    }
    if (!candidates_.take(peer, now)) return;
    ++dialing;
    tasks_.spawn("dial candidate", dial_member(peer));
  }
}

awaitable<void> Overlay::dial_member(codec::PeerId peer) {
  struct Dialing {
    std::set<codec::PeerId>& set;
    codec::PeerId peer;
    ~Dialing() { set.erase(peer); }
  } dialing{dialing_, peer};
  dialing_.insert(peer);
  // A connection on which the proof is still under way, or failed, needs no second one.
  if (host_.swarm().connection_to(peer) != nullptr) co_return;
  auto connection = co_await dial(peer);
  if (!connection) {
    log::debug("cannot reach {}: {}", peer.to_string(), connection.error().message());
  }
}

awaitable<Result<p2p::ConnectionPtr>> Overlay::dial(codec::PeerId peer) {
  // The schedule lets a peer be dialed again sooner than the swarm's back-off would: it is meant to
  // be there, and may be back any moment.
  const bool expected = is_expected(peer);
  const p2p::DialOptions options{.force = expected && schedule_.due(peer, clock_.now())};
  auto connection = co_await host_.swarm().dial(peer, addresses_of(peer), options);
  if (connection) {
    unreachable_.erase(peer);
    co_return connection;
  }
  if (!expected) co_return connection.error();
  // Of many who waited for one dial the first counts its failure.
  if (schedule_.due(peer, clock_.now())) schedule_.failed(peer, clock_.now());
  if (connection.error() != p2p::P2pErrc::dial_backoff) unreachable_[peer] = connection.error();
  const auto reason = unreachable_.find(peer);
  co_return reason == unreachable_.end() ? connection.error() : reason->second;
}

awaitable<Result<p2p::ConnectionPtr>> Overlay::connect(NetworkId network, codec::PeerId peer) {
  if (auto connection = members_.connection_to(peer, network)) co_return connection;
  if (addresses_of(peer).empty() && host_.swarm().connection_to(peer) == nullptr)
    co_return Errc::not_found;
  CO_TRY(const p2p::ConnectionPtr dialed, co_await dial(peer));
  const std::function<bool()> proved = [this, peer, network] {
    return members_.connection_to(peer, network) != nullptr;
  };
  CO_CHECK(co_await wait_for_proof(dialed, proved));
  co_return members_.connection_to(peer, network);
}

awaitable<Result<void>> Overlay::wait_for_proof(p2p::ConnectionPtr connection,
                                                std::function<bool()> done) {
  const TimePoint until = clock_.now() + kProofTimeout;
  while (!done()) {
    if (!connection->alive()) {
      if (auto refusal = last_refusal(connection->peer())) co_return *refusal;
      co_return Errc::reset;
    }
    const Duration left = until - clock_.now();
    if (left <= Duration{0}) co_return Errc::timed_out;
    CO_CHECK(co_await with_deadline<void>(clock_, left, members_.wait_for_change()));
  }
  co_return success();
}

awaitable<Result<std::unique_ptr<net::Stream>>> Overlay::open_stream(NetworkId network,
                                                                     codec::PeerId peer,
                                                                     std::string protocol) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await connect(network, std::move(peer)));
  co_return co_await connection->open_stream(std::move(protocol));
}

void Overlay::handle(std::string protocol, p2p::ProtocolHandler handler, p2p::StreamLimits limits) {
  auto guarded = [this, handler = std::move(handler)](
                     p2p::ConnectionPtr connection,
                     std::unique_ptr<net::Stream> stream) -> awaitable<void> {
    if (!members_.is_member(*connection)) {
      stream->reset();
      return []() -> awaitable<void> { co_return; }();
    }
    return handler(std::move(connection), std::move(stream));
  };
  host_.swarm().handle(std::move(protocol), std::move(guarded), limits);
}

}  // namespace oc::overlay
