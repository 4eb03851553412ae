// The tunnel protocol /open-chat/tunnel/1.0.0 (docs/wire/tunnel.md): a header, then bytes at once;
// the answer precedes the bytes that come back.
#pragma once

#include <optional>
#include <string>

#include "base/fault.hpp"
#include "net/stream.hpp"
#include "overlay/network.hpp"

namespace oc::tunnel {

inline constexpr const char* kTunnelProtocol = "/open-chat/tunnel/1.0.0";
inline constexpr std::size_t kMaxTunnelHeader = 512;
inline constexpr std::size_t kMaxTunnelAnswer = 1024;

struct TunnelHeader {
  overlay::NetworkId network{};
  Port target_port;
  Port origin_port;            // 0 when unknown
  std::string source_address;  // the visitor's, "192.0.2.1:50000"; may be empty
  bool probe = false;          // only ask whether a tunnel would be let out and reach its target
};

awaitable<Result<void>> send_header(net::Stream& stream, const TunnelHeader& header);
// Errc::malformed, Errc::unsupported (a kind this version does not carry), Errc::limit_exceeded.
awaitable<Result<TunnelHeader>> receive_header(net::Stream& stream);

// Nothing: accepted.
awaitable<Result<void>> send_answer(net::Stream& stream, const std::optional<Fault>& refusal);
// The far end's refusal, or nothing when it accepted. A code that this version does not know, or
// that is not of 2xxx or 3xxx, becomes FaultCode::target_refused; the sentence is cut to 400 bytes.
awaitable<Result<std::optional<Fault>>> receive_answer(net::Stream& stream);

}  // namespace oc::tunnel
