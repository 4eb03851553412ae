// A relay's promise, signed by it, that it relays to a peer until a time (libp2p/specs
// relay/circuit-v2.md, "Reservation Vouchers").
#pragma once

#include "base/clock.hpp"
#include "crypto/keys.hpp"

namespace oc::p2p {

struct RelayVoucher {
  codec::PeerId relay;
  codec::PeerId peer;
  WallTime expires{};
};

// In a signed envelope; the key is that of voucher.relay (asserted).
Bytes seal_voucher(const crypto::PrivateKey& key, const RelayVoucher& voucher);

// Errors of open_envelope; Errc::unsupported for another payload type, Errc::malformed,
// CryptoErrc::wrong_signer when the key is not the relay's.
Result<RelayVoucher> open_voucher(BytesView envelope);

}  // namespace oc::p2p
