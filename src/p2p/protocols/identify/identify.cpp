#include "p2p/protocols/identify/identify.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "crypto/peer_record.hpp"

namespace oc::p2p {
namespace {

// All that `peer` says in one exchange.
awaitable<Result<IdentifyClaims>> read_claims(net::Stream& stream, codec::PeerId peer) {
  IdentifyClaims claims;
  for (std::size_t i = 0; i < kMaxIdentifyMessages; ++i) {
    auto message = co_await net::read_delimited(stream, kMaxIdentifyMessage);
    if (!message && message.error() == Errc::eof && i != 0) break;
    if (!message) co_return message.error();
    CO_CHECK(add_message(claims, *message, peer));
  }
  co_return claims;
}

}  // namespace

Identify::Identify(Swarm& swarm, Clock& clock, IdentifyOptions options)
    : swarm_(swarm), clock_(clock), options_(std::move(options)) {
  swarm_.handle(
      kIdentifyId,
      [this](ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
        return answer(std::move(connection), std::move(stream));
      },
      kIdentifyLimits);
  swarm_.handle(
      kIdentifyPushId,
      [this](ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
        return hear(std::move(connection), std::move(stream));
      },
      kIdentifyLimits);
  SwarmEvents events;
  events.connected = [this](const ConnectionPtr& connection) { connected(connection); };
  events.disconnected = [this](const ConnectionPtr& connection, error_code) {
    disconnected(connection);
  };
  events.protocols_changed = [this] { changed(); };
  swarm_.observe(std::move(events));
}

Identify::~Identify() {
  if (round_) clock_.cancel(*round_);
}

void Identify::connected(const ConnectionPtr& connection) {
  if (connection->facts().probe) return;
  const ConnectionId id = connection->facts().id;
  connections_[id] = connection;
  queue_.connected(id);
  connection->tasks().spawn("identify", ask(connection));
}

void Identify::disconnected(const ConnectionPtr& connection) {
  const ConnectionId id = connection->facts().id;
  connections_.erase(id);
  queue_.disconnected(id);
  observed_.ended(id, clock_.now());
  if (swarm_.connections_to(connection->peer()).empty()) allowances_.erase(connection->peer());
}

SelfDescription Identify::describe(const Connection& to) {
  const codec::Multiaddr& remote = to.facts().remote_address;
  SelfDescription self;
  self.public_key = swarm_.identity().public_key().marshal();
  self.agent_version = options_.agent_version;
  self.protocol_version = options_.protocol_version;
  self.observed_address = remote;
  self.listen_addresses = told_over(options_.addresses(), remote);
  self.protocols = swarm_.protocols();
  self.signed_record = record_of(self.listen_addresses);
  return self;
}

const Bytes& Identify::record_of(const std::vector<codec::Multiaddr>& addresses) {
  if (last_record_.envelope.empty() || last_record_.addresses != addresses) {
    last_seq_ = std::max(last_seq_ + 1, options_.record_seq());
    const crypto::PeerRecord record{swarm_.self(), last_seq_, addresses};
    last_record_ = {addresses, crypto::seal_peer_record(swarm_.identity(), record)};
  }
  return last_record_.envelope;
}

awaitable<Result<void>> Identify::tell(ConnectionPtr connection, net::Stream& stream) {
  queue_.told(connection->facts().id);
  const std::vector<Bytes> messages = encode_identify(describe(*connection));
  for (const Bytes& message : messages) {
    CO_CHECK(co_await net::write_delimited(stream, message));
  }
  co_return co_await stream.close_write();
}

awaitable<void> Identify::answer(ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
  (void)co_await with_deadline<void>(clock_, kIdentifyTimeout, tell(connection, *stream));
}

awaitable<void> Identify::ask(ConnectionPtr connection) {
  auto claims = co_await with_deadline<IdentifyClaims>(clock_, kIdentifyTimeout, query(connection));
  if (claims) {
    learn(connection, *std::move(claims));
  } else {
    log::debug("identify of {} failed: {}", connection->peer().to_string(),
               claims.error().message());
  }
}

awaitable<Result<IdentifyClaims>> Identify::query(ConnectionPtr connection) {
  CO_TRY(auto stream, co_await connection->open_stream(kIdentifyId));
  CO_TRY(IdentifyClaims claims, co_await read_claims(*stream, connection->peer()));
  (void)co_await stream->close_write();
  co_return claims;
}

awaitable<void> Identify::hear(ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
  if (connection->facts().probe) co_return;
  const codec::PeerId& peer = connection->peer();
  auto& allowance = allowances_.try_emplace(peer, kPushInterval, kPushBurst).first->second;
  if (!allowance.take(clock_.now())) {
    stream->reset();
    co_return;
  }
  auto claims =
      co_await with_deadline<IdentifyClaims>(clock_, kIdentifyTimeout, read_claims(*stream, peer));
  if (!claims) {
    log::debug("identify push of {} failed: {}", peer.to_string(), claims.error().message());
    co_return;
  }
  (void)co_await stream->close_write();
  learn(connection, *std::move(claims));
}

void Identify::learn(const ConnectionPtr& connection, IdentifyClaims claims) {
  if (claims.observed_address) observe(*connection, *claims.observed_address);
  PeerInfo info = connection->info().value_or(PeerInfo{});
  update(info, std::move(claims), connection->peer(), connection->facts().remote_address, &proofs_);
  const bool takes_pushes =
      std::ranges::find(info.protocols, kIdentifyPushId) != info.protocols.end();
  connection->set_info(std::move(info));
  queue_.takes_pushes(connection->facts().id, takes_pushes);
  push_more();
  options_.identified(connection);
}

void Identify::observe(const Connection& connection, codec::Multiaddr observed) {
  const Connection::Facts& facts = connection.facts();
  Observation seen{facts.peer, facts.remote_address, facts.local_address, std::move(observed)};
  if (const auto local = facts.local_address.tcp_endpoint()) {
    seen.at_listen_port = swarm_.listens_on(local->v6, local->port);
  }
  seen.trusted = connection.trusted();
  observed_.observe(facts.id, std::move(seen), clock_.now());
}

std::vector<codec::Multiaddr> Identify::external_addresses() const {
  return observed_.confirmed(clock_.now());
}

std::vector<codec::Multiaddr> Identify::possible_addresses() const {
  std::vector<codec::Multiaddr> out = observed_.seen(clock_.now());
  for (codec::Multiaddr& address : swarm_.listen_addresses()) {
    const bool outside = address.scope() != codec::AddressScope::loopback;
    if (outside && std::ranges::find(out, address) == out.end()) out.push_back(std::move(address));
  }
  return out;
}

void Identify::changed() {
  if (queue_.empty() || round_) return;
  const TimePoint now = clock_.now();
  round_ = clock_.call_after(std::max(kPushDelay, rounds_.wait(now)), [this] {
    round_.reset();
    rounds_.take(clock_.now());
    queue_.changed();
    push_more();
  });
}

void Identify::push_more() {
  while (const auto id = queue_.next()) {
    const ConnectionPtr connection = connections_.at(*id);
    if (!connection->tasks().spawn("identify push", push(connection))) queue_.done(*id);
  }
}

awaitable<void> Identify::push(ConnectionPtr connection) {
  struct Done {
    Identify& identify;
    ConnectionId id;
    ~Done() {
      identify.queue_.done(id);
      identify.push_more();
    }
  } done{*this, connection->facts().id};
  auto told = co_await with_deadline<void>(clock_, kIdentifyTimeout, open_and_tell(connection));
  if (!told) {
    log::debug("identify push to {} failed: {}", connection->peer().to_string(),
               told.error().message());
  }
}

awaitable<Result<void>> Identify::open_and_tell(ConnectionPtr connection) {
  CO_TRY(auto stream, co_await connection->open_stream(kIdentifyPushId));
  co_return co_await tell(connection, *stream);
}

}  // namespace oc::p2p
