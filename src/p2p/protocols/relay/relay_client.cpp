#include "p2p/protocols/relay/relay_client.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "p2p/protocols/relay/relay_voucher.hpp"
#include "p2p/swarm/circuit_address.hpp"

namespace oc::p2p {
namespace {

P2pErrc error_of(RelayStatus status) {
  switch (status) {
    case RelayStatus::resource_limit_exceeded: return P2pErrc::relay_full;
    case RelayStatus::no_reservation: return P2pErrc::no_reservation;
    case RelayStatus::connection_failed: return P2pErrc::relay_failed;
    default: return P2pErrc::relay_refused;
  }
}

// What the relay says to a request; an error unless it is OK.
awaitable<Result<HopMessage>> ask(net::Stream& stream, HopMessage request) {
  const Bytes bytes = encode(request);
  CO_CHECK(co_await net::write_delimited(stream, bytes));
  CO_TRY(const Bytes answer, co_await net::read_delimited(stream, kMaxRelayMessage));
  CO_TRY(HopMessage message, decode_hop(answer));
  if (message.type != HopMessage::Type::status) co_return Errc::protocol_violation;
  if (message.status != RelayStatus::ok) co_return error_of(message.status);
  co_return message;
}

awaitable<Result<StopMessage>> read_stop(net::Stream& stream) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxRelayMessage));
  co_return decode_stop(bytes);
}

awaitable<Result<void>> answer_stop(net::Stream& stream, RelayStatus status) {
  StopMessage message;
  message.status = status;
  const Bytes bytes = encode(message);
  co_return co_await net::write_delimited(stream, bytes);
}

}  // namespace

ConnectionPtr direct_connection(const Swarm& swarm, const codec::PeerId& peer) {
  const ConnectionPtr best = swarm.connection_to(peer);
  return best != nullptr && best->facts().direct() ? best : nullptr;
}

RelayClient::RelayClient(Swarm& swarm, Clock& clock) : swarm_(swarm), clock_(clock) {
  ready = [](ConnectionPtr) -> awaitable<Result<void>> { co_return success(); };
  swarm_.dial_circuits([this](codec::PeerId peer, codec::Multiaddr address) {
    return connect(std::move(peer), std::move(address));
  });
  swarm_.handle(
      kStopId,
      [this](ConnectionPtr relay, std::unique_ptr<net::Stream> stream) {
        return take_circuit(std::move(relay), std::move(stream));
      },
      kStopLimits);
  SwarmEvents events;
  events.disconnected = [this](const ConnectionPtr& connection, error_code) {
    if (direct_connection(swarm_, connection->peer()) == nullptr)
      reserved_.erase(connection->peer());
  };
  swarm_.observe(std::move(events));
}

awaitable<Result<Reservation>> RelayClient::reserve(ConnectionPtr relay) {
  if (!relay->facts().direct()) co_return P2pErrc::relay_refused;
  CO_TRY(auto stream, co_await relay->open_stream(kHopId));
  HopMessage request;
  request.type = HopMessage::Type::reserve;
  CO_TRY(HopMessage answer, co_await with_deadline<HopMessage>(clock_, kReserveTimeout,
                                                               ask(*stream, std::move(request))));
  (void)co_await stream->close_write();
  if (!answer.reservation) co_return P2pErrc::bad_reservation;
  CO_CHECK(check(*answer.reservation, relay->peer()));
  // It may have gone while it answered.
  if (!relay->alive()) co_return Errc::closed;
  reserved_.insert(relay->peer());
  Reservation reservation = *std::move(answer.reservation);
  reservation.expires = std::min(reservation.expires, clock_.wall_now() + kMostReservation);
  co_return reservation;
}

Result<void> RelayClient::check(const Reservation& reservation, const codec::PeerId& relay) const {
  if (reservation.expires < clock_.wall_now() + least_reservation) return P2pErrc::bad_reservation;
  if (reservation.voucher.empty()) return success();
  const auto voucher = open_voucher(reservation.voucher);
  if (!voucher || voucher->relay != relay || voucher->peer != swarm_.self())
    return P2pErrc::bad_reservation;
  return success();
}

awaitable<Result<RawConnection>> RelayClient::connect(codec::PeerId peer,
                                                      codec::Multiaddr address) {
  const auto circuit = parse_circuit(address);
  if (!circuit || circuit->relay == peer) co_return Errc::unsupported;
  if (circuit->relay == swarm_.self()) co_return P2pErrc::dial_to_self;
  ConnectionPtr relay = direct_connection(swarm_, circuit->relay);
  if (relay == nullptr) {
    if (circuit->relay_address.empty()) co_return P2pErrc::no_addresses;
    std::vector<codec::Multiaddr> addresses{circuit->relay_address};
    CO_TRY(relay, co_await swarm_.dial(circuit->relay, std::move(addresses)));
    if (!relay->facts().direct()) co_return P2pErrc::relay_refused;
  }
  CO_CHECK(co_await ready(relay));
  co_return co_await ask_for_circuit(std::move(relay), std::move(peer));
}

awaitable<Result<RawConnection>> RelayClient::ask_for_circuit(ConnectionPtr relay,
                                                              codec::PeerId peer) {
  CO_TRY(auto stream, co_await relay->open_stream(kHopId));
  HopMessage request;
  request.type = HopMessage::Type::connect;
  request.peer = std::move(peer);
  CO_TRY(const HopMessage answer, co_await with_deadline<HopMessage>(
                                      clock_, kCircuitTimeout, ask(*stream, std::move(request))));
  RawConnection raw;
  raw.stream = std::move(stream);
  raw.remote_address = make_circuit(relay->facts().remote_address, relay->peer());
  raw.limited = answer.limit.has_value();
  co_return raw;
}

awaitable<void> RelayClient::take_circuit(ConnectionPtr relay,
                                          std::unique_ptr<net::Stream> stream) {
  auto request = co_await with_deadline<StopMessage>(clock_, kReserveTimeout, read_stop(*stream));
  const bool asked = request && request->type == StopMessage::Type::connect && request->peer;
  RelayStatus status = asked ? RelayStatus::ok : RelayStatus::malformed_message;
  // Nobody reaches this node through a relay that it did not choose, nor through two.
  if (!reserved(relay->peer()) || !relay->facts().direct()) status = RelayStatus::permission_denied;
  auto answered = co_await answer_stop(*stream, status);
  if (!answered) co_return;
  if (status != RelayStatus::ok) {
    (void)co_await stream->close_write();
    co_return;
  }
  RawConnection raw;
  raw.stream = std::move(stream);
  raw.remote_address = make_circuit(relay->facts().remote_address, relay->peer());
  raw.limited = request->limit.has_value();
  auto taken = co_await swarm_.accept_circuit(std::move(raw), *request->peer);
  if (!taken) {
    log::debug("circuit from {} through {} failed: {}", request->peer->to_string(),
               relay->peer().to_string(), taken.error().message());
  }
}

}  // namespace oc::p2p
