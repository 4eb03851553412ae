#include "p2p/protocols/relay/relay_message.hpp"

#include "p2p/relay.pb.h"

namespace oc::p2p {
namespace {

// Room for everything in a message but its addresses.
constexpr std::size_t kOverhead = 1024;
constexpr std::size_t kAddressOverhead = 4;

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

void put_limit(pb::RelayLimit& out, const CircuitLimit& limit) {
  out.set_duration(static_cast<std::uint32_t>(limit.duration.count()));
  out.set_data(limit.bytes);
}

CircuitLimit limit_of(const pb::RelayLimit& limit) {
  return {std::chrono::seconds(limit.duration()), limit.data()};
}

void put_reservation(pb::RelayReservation& out, const Reservation& reservation) {
  out.set_expire(static_cast<std::uint64_t>(unix_seconds(reservation.expires)));
  if (!reservation.voucher.empty()) out.set_voucher(text_of(reservation.voucher));
  std::size_t room = kMaxRelayMessage - kOverhead;
  for (const codec::Multiaddr& address : reservation.addresses) {
    const std::size_t size = address.bytes().size() + kAddressOverhead;
    if (out.addrs_size() == kMaxReservationAddresses || size > room) break;
    room -= size;
    out.add_addrs(text_of(address.bytes()));
  }
}

Reservation reservation_of(const pb::RelayReservation& in) {
  Reservation out;
  out.expires = from_unix_seconds(in.expire());
  for (const std::string& raw : in.addrs()) {
    if (out.addresses.size() == kMaxReservationAddresses) break;
    auto address = codec::Multiaddr::from_bytes(as_bytes(raw));
    if (address) out.addresses.push_back(*std::move(address));
  }
  out.voucher = to_bytes(as_bytes(in.voucher()));
  return out;
}

// What hop and stop have in common.
template <class Message, class Wire>
Result<Message> decode(BytesView bytes, Wire& wire) {
  if (!wire.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !wire.has_type()) {
    return Errc::malformed;
  }
  Message message;
  message.type = static_cast<typename Message::Type>(wire.type());
  if (wire.has_peer()) {
    auto peer = codec::PeerId::from_bytes(as_bytes(wire.peer().id()));
    if (!peer) return Errc::malformed;
    message.peer = *std::move(peer);
  }
  if (wire.has_limit()) message.limit = limit_of(wire.limit());
  message.status = static_cast<RelayStatus>(wire.status());
  return message;
}

template <class Message, class Wire>
void put(const Message& message, Wire& wire) {
  wire.set_type(static_cast<typename Wire::Type>(message.type));
  if (message.peer) wire.mutable_peer()->set_id(text_of(message.peer->bytes()));
  if (message.limit) put_limit(*wire.mutable_limit(), *message.limit);
  if (message.status != RelayStatus::none) wire.set_status(static_cast<int>(message.status));
}

}  // namespace

Bytes encode(const HopMessage& message) {
  pb::HopMessage wire;
  put(message, wire);
  if (message.reservation) put_reservation(*wire.mutable_reservation(), *message.reservation);
  return to_bytes(as_bytes(wire.SerializeAsString()));
}

Bytes encode(const StopMessage& message) {
  pb::StopMessage wire;
  put(message, wire);
  return to_bytes(as_bytes(wire.SerializeAsString()));
}

Result<HopMessage> decode_hop(BytesView bytes) {
  pb::HopMessage wire;
  TRY(HopMessage message, decode<HopMessage>(bytes, wire));
  if (wire.has_reservation()) message.reservation = reservation_of(wire.reservation());
  return message;
}

Result<StopMessage> decode_stop(BytesView bytes) {
  pb::StopMessage wire;
  return decode<StopMessage>(bytes, wire);
}

}  // namespace oc::p2p
