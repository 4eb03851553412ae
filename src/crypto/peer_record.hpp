// Peer record: the addresses a peer claims for itself, in a signed envelope.
//
// Source: libp2p/specs RFC 0003. Its text names the domain "libp2p-routing-state" and the type
// "/libp2p/routing-state-record"; go and js use "libp2p-peer-record" and the bytes 03 01. We write
// the latter and read both.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "codec/multiaddr.hpp"
#include "codec/peer_id.hpp"
#include "crypto/keys.hpp"
#include "crypto/proof_cache.hpp"

namespace oc::crypto {

// Addresses that count; go keeps as many for a peer.
inline constexpr std::size_t kMaxPeerRecordAddresses = 64;

struct PeerRecord {
  codec::PeerId peer;
  std::uint64_t seq = 0;  // a newer record has a larger one; it is no clock
  std::vector<codec::Multiaddr> addresses;

  bool operator==(const PeerRecord&) const = default;
};

// Seals `record`, whose peer is that of the key (asserted), with its first kMaxPeerRecordAddresses
// addresses, and fewer if the envelope would exceed kMaxEnvelopeSize.
Bytes seal_peer_record(const PrivateKey& key, const PeerRecord& record);

// Opens an envelope of either form. Addresses that this program does not understand, or beyond
// kMaxPeerRecordAddresses, are left out. Errors of open_envelope; Errc::unsupported for another
// payload type; CryptoErrc::wrong_signer when the key is not that of the peer in the record.
// `known`: as in open_envelope.
Result<PeerRecord> open_peer_record(BytesView envelope, ProofCache* known = nullptr);

}  // namespace oc::crypto
