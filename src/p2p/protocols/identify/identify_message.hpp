// What peers say of themselves by identify (libp2p/specs identify/README.md), read and written.
// Pure.
//
// The protobuf message Identify travels with its uvarint length in front. One exchange is one
// message or several, which add up: later single values count, lists grow. Field 8, the signed peer
// record, is not in the specification, but go, rust and js all send it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/proof_cache.hpp"
#include "p2p/swarm/connection.hpp"

namespace oc::p2p {

// Rust takes one message of at most 4096 bytes; we send no larger ones, and read what go may send.
inline constexpr std::size_t kMaxIdentifySent = 4096;
inline constexpr std::size_t kMaxIdentifyMessage = 8192;
inline constexpr std::size_t kMaxIdentifyMessages = 10;
// What is kept of a peer (go keeps as many addresses).
inline constexpr std::size_t kMaxIdentifyAddresses = 64;
inline constexpr std::size_t kMaxIdentifyProtocols = 256;
// The addresses that we tell have at most so many bytes together, so that they and a signed record
// of them each fit a message.
inline constexpr std::size_t kMaxToldAddressBytes = 2048;

// What one exchange said. What is not there was not said, which is not the same as empty.
struct IdentifyClaims {
  std::optional<std::string> agent_version;
  std::optional<std::string> protocol_version;
  std::optional<std::vector<std::string>> protocols;
  std::optional<std::vector<codec::Multiaddr>> listen_addresses;
  std::optional<codec::Multiaddr> observed_address;
  std::optional<Bytes> signed_record;  // not yet opened: that costs a signature's check
};

// Adds what one message of `peer` says. Addresses that this program does not understand are left
// out, and so is what is beyond the bounds. Errc::malformed when it does not parse or its public
// key is not the peer's; `claims` are as before then.
Result<void> add_message(IdentifyClaims& claims, BytesView message, const codec::PeerId& peer);

// Changes `info` by what `peer` said: what was said takes the place of what was there. Addresses
// come from the signed record if there is one that is valid and the peer's own; if that is older
// than the one before, they stay as they are. Addresses of another peer, and those that cannot be
// true for a connection to `remote` (is_told_over), are left out. `known`: as in open_envelope.
void update(PeerInfo& info, IdentifyClaims claims, const codec::PeerId& peer,
            const codec::Multiaddr& remote, crypto::ProofCache* known = nullptr);

// Whether an address means anything to both ends of a connection whose other end is at `remote`:
// loopback only on loopback, private ones not on a connection through the Internet.
bool is_told_over(const codec::Multiaddr& address, const codec::Multiaddr& remote);

// Those of `addresses` to tell over a connection to `remote`, in the same order; within the bounds.
std::vector<codec::Multiaddr> told_over(const std::vector<codec::Multiaddr>& addresses,
                                        const codec::Multiaddr& remote);

// What we say of ourselves to one peer.
struct SelfDescription {
  Bytes public_key;
  std::string agent_version;
  std::string protocol_version;
  codec::Multiaddr observed_address;
  Bytes signed_record;
  std::vector<codec::Multiaddr> listen_addresses;
  std::vector<std::string> protocols;
};

// At most kMaxIdentifyMessages messages of at most kMaxIdentifySent bytes; one wherever that is
// enough, because not everybody reads a second one. What does not fit is left out.
std::vector<Bytes> encode_identify(const SelfDescription& self);

}  // namespace oc::p2p
