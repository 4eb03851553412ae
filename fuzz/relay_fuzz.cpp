// The messages of circuit relay, its vouchers, and those of DCUtR, whatever a peer sends: what is
// understood says the same when it is written and read again, within its bounds.
#include "fuzzing.hpp"
#include "p2p/protocols/dcutr/dcutr_message.hpp"
#include "p2p/protocols/relay/relay_message.hpp"
#include "p2p/protocols/relay/relay_voucher.hpp"
#include "p2p/swarm/circuit_address.hpp"

using namespace oc;

namespace {

void check_hop(BytesView bytes) {
  const auto message = p2p::decode_hop(bytes);
  if (!message) return;
  if (message->reservation)
    fuzz::require(message->reservation->addresses.size() <= p2p::kMaxReservationAddresses);
  auto again = p2p::decode_hop(p2p::encode(*message));
  fuzz::require(again.has_value());
  p2p::HopMessage expected = *message;
  if (expected.reservation) {
    // Addresses that do not fit are left out at the end.
    auto& kept = again->reservation->addresses;
    fuzz::require(kept.size() <= expected.reservation->addresses.size());
    expected.reservation->addresses.resize(kept.size());
    // A clock's latest second is not all that the wire can say.
    expected.reservation->expires = again->reservation->expires;
  }
  fuzz::require(*again == expected);
}

void check_stop(BytesView bytes) {
  const auto message = p2p::decode_stop(bytes);
  if (!message) return;
  const auto again = p2p::decode_stop(p2p::encode(*message));
  fuzz::require(again.has_value() && *again == *message);
}

void check_dcutr(BytesView bytes) {
  const auto message = p2p::decode_dcutr(bytes);
  if (!message) return;
  fuzz::require(message->addresses.size() <= p2p::kMaxPunchAddresses);
  const Bytes written = p2p::encode(*message);
  fuzz::require(written.size() <= p2p::kMaxDcutrMessage);
  fuzz::require(p2p::decode_dcutr(written).has_value());
  for (const codec::Multiaddr& address : message->addresses) {
    const auto circuit = p2p::parse_circuit(address);
    if (!circuit) continue;
    const auto made = p2p::make_circuit(circuit->relay_address, circuit->relay);
    fuzz::require(made == address.without_peer());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(data, size);
  check_hop(bytes);
  check_stop(bytes);
  check_dcutr(bytes);
  (void)p2p::open_voucher(bytes);
  return 0;
}
