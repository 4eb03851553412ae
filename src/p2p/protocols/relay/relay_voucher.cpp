#include "p2p/protocols/relay/relay_voucher.hpp"

#include <array>

#include "base/assert.hpp"
#include "crypto/error.hpp"
#include "crypto/signed_envelope.hpp"
#include "p2p/relay.pb.h"

namespace oc::p2p {
namespace {

constexpr std::string_view kDomain = "libp2p-relay-rsvp";
// These two bytes as they are, though the multicodec 0x0302 would be written 82 06: so do all.
constexpr std::array<Byte, 2> kType = {0x03, 0x02};

}  // namespace

Bytes seal_voucher(const crypto::PrivateKey& key, const RelayVoucher& voucher) {
  ASSERT(voucher.relay == key.peer_id());
  pb::ReservationVoucher message;
  message.set_relay(std::string(as_text(voucher.relay.bytes())));
  message.set_peer(std::string(as_text(voucher.peer.bytes())));
  message.set_expiration(static_cast<std::uint64_t>(unix_seconds(voucher.expires)));
  return crypto::seal_envelope(key, kDomain, kType, as_bytes(message.SerializeAsString()));
}

Result<RelayVoucher> open_voucher(BytesView envelope) {
  TRY(const crypto::OpenedEnvelope opened, crypto::open_envelope(envelope, kDomain));
  if (!equal(opened.payload_type, kType)) return Errc::unsupported;
  pb::ReservationVoucher message;
  if (!message.ParseFromArray(opened.payload.data(), static_cast<int>(opened.payload.size()))) {
    return Errc::malformed;
  }
  RelayVoucher voucher;
  TRY(voucher.relay, codec::PeerId::from_bytes(as_bytes(message.relay())));
  TRY(voucher.peer, codec::PeerId::from_bytes(as_bytes(message.peer())));
  if (opened.key.peer_id() != voucher.relay) return crypto::CryptoErrc::wrong_signer;
  voucher.expires = from_unix_seconds(message.expiration());
  return voucher;
}

}  // namespace oc::p2p
