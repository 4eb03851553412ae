// The messages of circuit relay v2 (libp2p/specs relay/circuit-v2.md), each with its uvarint length
// before it.
//
//   source or client ── hop ──▶ relay ── stop ──▶ target
//     RESERVE / STATUS             CONNECT / STATUS
//     CONNECT / STATUS
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "codec/multiaddr.hpp"

namespace oc::p2p {

inline constexpr const char* kHopId = "/libp2p/circuit/relay/0.2.0/hop";
inline constexpr const char* kStopId = "/libp2p/circuit/relay/0.2.0/stop";
// The specification's bound.
inline constexpr std::size_t kMaxRelayMessage = 4096;
// Addresses of a relay that count; what is more is left out.
inline constexpr std::size_t kMaxReservationAddresses = 16;

enum class RelayStatus : int {
  none = 0,
  ok = 100,
  reservation_refused = 200,
  resource_limit_exceeded = 201,
  permission_denied = 202,
  connection_failed = 203,
  no_reservation = 204,
  malformed_message = 400,
  unexpected_message = 401,
};

// After which a relay cuts a circuit; zero: never for that.
struct CircuitLimit {
  std::chrono::seconds duration{};
  std::uint64_t bytes = 0;  // each way

  bool operator==(const CircuitLimit&) const = default;
};

struct Reservation {
  WallTime expires{};
  std::vector<codec::Multiaddr> addresses;  // the relay's, with its /p2p, without /p2p-circuit
  Bytes voucher;                            // may be empty: rust's relays give none

  bool operator==(const Reservation&) const = default;
};

struct HopMessage {
  enum class Type { reserve, connect, status };

  Type type = Type::status;
  std::optional<codec::PeerId> peer;  // connect: whom to reach
  std::optional<Reservation> reservation;
  std::optional<CircuitLimit> limit;  // when it is there, even if all zero, the circuit is limited
  RelayStatus status = RelayStatus::none;

  bool operator==(const HopMessage&) const = default;
};

struct StopMessage {
  enum class Type { connect, status };

  Type type = Type::status;
  std::optional<codec::PeerId> peer;  // connect: who comes
  std::optional<CircuitLimit> limit;
  RelayStatus status = RelayStatus::none;

  bool operator==(const StopMessage&) const = default;
};

// At most kMaxRelayMessage: addresses are left out when there are too many.
Bytes encode(const HopMessage& message);
Bytes encode(const StopMessage& message);

// Errc::malformed for what is no message, has no type, or names a peer that is none. A
// reservation's addresses that cannot be read are left out; an expiry beyond what a clock can hold
// is the latest that it can.
Result<HopMessage> decode_hop(BytesView bytes);
Result<StopMessage> decode_stop(BytesView bytes);

}  // namespace oc::p2p
