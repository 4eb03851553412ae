#include "p2p/swarm/resource_ledger.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace oc::p2p {
namespace {

std::size_t& count_of(ResourceUsage& usage, Resource resource) {
  switch (resource) {
    case Resource::connection_in: return usage.connections_in;
    case Resource::connection_out: return usage.connections_out;
    case Resource::stream_in: return usage.streams_in;
    default: return usage.streams_out;
  }
}

// Whether one more fits.
bool fits(const ResourceUsage& usage, const ScopeLimits& limits, Resource resource) {
  const std::size_t connections = usage.connections_in + usage.connections_out;
  const std::size_t streams = usage.streams_in + usage.streams_out;
  switch (resource) {
    case Resource::connection_in:
      return usage.connections_in < limits.connections.in && connections < limits.connections.all;
    case Resource::connection_out:
      return usage.connections_out < limits.connections.out && connections < limits.connections.all;
    case Resource::stream_in:
      return usage.streams_in < limits.streams.in && streams < limits.streams.all;
    default: return usage.streams_out < limits.streams.out && streams < limits.streams.all;
  }
}

}  // namespace

std::string_view to_text(Scope scope) {
  switch (scope) {
    case Scope::system: return "system";
    case Scope::transient: return "transient";
    case Scope::untrusted: return "untrusted";
    case Scope::peer: return "peer";
    case Scope::connection: return "connection";
    case Scope::protocol: return "protocol";
    case Scope::protocol_peer: return "protocol_peer";
    case Scope::source: return "source";
  }
  return "";
}

std::string_view to_text(Resource resource) {
  switch (resource) {
    case Resource::connection_in: return "connection_in";
    case Resource::connection_out: return "connection_out";
    case Resource::stream_in: return "stream_in";
    case Resource::stream_out: return "stream_out";
    case Resource::memory: return "memory";
    case Resource::rate: return "rate";
  }
  return "";
}

struct ResourceLedger::Books {
  explicit Books(ResourceLimits l)
      : limits(l),
        sources(limits),
        system_memory(limits.system.memory),
        untrusted_memory(limits.untrusted.memory) {
    untrusted_memory.move_into(&system_memory);
    system_memory.on_refused = [this] { (void)refuse({Scope::system, Resource::memory}, "peers"); };
    untrusted_memory.on_refused = [this] {
      (void)refuse({Scope::untrusted, Resource::memory}, "strangers");
    };
  }

  struct PeerBooks {
    explicit PeerBooks(std::size_t memory_limit) : memory(memory_limit) {}
    ResourceUsage usage;
    ReceiveBudget memory;
  };
  // An inbound connection that nobody vouched for.
  struct Unproved {
    Source source;
    Bytes place;  // SourceGate::widest()
    TimePoint since{};
    bool identified = false;
    bool cut = false;
    std::function<void()> on_cut;
  };
  struct ProtocolBooks {
    std::size_t streams = 0;
    std::size_t untrusted = 0;  // of them
    std::map<codec::PeerId, std::size_t> of_peer;
  };

  Refusal refuse(Refusal refusal, std::string_view who) {
    ++refusals[refusal];
    log::debug("no more {} for {}: bound of {}", to_text(refusal.resource), who,
               to_text(refusal.scope));
    return refusal;
  }
  // What keeps a new connection out, if anything does. Untrusted, too, for that is what it becomes.
  std::optional<Refusal> full(Resource direction) const {
    if (!fits(system, limits.system, direction)) return Refusal{Scope::system, direction};
    if (!fits(transient, limits.transient, direction)) return Refusal{Scope::transient, direction};
    if (!fits(untrusted, limits.untrusted, direction)) return Refusal{Scope::untrusted, direction};
    return std::nullopt;
  }
  // Makes room for a newcomer, if that is needed and may be: among handshakes, or among strangers.
  void make_room(bool identified, const Bytes& newcomer);
  // The number of the one to cut; 0 when there is none.
  std::uint64_t find_victim(bool identified, const Bytes& newcomer) const;
  void cut(Unproved& one);
  const ScopeLimits& peer_limits(bool trusted) const {
    return trusted ? limits.peer : limits.untrusted_peer;
  }
  PeerBooks& books_of(const codec::PeerId& peer) {
    const auto [found, made] = peers.try_emplace(peer, limits.peer.memory);
    if (made) {
      found->second.memory.move_into(&system_memory);
      found->second.memory.on_refused = [this, peer] {
        (void)refuse({Scope::peer, Resource::memory}, peer.to_string());
      };
    }
    return found->second;
  }
  void leave_peer(const codec::PeerId& peer, Resource resource) {
    auto found = peers.find(peer);
    --count_of(found->second.usage, resource);
    if (found->second.usage.empty()) peers.erase(found);
  }

  ResourceLimits limits;
  ResourceUsage system, transient, untrusted;
  SourceGate sources;
  ReceiveBudget system_memory;
  ReceiveBudget untrusted_memory;
  std::map<std::uint64_t, Unproved> unproved;  // oldest first
  std::uint64_t next_unproved = 1;
  TimePoint newest{};  // when the last one came
  std::map<codec::PeerId, PeerBooks> peers;
  std::map<std::string, ProtocolBooks> protocols;
  std::map<Refusal, std::uint64_t> refusals;
};

std::uint64_t ResourceLedger::Books::find_victim(bool identified, const Bytes& newcomer) const {
  struct Crowd {
    std::size_t size = 0;
    std::uint64_t oldest = 0;
  };
  std::map<Bytes, Crowd> crowds;
  for (const auto& [number, one] : unproved) {
    if (one.cut || one.identified != identified) continue;
    Crowd& crowd = crowds[one.place];
    ++crowd.size;
    if (one.on_cut && crowd.oldest == 0) crowd.oldest = number;
  }
  const std::size_t own = crowds[newcomer].size;
  const auto& most = std::ranges::max_element(crowds, {}, [](const auto& item) {
                       return item.second.size;
                     })->second;
  if (most.size > own + 1 && most.oldest != 0) return most.oldest;
  std::uint64_t oldest = 0;
  for (const auto& [place, crowd] : crowds) {
    if (crowd.size < own || crowd.oldest == 0) continue;
    if (oldest == 0 || crowd.oldest < oldest) oldest = crowd.oldest;
  }
  if (oldest == 0) return 0;
  const Duration patience = identified ? kStrangerPatience : kHandshakePatience;
  return newest - unproved.at(oldest).since >= patience ? oldest : 0;
}

void ResourceLedger::Books::make_room(bool identified, const Bytes& newcomer) {
  const ResourceUsage& usage = identified ? untrusted : transient;
  const ScopeLimits& bounds = identified ? limits.untrusted : limits.transient;
  if (fits(usage, bounds, Resource::connection_in)) return;
  if (const std::uint64_t victim = find_victim(identified, newcomer)) cut(unproved.at(victim));
}

void ResourceLedger::Books::cut(Unproved& one) {
  one.cut = true;
  --system.connections_in;
  --(one.identified ? untrusted : transient).connections_in;
  sources.leave(one.source);
  (void)refuse({one.identified ? Scope::untrusted : Scope::transient, Resource::connection_in},
               to_text(one.source));
  const auto tell = std::exchange(one.on_cut, nullptr);
  tell();
}

ResourceLedger::ResourceLedger(ResourceLimits limits) : books_(std::make_shared<Books>(limits)) {}
ResourceLedger::~ResourceLedger() = default;

const ResourceLimits& ResourceLedger::limits() const { return books_->limits; }

const ResourceUsage& ResourceLedger::usage(Scope scope) const {
  switch (scope) {
    case Scope::transient: return books_->transient;
    case Scope::untrusted: return books_->untrusted;
    default: return books_->system;
  }
}

std::size_t ResourceLedger::memory(Scope scope) const {
  return scope == Scope::untrusted ? books_->untrusted_memory.taken()
                                   : books_->system_memory.taken();
}

const std::map<Refusal, std::uint64_t>& ResourceLedger::refusals() const {
  return books_->refusals;
}
std::size_t ResourceLedger::peers() const { return books_->peers.size(); }
std::size_t ResourceLedger::sources() const { return books_->sources.size(); }

Granted<ResourceLedger::ConnectionSlot> ResourceLedger::accept_from(Source source, TimePoint now) {
  const std::string who = to_text(source);
  Books& books = *books_;
  if (!fits(books.system, books.limits.system, Resource::connection_in))
    return books.refuse({Scope::system, Resource::connection_in}, who);
  if (auto refused = books.sources.refusal(source, now)) {
    const bool rate = *refused == SourceGate::Refused::rate;
    return books.refuse({Scope::source, rate ? Resource::rate : Resource::connection_in}, who);
  }
  books.newest = now;
  const Bytes place = books.sources.widest(source);
  books.make_room(false, place);
  books.make_room(true, place);
  if (auto full = books.full(Resource::connection_in)) return books.refuse(*full, who);
  ASSERT(!books.sources.enter(source, now));
  ConnectionSlot slot(books_, Resource::connection_in);
  slot.number_ = books.next_unproved++;
  books.unproved.emplace(slot.number_, Books::Unproved{source, place, now, false, false, nullptr});
  slot.source_ = std::move(source);
  return slot;
}

Granted<ResourceLedger::ConnectionSlot> ResourceLedger::accept(
    const boost::asio::ip::address& source, TimePoint now) {
  return accept_from(source, now);
}

Granted<ResourceLedger::ConnectionSlot> ResourceLedger::accept_circuit(const codec::PeerId& relay,
                                                                       TimePoint now) {
  return accept_from(relay, now);
}

Granted<ResourceLedger::ConnectionSlot> ResourceLedger::dial() {
  if (auto full = books_->full(Resource::connection_out)) return books_->refuse(*full, "a dial");
  return ConnectionSlot(books_, Resource::connection_out);
}

ResourceLedger::ConnectionSlot::ConnectionSlot(std::shared_ptr<Books> books, Resource direction)
    : books_(std::move(books)), direction_(direction) {
  ++count_of(books_->system, direction_);
  ++count_of(books_->transient, direction_);
}

ResourceLedger::ConnectionSlot& ResourceLedger::ConnectionSlot::operator=(
    ConnectionSlot&& other) noexcept {
  release();
  books_ = std::move(other.books_);
  direction_ = other.direction_;
  source_ = std::exchange(other.source_, std::nullopt);
  number_ = other.number_;
  peer_ = std::move(other.peer_);
  trusted_ = other.trusted_;
  return *this;
}

ResourceLedger::ConnectionSlot::~ConnectionSlot() { release(); }

void ResourceLedger::ConnectionSlot::release() {
  if (books_ == nullptr) return;
  if (!is_cut()) {
    --count_of(books_->system, direction_);
    if (source_) books_->sources.leave(*source_, trusted_);
    if (!trusted_) --count_of(peer_.empty() ? books_->transient : books_->untrusted, direction_);
  }
  if (!peer_.empty()) books_->leave_peer(peer_, direction_);
  books_->unproved.erase(number_);
  books_ = nullptr;
}

Granted<void> ResourceLedger::ConnectionSlot::identify(const codec::PeerId& peer) {
  if (books_ == nullptr) return {};
  ASSERT(peer_.empty());
  if (is_cut()) return Refusal{Scope::transient, direction_};
  const auto known = books_->peers.find(peer);
  const ResourceUsage usage = known == books_->peers.end() ? ResourceUsage() : known->second.usage;
  if (!fits(usage, books_->limits.untrusted_peer, direction_))
    return books_->refuse({Scope::peer, direction_}, peer.to_string());
  const auto one = books_->unproved.find(number_);
  if (one != books_->unproved.end()) books_->make_room(true, one->second.place);
  if (!fits(books_->untrusted, books_->limits.untrusted, direction_))
    return books_->refuse({Scope::untrusted, direction_}, peer.to_string());
  --count_of(books_->transient, direction_);
  ++count_of(books_->untrusted, direction_);
  ++count_of(books_->books_of(peer).usage, direction_);
  peer_ = peer;
  if (one != books_->unproved.end()) {
    one->second.identified = true;
    one->second.on_cut = nullptr;
  }
  return {};
}

bool ResourceLedger::ConnectionSlot::is_cut() const {
  const auto one = books_->unproved.find(number_);
  return one != books_->unproved.end() && one->second.cut;
}

void ResourceLedger::ConnectionSlot::on_cut(std::function<void()> callback) {
  if (books_ == nullptr) return;
  const auto one = books_->unproved.find(number_);
  if (one != books_->unproved.end() && !one->second.cut) one->second.on_cut = std::move(callback);
}

Granted<void> ResourceLedger::ConnectionSlot::trust() {
  if (books_ == nullptr || trusted_) return {};
  ASSERT(!peer_.empty());
  if (is_cut()) return Refusal{Scope::untrusted, direction_};
  const bool scarce = books_->system.connections_in > books_->limits.system.connections.in / 2;
  if (source_ && !books_->sources.welcome(*source_, scarce))
    return books_->refuse({Scope::source, direction_}, to_text(*source_));
  trusted_ = true;
  books_->unproved.erase(std::exchange(number_, 0));
  --count_of(books_->untrusted, direction_);
  return {};
}

const ConnectionLimits& ResourceLedger::ConnectionSlot::limits() const {
  static const ResourceLimits defaults;
  const ResourceLimits& limits = books_ == nullptr ? defaults : books_->limits;
  return trusted_ ? limits.connection : limits.untrusted_connection;
}

void ResourceLedger::ConnectionSlot::bound(ReceiveBudget& session) const {
  session.set_most(limits().memory);
  if (books_ == nullptr) return;
  session.move_into(trusted_ ? &books_->books_of(peer_).memory : &books_->untrusted_memory);
  session.on_refused = [books = books_, peer = peer_] {
    (void)books->refuse({Scope::connection, Resource::memory}, peer.to_string());
  };
}

void ResourceLedger::ConnectionSlot::refused_streams(std::uint64_t count) const {
  if (books_ == nullptr || count == 0) return;
  books_->refusals[{Scope::connection, Resource::stream_in}] += count;
}

Granted<ResourceLedger::StreamSlot> ResourceLedger::ConnectionSlot::open_stream(
    Resource direction) const {
  StreamSlot slot;
  if (books_ == nullptr) return slot;
  Books& books = *books_;
  const bool transient = !trusted_ && direction == Resource::stream_in;
  ResourceUsage& of_peer = books.books_of(peer_).usage;
  const std::array<std::tuple<Scope, ResourceUsage*, const ScopeLimits*>, 4> scopes{{
      {Scope::system, &books.system, &books.limits.system},
      {Scope::transient, transient ? &books.transient : nullptr, &books.limits.transient},
      {Scope::untrusted, trusted_ ? nullptr : &books.untrusted, &books.limits.untrusted},
      {Scope::peer, &of_peer, &books.peer_limits(trusted_)},
  }};
  for (const auto& [scope, usage, limits] : scopes) {
    if (usage != nullptr && !fits(*usage, *limits, direction))
      return books.refuse({scope, direction}, peer_.to_string());
  }
  for (const auto& [scope, usage, limits] : scopes) {
    if (usage != nullptr) ++count_of(*usage, direction);
  }
  slot.books_ = books_;
  slot.direction_ = direction;
  slot.peer_ = peer_;
  slot.untrusted_ = !trusted_;
  slot.transient_ = transient;
  return slot;
}

ResourceLedger::StreamSlot& ResourceLedger::StreamSlot::operator=(StreamSlot&& other) noexcept {
  release();
  books_ = std::move(other.books_);
  direction_ = other.direction_;
  peer_ = std::move(other.peer_);
  untrusted_ = other.untrusted_;
  transient_ = other.transient_;
  protocol_ = std::move(other.protocol_);
  return *this;
}

ResourceLedger::StreamSlot::~StreamSlot() { release(); }

void ResourceLedger::StreamSlot::release() {
  if (books_ == nullptr) return;
  --count_of(books_->system, direction_);
  if (untrusted_) --count_of(books_->untrusted, direction_);
  if (transient_) --count_of(books_->transient, direction_);
  if (!protocol_.empty()) {
    auto& protocol = books_->protocols.at(protocol_);
    --protocol.streams;
    if (untrusted_) --protocol.untrusted;
    if (--protocol.of_peer.at(peer_) == 0) protocol.of_peer.erase(peer_);
  }
  books_->leave_peer(peer_, direction_);
  books_ = nullptr;
}

Granted<void> ResourceLedger::StreamSlot::negotiate(const std::string& protocol,
                                                    const StreamLimits& limits) {
  if (books_ == nullptr) return {};
  ASSERT(protocol_.empty());
  auto& books = books_->protocols[protocol];
  const bool crowded = untrusted_ && books.untrusted >= limits.of_strangers();
  if (crowded || books.streams >= limits.all)
    return books_->refuse({Scope::protocol, direction_}, protocol);
  auto of_peer = books.of_peer.find(peer_);
  if (limits.of_peer <= (of_peer == books.of_peer.end() ? 0 : of_peer->second)) {
    return books_->refuse({Scope::protocol_peer, direction_}, peer_.to_string());
  }
  if (std::exchange(transient_, false)) --count_of(books_->transient, direction_);
  ++books.streams;
  if (untrusted_) ++books.untrusted;
  ++books.of_peer[peer_];
  protocol_ = protocol;
  return {};
}

}  // namespace oc::p2p
