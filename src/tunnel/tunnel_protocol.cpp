#include "tunnel/tunnel_protocol.hpp"

#include <algorithm>

#include "codec/utf8.hpp"
#include "tunnel/tunnel.pb.h"

namespace oc::tunnel {
namespace {

// Texts of a peer that end up in front of a user.
constexpr std::size_t kMaxMessage = 400;
constexpr std::size_t kMaxSource = 64;

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

// What a peer says, or what there is of it in ASCII when it is no printable text.
std::string printable(std::string text) {
  if (codec::is_printable_utf8(text)) return text;
  std::erase_if(text, [](char c) { return c < 0x20 || c > 0x7e; });
  return text;
}

// A peer explains why there is no tunnel; it does not speak for other parts of this node.
bool about_tunnels(FaultCode code) {
  const int thousands = static_cast<int>(code) / 1000;
  return thousands == 2 || thousands == 3;
}

}  // namespace

awaitable<Result<void>> send_header(net::Stream& stream, const TunnelHeader& header) {
  pb::TunnelHeader message;
  message.set_network_id(text_of(header.network));
  message.set_kind(pb::TunnelHeader::TCP);
  message.set_target_port(header.target_port.value());
  message.set_origin_port(header.origin_port.value());
  message.set_source_address(header.source_address.substr(0, kMaxSource));
  message.set_probe(header.probe);
  const std::string bytes = message.SerializeAsString();
  co_return co_await net::write_delimited(stream, as_bytes(bytes));
}

awaitable<Result<TunnelHeader>> receive_header(net::Stream& stream) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxTunnelHeader));
  pb::TunnelHeader message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    co_return Errc::malformed;
  if (message.kind() != pb::TunnelHeader::TCP) co_return Errc::unsupported;
  TunnelHeader header;
  const bool sizes = message.network_id().size() == header.network.size() &&
                     message.source_address().size() <= kMaxSource;
  if (!sizes || message.target_port() == 0 || message.target_port() > 65535 ||
      message.origin_port() > 65535) {
    co_return Errc::malformed;
  }
  std::ranges::copy(as_bytes(message.network_id()), header.network.begin());
  header.target_port = Port(static_cast<std::uint16_t>(message.target_port()));
  header.origin_port = Port(static_cast<std::uint16_t>(message.origin_port()));
  header.source_address = printable(message.source_address());
  header.probe = message.probe();
  co_return header;
}

awaitable<Result<void>> send_answer(net::Stream& stream, const std::optional<Fault>& refusal) {
  pb::TunnelAnswer message;
  message.set_accepted(!refusal);
  if (refusal) {
    message.set_code(static_cast<std::uint32_t>(refusal->code));
    message.set_message(refusal->message.substr(0, kMaxMessage));
  }
  const std::string bytes = message.SerializeAsString();
  co_return co_await net::write_delimited(stream, as_bytes(bytes));
}

awaitable<Result<std::optional<Fault>>> receive_answer(net::Stream& stream) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxTunnelAnswer));
  pb::TunnelAnswer message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    co_return Errc::malformed;
  if (message.accepted()) co_return std::optional<Fault>();
  const auto known = find_fault(static_cast<int>(message.code()));
  const FaultCode code =
      known && about_tunnels(known->code) ? known->code : FaultCode::target_refused;
  co_return std::optional<Fault>(Fault(code, printable(message.message().substr(0, kMaxMessage))));
}

}  // namespace oc::tunnel
