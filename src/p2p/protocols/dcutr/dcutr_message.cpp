#include "p2p/protocols/dcutr/dcutr_message.hpp"

#include "p2p/dcutr.pb.h"

namespace oc::p2p {
namespace {

// Of a field of bytes, and of the rest of the message.
constexpr std::size_t kOverhead = 4;

}  // namespace

Bytes encode(const DcutrMessage& message) {
  pb::HolePunch wire;
  wire.set_type(static_cast<pb::HolePunch::Type>(message.type));
  std::size_t room = kMaxDcutrMessage - kOverhead;
  for (const codec::Multiaddr& address : message.addresses) {
    const std::size_t size = address.bytes().size() + kOverhead;
    if (wire.obs_addrs_size() == kMaxPunchAddresses || size > room) break;
    room -= size;
    wire.add_obs_addrs(std::string(as_text(address.bytes())));
  }
  return to_bytes(as_bytes(wire.SerializeAsString()));
}

Result<DcutrMessage> decode_dcutr(BytesView bytes) {
  pb::HolePunch wire;
  if (!wire.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !wire.has_type()) {
    return Errc::malformed;
  }
  DcutrMessage message;
  message.type = static_cast<DcutrMessage::Type>(wire.type());
  for (const std::string& raw : wire.obs_addrs()) {
    if (message.addresses.size() == kMaxPunchAddresses) break;
    auto address = codec::Multiaddr::from_bytes(as_bytes(raw));
    if (address) message.addresses.push_back(*std::move(address));
  }
  return message;
}

}  // namespace oc::p2p
