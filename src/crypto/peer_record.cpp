#include "crypto/peer_record.hpp"

#include <array>

#include "base/assert.hpp"
#include "crypto/error.hpp"
#include "crypto/peer_record.pb.h"
#include "crypto/signed_envelope.hpp"

namespace oc::crypto {
namespace {

constexpr std::string_view kDomain = "libp2p-peer-record";
constexpr std::array<Byte, 2> kType = {0x03, 0x01};
constexpr std::string_view kRfcDomain = "libp2p-routing-state";
constexpr std::string_view kRfcType = "/libp2p/routing-state-record";

// Room in an envelope for everything but the addresses: key, signature, peer id, numbers.
constexpr std::size_t kOverhead = 256;
constexpr std::size_t kAddressOverhead = 8;

struct Payload {
  PublicKey key;
  Bytes bytes;
};

Result<Payload> open_form(BytesView envelope, std::string_view domain, BytesView type,
                          ProofCache* known) {
  TRY(OpenedEnvelope opened, open_envelope(envelope, domain, known));
  if (!equal(opened.payload_type, type)) return Errc::unsupported;
  return Payload{std::move(opened.key), std::move(opened.payload)};
}

Result<Payload> open_either_form(BytesView envelope, ProofCache* known) {
  Result<Payload> usual = open_form(envelope, kDomain, kType, known);
  if (usual || usual.error() != make_error_code(CryptoErrc::bad_signature)) return usual;
  return open_form(envelope, kRfcDomain, as_bytes(kRfcType), known);
}

}  // namespace

Bytes seal_peer_record(const PrivateKey& key, const PeerRecord& record) {
  ASSERT(record.peer == key.peer_id());
  pb::PeerRecord message;
  message.set_peer_id(std::string(as_text(record.peer.bytes())));
  message.set_seq(record.seq);
  std::size_t room = kMaxEnvelopeSize - kOverhead;
  for (const codec::Multiaddr& address : record.addresses) {
    const std::size_t size = address.bytes().size() + kAddressOverhead;
    if (message.addresses_size() == kMaxPeerRecordAddresses || size > room) break;
    room -= size;
    message.add_addresses()->set_multiaddr(std::string(as_text(address.bytes())));
  }
  return seal_envelope(key, kDomain, kType, as_bytes(message.SerializeAsString()));
}

Result<PeerRecord> open_peer_record(BytesView envelope, ProofCache* known) {
  TRY(const Payload payload, open_either_form(envelope, known));
  pb::PeerRecord message;
  if (!message.ParseFromArray(payload.bytes.data(), static_cast<int>(payload.bytes.size()))) {
    return Errc::malformed;
  }
  PeerRecord record;
  TRY(record.peer, codec::PeerId::from_bytes(as_bytes(message.peer_id())));
  if (record.peer != payload.key.peer_id()) return CryptoErrc::wrong_signer;
  record.seq = message.seq();
  for (const auto& info : message.addresses()) {
    if (record.addresses.size() == kMaxPeerRecordAddresses) break;
    Result<codec::Multiaddr> address = codec::Multiaddr::from_bytes(as_bytes(info.multiaddr()));
    if (address) record.addresses.push_back(*std::move(address));
  }
  return record;
}

}  // namespace oc::crypto
