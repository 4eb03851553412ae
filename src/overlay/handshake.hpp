// The network handshake /open-chat/network/1.0.0: proves on one connection that both sides know the
// network's password (docs/wire/network-handshake.md).
//
//   initiator                                       responder
//     Hello   {network id, Ya}               ──▶
//                                            ◀──    Reply   {Yb}
//     Confirm {Ta}                           ──▶    checks Ta
//                                            ◀──    Verdict {accepted, Tb} or {refused}
//     checks Tb
//
// CPace binds the run to the connection (its channel binding as session id) and to both peer ids.
// A responder that is not in the network answers as if it were, with a secret nobody knows: it
// cannot be told from one with another password.
#pragma once

#include <functional>

#include "base/fault.hpp"
#include "base/random.hpp"
#include "net/stream.hpp"
#include "overlay/network.hpp"
#include "p2p/swarm/connection.hpp"

namespace oc::overlay {

inline constexpr const char* kNetworkProtocol = "/open-chat/network/1.0.0";
inline constexpr std::size_t kMaxHandshakeMessage = 256;

enum class HandshakeErrc {
  refused = 1,        // the other side did not accept the proof: name or password differ
  unproven,           // the other side accepted, but could not prove that it knows the password
  too_many_attempts,  // the other side refuses to listen for a while
};
const boost::system::error_category& handshake_category() noexcept;
inline error_code make_error_code(HandshakeErrc e) noexcept {
  return {static_cast<int>(e), handshake_category()};
}

// What a user is told of an error of handshake_category().
FaultCode handshake_fault(error_code error);

struct HandshakeParties {
  codec::PeerId self;
  codec::PeerId remote;
  Bytes binding;
};

// The initiator's side. Errors: HandshakeErrc, Errc::malformed, the stream's. Time-outs are the
// caller's.
awaitable<Result<void>> prove_membership(net::Stream& stream, HandshakeParties parties,
                                         Network network, Random& random);

struct Verifier {
  // The network of an id, or null.
  std::function<const Network*(const NetworkId&)> find;
  // Asked when the proof is there: whether it counts. If not, it is too_many_attempts, right or
  // wrong.
  std::function<bool(const NetworkId&)> allowed;
  // Called right after, before the initiator is told (what it opens next comes later): it has
  // proved it, or its proof was wrong. Nothing runs in between, so that many runs at once are
  // limited like one after the other.
  std::function<void(const NetworkId&)> proved;
  std::function<void(const NetworkId&)> failed;
};

// The responder's side. HandshakeErrc::refused: the initiator's proof was wrong, or
// HandshakeErrc::too_many_attempts; else errors of the stream and of the message formats.
awaitable<Result<void>> verify_membership(net::Stream& stream, HandshakeParties parties,
                                          Verifier verifier, Random& random);

}  // namespace oc::overlay

template <>
struct boost::system::is_error_code_enum<oc::overlay::HandshakeErrc> : std::true_type {};
