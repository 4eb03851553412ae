#include "p2p/protocols/relay/relay_service.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "net/limited_stream.hpp"
#include "net/splice.hpp"
#include "p2p/protocols/relay/relay_client.hpp"
#include "p2p/protocols/relay/relay_voucher.hpp"

namespace oc::p2p {
namespace {

awaitable<Result<HopMessage>> read_hop(net::Stream& stream) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxRelayMessage));
  co_return decode_hop(bytes);
}

awaitable<Result<StopMessage>> ask(net::Stream& stream, StopMessage request) {
  const Bytes bytes = encode(request);
  CO_CHECK(co_await net::write_delimited(stream, bytes));
  CO_TRY(const Bytes answer, co_await net::read_delimited(stream, kMaxRelayMessage));
  co_return decode_stop(answer);
}

HopMessage refusal(RelayStatus status) {
  HopMessage message;
  message.status = status;
  return message;
}

// The last word on a stream.
awaitable<void> say(net::Stream& stream, HopMessage message) {
  const Bytes bytes = encode(message);
  auto said = co_await net::write_delimited(stream, bytes);
  if (said) (void)co_await stream.close_write();
}

// Whom a stranger's reservations are counted against: its IP address.
std::string source_of(const Connection& connection) {
  const auto endpoint = connection.facts().remote_address.tcp_endpoint();
  if (!endpoint) return {};
  return to_hex(BytesView(endpoint->address).first(endpoint->v6 ? 8 : 4));
}

}  // namespace

// A circuit in the table for as long as it lives.
class RelayService::Running {
 public:
  Running(RelayService& service, Circuit circuit)
      : service_(service), id_(service.next_circuit_++) {
    service_.circuits_.emplace(id_, std::move(circuit));
  }
  ~Running() { service_.circuits_.erase(id_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  RelayService& service_;
  std::uint64_t id_;
};

RelayService::RelayService(Swarm& swarm, Clock& clock, RelayOptions options)
    : swarm_(swarm),
      clock_(clock),
      options_(std::move(options)),
      reservations_(options_.reservations) {
  SwarmEvents events;
  events.disconnected = [this](const ConnectionPtr& connection, error_code) {
    if (direct_connection(swarm_, connection->peer()) == nullptr)
      end_reservation(connection->peer());
  };
  swarm_.observe(std::move(events));
}

void RelayService::serve(bool on) {
  if (on == serving_) return;
  serving_ = on;
  if (!on) {
    reservations_ = ReservationTable(options_.reservations);
    reserved_on_.clear();
    return swarm_.stop_handling(kHopId);
  }
  swarm_.handle(
      kHopId,
      [this](ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
        return answer(std::move(connection), std::move(stream));
      },
      kHopLimits);
}

bool RelayService::serves(const codec::PeerId& peer) const {
  return reservations_.has(peer, clock_.now()) ||
         std::ranges::any_of(circuits_, [&peer](const auto& entry) {
           return entry.second.source == peer || entry.second.target == peer;
         });
}

void RelayService::end_reservation(const codec::PeerId& peer) {
  reservations_.end(peer);
  reserved_on_.erase(peer);
}

ConnectionPtr RelayService::connection_for(const codec::PeerId& peer) const {
  const auto asked = reserved_on_.find(peer);
  for (const ConnectionPtr& connection : swarm_.connections_to(peer)) {
    if (asked != reserved_on_.end() && connection->facts().id == asked->second &&
        connection->alive()) {
      return connection;
    }
  }
  return direct_connection(swarm_, peer);
}

bool RelayService::may_be_served(const Connection& connection) const {
  return connection.facts().direct() && (connection.trusted() || options_.serve_strangers);
}

awaitable<void> RelayService::answer(ConnectionPtr connection,
                                     std::unique_ptr<net::Stream> stream) {
  auto request = co_await with_deadline<HopMessage>(clock_, kHopTimeout, read_hop(*stream));
  if (!request) {
    if (request.error() != Errc::malformed) co_return;
    co_return co_await say(*stream, refusal(RelayStatus::malformed_message));
  }
  switch (request->type) {
    case HopMessage::Type::reserve: co_return co_await say(*stream, reserve(*connection));
    case HopMessage::Type::connect:
      if (!request->peer) break;
      co_return co_await connect(std::move(connection), std::move(stream),
                                 *std::move(request->peer));
    case HopMessage::Type::status:
      co_return co_await say(*stream, refusal(RelayStatus::unexpected_message));
  }
  co_await say(*stream, refusal(RelayStatus::malformed_message));
}

HopMessage RelayService::reserve(const Connection& connection) {
  const codec::PeerId& peer = connection.peer();
  ++counters_.reservations;
  if (!may_be_served(connection)) {
    ++counters_.reservations_refused;
    return refusal(RelayStatus::permission_denied);
  }
  const bool member = connection.trusted();
  const TimePoint now = clock_.now();
  const auto until = reservations_.reserve(peer, member, source_of(connection), now);
  if (!until) {
    ++counters_.reservations_refused;
    return refusal(RelayStatus::resource_limit_exceeded);
  }
  reserved_on_[peer] = connection.facts().id;
  const WallTime expires = clock_.wall_now() + (*until - now);
  Reservation reservation;
  reservation.expires = expires;
  for (const codec::Multiaddr& address : options_.addresses())
    reservation.addresses.push_back(address.with_peer(swarm_.self()));
  reservation.voucher = seal_voucher(swarm_.identity(), {swarm_.self(), peer, expires});
  HopMessage message;
  message.status = RelayStatus::ok;
  message.reservation = std::move(reservation);
  if (!member) message.limit = options_.stranger_limit;
  return message;
}

bool RelayService::has_room(const Circuit& circuit) const {
  const auto count = [this](auto counts) {
    return static_cast<std::size_t>(std::ranges::count_if(
        circuits_, [&counts](const auto& entry) { return counts(entry.second); }));
  };
  if (circuit.of_members)
    return count([](const Circuit& c) { return c.of_members; }) < options_.circuits_of_members;
  const auto of = [&count](const codec::PeerId& peer) {
    return count([&peer](const Circuit& c) {
      return !c.of_members && (c.source == peer || c.target == peer);
    });
  };
  return count([](const Circuit& c) { return !c.of_members; }) < options_.circuits_of_strangers &&
         of(circuit.source) < options_.circuits_of_stranger &&
         of(circuit.target) < options_.circuits_of_stranger;
}

awaitable<void> RelayService::connect(ConnectionPtr source, std::unique_ptr<net::Stream> stream,
                                      codec::PeerId to) {
  const ConnectionPtr target = connection_for(to);
  RelayStatus refused = RelayStatus::none;
  if (!may_be_served(*source)) {
    refused = RelayStatus::permission_denied;
  } else if (target == nullptr || !reservations_.has(to, clock_.now())) {
    refused = RelayStatus::no_reservation;
  }
  const bool of_members = refused == RelayStatus::none && source->trusted() && target->trusted();
  Circuit circuit{source->peer(), to, of_members};
  if (refused == RelayStatus::none && !has_room(circuit))
    refused = RelayStatus::resource_limit_exceeded;
  if (refused != RelayStatus::none) {
    ++counters_.circuits_refused;
    co_return co_await say(*stream, refusal(refused));
  }
  const Running running(*this, std::move(circuit));
  std::optional<CircuitLimit> limit;
  if (!of_members) limit = options_.stranger_limit;
  auto reached = co_await with_deadline<std::unique_ptr<net::Stream>>(
      clock_, kStopTimeout, reach(target, source->peer(), limit));
  if (!reached) {
    ++counters_.circuits_failed;
    log::debug("no circuit from {} to {}: {}", source->peer().to_string(), to.to_string(),
               reached.error().message());
    co_return co_await say(*stream, refusal(RelayStatus::connection_failed));
  }
  HopMessage done;
  done.status = RelayStatus::ok;
  done.limit = limit;
  const Bytes bytes = encode(done);
  auto said = co_await net::write_delimited(*stream, bytes);
  if (!said) co_return;
  ++counters_.circuits;
  co_await carry(std::move(stream), *std::move(reached), limit);
}

awaitable<Result<std::unique_ptr<net::Stream>>> RelayService::reach(
    ConnectionPtr target, codec::PeerId source, std::optional<CircuitLimit> limit) {
  CO_TRY(auto stream, co_await target->open_stream(kStopId));
  StopMessage request;
  request.type = StopMessage::Type::connect;
  request.peer = std::move(source);
  request.limit = limit;
  CO_TRY(const StopMessage answer, co_await ask(*stream, std::move(request)));
  const bool taken = answer.type == StopMessage::Type::status && answer.status == RelayStatus::ok;
  if (!taken) co_return P2pErrc::relay_refused;
  co_return stream;
}

awaitable<void> RelayService::carry(std::unique_ptr<net::Stream> source,
                                    std::unique_ptr<net::Stream> target,
                                    std::optional<CircuitLimit> limit) {
  const net::SpliceCounters bytes{counters_.bytes, counters_.bytes};
  if (!limit) {
    (void)co_await net::splice(*source, *target, bytes, clock_);
    co_return;
  }
  if (limit->bytes != 0) {
    source = net::limit_reads(std::move(source), limit->bytes);
    target = net::limit_reads(std::move(target), limit->bytes);
  }
  if (limit->duration.count() == 0) {
    (void)co_await net::splice(*source, *target, bytes, clock_);
    co_return;
  }
  (void)co_await with_deadline<void>(clock_, limit->duration,
                                     net::splice(*source, *target, bytes, clock_));
}

}  // namespace oc::p2p
