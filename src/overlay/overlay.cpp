#include "overlay/overlay.hpp"

#include "base/log.hpp"

namespace oc::overlay {

Overlay::Overlay(p2p::Host& host, Clock& clock, Random& random, OverlayOptions options,
                 OverlayEvents events)
    : host_(host),
      clock_(clock),
      events_(std::move(events)),
      members_(host.swarm()),
      sync_(host.swarm(), members_, clock, random,
            [this](const NetworkId& network, const SealedRecord& record) {
              on_record(network, record);
            }),
      mesh_(host.swarm(), members_, clock, random,
            [this](const codec::PeerId& peer) { return last_contact_.contains(peer); }),
      admission_(
          host.swarm(), members_, mesh_, clock, random,
          [this](const p2p::ConnectionPtr& connection, const NetworkId& network) {
            on_proved(connection, network);
          },
          [this](const codec::PeerId& peer) { return host_.relay_service().serves(peer); }),
      reachable_(std::move(options.reachable)),
      relays_(host.swarm(), host.relay_client(), clock, relay_keeper_options()),
      own_record_(host, members_, sync_, relays_, clock, std::move(options.own),
                  [this](std::uint64_t seq) { events_.seq_used(seq); }),
      tasks_(host.swarm().executor()) {
  p2p::SwarmEvents observer;
  observer.connected = [this](const p2p::ConnectionPtr& connection) { on_connected(connection); };
  observer.disconnected = [this](const p2p::ConnectionPtr& connection, error_code why) {
    on_disconnected(connection, why);
  };
  host_.swarm().observe(std::move(observer));
  host_.relay_client().ready = [this](p2p::ConnectionPtr relay) {
    return admission_.wait_for_proof(relay, [this, relay] { return members_.is_member(*relay); });
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
  if (network == nullptr || !record) return;
  // One of the future is no mistake of ours: this machine's clock may not be right yet.
  if (record->record.issued < clock_.wall_now() - kMaxRecordAge) return;
  const codec::PeerId peer = record->record.peer;
  if (peer == self()) return;
  if (last_contact) remember_contact(peer, *last_contact);
  (void)members_.book(network->id).put(*std::move(record));
}

void Overlay::start() {
  own_record_.refresh();
  mesh_.start();
  tasks_.spawn("records", keep_records());
  tasks_.spawn("sync", sync_.run());
  relays_.start();
}

awaitable<void> Overlay::close() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await relays_.close();
  co_await mesh_.close();
  co_await tasks_.close();
}

p2p::RelayKeeperOptions Overlay::relay_keeper_options() {
  p2p::RelayKeeperOptions options;
  options.needed = [this] { return !reachable_(); };
  options.may_relay = [this](const p2p::Connection& relay) { return members_.is_member(relay); };
  options.changed = [this] { own_record_.refresh(); };
  return options;
}

void Overlay::addresses_changed() {
  own_record_.refresh();
  relays_.look();
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

void Overlay::on_connected(const p2p::ConnectionPtr& connection) {
  if (!connection->facts().probe) admission_.begin(connection);
}

void Overlay::on_disconnected(const p2p::ConnectionPtr& connection, error_code why) {
  if (connection->facts().probe) return;
  const bool was_member = members_.is_member(*connection);
  if (was_member) {
    remember_contact(connection->peer(), clock_.wall_now());
    log::info("lost the connection to {}: {}", connection->peer().to_string(), why.message());
  }
  mesh_.disconnected(*connection, was_member);
  members_.forget(*connection);
}

void Overlay::on_proved(const p2p::ConnectionPtr& connection, const NetworkId& network) {
  if (!members_.proved(connection, network)) return;
  // A fellow member is trusted to say from where it sees us: it would harm its own network only.
  host_.identify().trust(*connection);
  look_for_relays();
  if (connection->facts().direction == p2p::Direction::outbound) sync_.start(connection, network);
}

void Overlay::on_member_changed(const codec::PeerId& peer, const NetworkId& id, bool online) {
  p2p::ConnectionTrimmer& trimmer = host_.swarm().trimmer();
  if (const auto connection = members_.connection_to(peer)) {
    trimmer.tag(peer, "member", kMemberValue);
    // Whom we want, and not only who wants us.
    const bool dialed = connection->facts().direction == p2p::Direction::outbound;
    if (dialed || mesh_.is_bootstrap(peer)) trimmer.protect(peer, "mesh");
  } else {
    trimmer.untag(peer, "member");
    trimmer.unprotect(peer, "mesh");
  }
  if (const Network* network = members_.find(id))
    events_.member_changed(peer, network->name, online);
}

void Overlay::on_record(const NetworkId& network, const SealedRecord& record) {
  mesh_.heard(record.record.peer);
  if (const Network* found = members_.find(network)) events_.record_changed(found->name, record);
}

awaitable<void> Overlay::keep_records() {
  for (;;) {
    if (auto slept = co_await clock_.sleep_for(kRecordCheck); !slept) co_return;
    own_record_.refresh();
    forget_old_records();
  }
}

void Overlay::forget_old_records() {
  const WallTime oldest = clock_.wall_now() - kMaxRecordAge;
  for (const auto& [id, network] : members_.networks())
    members_.book(id).forget_issued_before(oldest);
  mesh_.forget_unexpected();
  admission_.forget_unexpected();
}

void Overlay::remember_contact(const codec::PeerId& peer, WallTime when) {
  // A member that comes under ever new ids must not fill the memory.
  if (last_contact_.size() < kMaxRecords || last_contact_.contains(peer))
    last_contact_[peer] = when;
}

awaitable<Result<p2p::ConnectionPtr>> Overlay::connect(NetworkId network, codec::PeerId peer) {
  if (auto connection = members_.connection_to(peer, network)) co_return connection;
  if (mesh_.addresses_of(peer).empty() && host_.swarm().connection_to(peer) == nullptr)
    co_return Errc::not_found;
  CO_TRY(const p2p::ConnectionPtr dialed, co_await mesh_.dial(peer));
  const std::function<bool()> proved = [this, peer, network] {
    return members_.connection_to(peer, network) != nullptr;
  };
  CO_CHECK(co_await admission_.wait_for_proof(dialed, proved));
  co_return members_.connection_to(peer, network);
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
