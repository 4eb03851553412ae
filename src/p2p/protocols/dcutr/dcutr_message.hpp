// The messages of DCUtR (libp2p/specs relay/DCUtR.md), each with its uvarint length before it.
#pragma once

#include <vector>

#include "codec/multiaddr.hpp"

namespace oc::p2p {

// The specification's bound.
inline constexpr std::size_t kMaxDcutrMessage = 4096;
// Addresses of one side that count; each costs the other one a dial.
inline constexpr std::size_t kMaxPunchAddresses = 8;

struct DcutrMessage {
  enum class Type : int { connect = 100, sync = 300 };

  Type type = Type::connect;
  std::vector<codec::Multiaddr> addresses;  // of a connect

  bool operator==(const DcutrMessage&) const = default;
};

// With the first kMaxPunchAddresses addresses, and fewer when they would not fit.
Bytes encode(const DcutrMessage& message);
// Errc::malformed for what is no message or has no known type. Addresses that cannot be read, or
// beyond kMaxPunchAddresses, are left out.
Result<DcutrMessage> decode_dcutr(BytesView bytes);

}  // namespace oc::p2p
