// NodeRecord: what a member says of itself, signed with its key (docs/wire/records.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "codec/multiaddr.hpp"
#include "codec/peer_id.hpp"
#include "crypto/keys.hpp"

namespace oc::overlay {

inline constexpr std::size_t kMaxRecordSize = 4096;  // the sealed envelope
inline constexpr std::size_t kMaxRecordAddresses = 32;
inline constexpr std::size_t kMaxRecordText = 64;  // name, version, each role
inline constexpr std::size_t kMaxRecordRoles = 16;
// Larger sequence numbers are refused: they do not fit what stores take.
inline constexpr std::uint64_t kMaxRecordSeq = 0x7fff'ffff'ffff'ffff;
// A record dated further ahead than this is refused: its owner's clock, or its owner, is wrong.
inline constexpr Duration kMaxClockSkew = std::chrono::minutes(5);
// An older record is refused: its owner re-issues it daily while it lives.
inline constexpr Duration kMaxRecordAge = std::chrono::hours(24 * 30);

// Only the peer itself can change its record; of two, the one with the larger seq counts.
struct NodeRecord {
  codec::PeerId peer;
  std::uint64_t seq = 0;
  std::vector<codec::Multiaddr> addresses;  // without /p2p
  std::string name;
  std::string version;
  std::vector<std::string> roles;
  WallTime issued{};

  bool operator==(const NodeRecord&) const = default;
};

// A record with the envelope it came in, which is what is stored and passed on.
struct SealedRecord {
  NodeRecord record;
  Bytes envelope;
};

// `record.peer` must be the key's (asserted). What is beyond the bounds is left out, or cut off; a
// text that is not printable UTF-8 is left empty. Gives the record as the others will read it.
SealedRecord seal_record(const crypto::PrivateKey& key, NodeRecord record);

// Checks signature, signer, bounds, and that every text is printable UTF-8; not the dates.
// Errc::malformed, Errc::limit_exceeded, Errc::permission_denied when the signer is not the
// record's peer, errors of crypto::open_envelope.
Result<SealedRecord> open_record(BytesView envelope);

// Whether a record's date can be true now: Errc::timed_out (too old), Errc::protocol_violation
// (from the future).
Result<void> check_record_date(const NodeRecord& record, WallTime now);

}  // namespace oc::overlay
