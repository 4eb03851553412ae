// multistream-select 1.0 (libp2p/specs connections/README.md, multiformats/multistream-select).
//
//   dialer                                   listener
//   /multistream/1.0.0, <proposal>   ──▶
//                                    ◀──     /multistream/1.0.0, <proposal> or na
//   (after na: the next proposal)    ──▶
//
// Each message is uvarint(length with the newline), text, '\n'. Nothing behind a message is read:
// it belongs to the protocol that was agreed on.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/stream.hpp"
#include "p2p/error.hpp"

namespace oc::p2p {

inline constexpr std::string_view kMultistreamId = "/multistream/1.0.0";
// Longest message taken (go's bound); longer ones end the negotiation.
inline constexpr std::size_t kMaxMultistreamMessage = 1024;
// Proposals a listener answers before it gives up on the dialer.
inline constexpr int kMaxProposals = 20;

// Whole exchanges without a time-out: the caller wraps them in with_deadline. Errors:
// P2pErrc::negotiation_failed when nothing is in common or kMaxProposals is reached,
// Errc::protocol_violation for messages that break the format, and the stream's own.
//
// Offers protocols in order and returns the one agreed on. The header and the first proposal go out
// in one write.
awaitable<Result<std::string>> select_as_dialer(net::Stream& stream,
                                                std::span<const std::string> offers);

// Answers proposals until one is supported, and returns it.
awaitable<Result<std::string>> select_as_listener(net::Stream& stream,
                                                  std::function<bool(std::string_view)> supports);

// Lazy negotiation of a single protocol: queues header and proposal and returns at once a stream on
// which the caller may write right behind them; the first read takes the listener's answer off, and
// fails with P2pErrc::negotiation_failed when it is not that protocol.
awaitable<Result<std::unique_ptr<net::Stream>>> select_lazily(std::unique_ptr<net::Stream> stream,
                                                              std::string protocol);

// One message as bytes (text of at most kMaxMultistreamMessage - 1).
Bytes encode_multistream(std::string_view text);

}  // namespace oc::p2p
