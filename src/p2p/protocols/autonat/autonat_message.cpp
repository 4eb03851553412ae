#include "p2p/protocols/autonat/autonat_message.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "p2p/autonat.pb.h"
#include "p2p/autonat_v2.pb.h"

namespace oc::p2p {
namespace {

using codec::Multiaddr;

constexpr std::uint32_t kV1Dial = 0;
constexpr std::uint32_t kV1Response = 1;

template <class Message>
bool parse(Message& message, BytesView bytes) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

template <class Message>
Bytes serialize(const Message& message) {
  return to_bytes(as_bytes(message.SerializeAsString()));
}

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

template <class Strings>
std::vector<Multiaddr> addresses_of(const Strings& raw) {
  std::vector<Multiaddr> out;
  for (const std::string& bytes : raw) {
    if (out.size() == kMaxAutonatAddresses) break;
    auto address = Multiaddr::from_bytes(as_bytes(bytes));
    out.push_back(address ? *std::move(address) : Multiaddr());
  }
  return out;
}

Result<DialResponse> response_of(const pb::AutonatV2::DialResponse& from) {
  DialResponse out;
  out.status = static_cast<ResponseStatus>(from.status());
  out.address = from.addr_idx();
  out.dial = static_cast<DialStatus>(from.dial_status());
  switch (out.status) {
    case ResponseStatus::internal_error:
    case ResponseStatus::rejected:
    case ResponseStatus::refused: return out;
    case ResponseStatus::ok: break;
    default: return Errc::unsupported;
  }
  switch (out.dial) {
    case DialStatus::dial_error:
    case DialStatus::dial_back_error:
    case DialStatus::ok: return out;
    case DialStatus::unused: return Errc::malformed;
    default: return Errc::unsupported;
  }
}

void fill(pb::AutonatV2& to, const DialRequest& from) {
  auto& request = *to.mutable_dial_request();
  for (const Multiaddr& address : from.addresses) request.add_addrs(text_of(address.bytes()));
  request.set_nonce(from.nonce);
}

void fill(pb::AutonatV2& to, const DialResponse& from) {
  auto& response = *to.mutable_dial_response();
  response.set_status(static_cast<std::uint32_t>(from.status));
  response.set_addr_idx(from.address);
  response.set_dial_status(static_cast<std::uint32_t>(from.dial));
}

void fill(pb::AutonatV2& to, const DialDataRequest& from) {
  auto& request = *to.mutable_dial_data_request();
  request.set_addr_idx(from.address);
  request.set_num_bytes(from.bytes);
}

void fill(pb::AutonatV2& to, const DialData& from) {
  to.mutable_dial_data_response()->set_data(std::string(from.bytes, '\0'));
}

}  // namespace

Result<AutonatMessage> decode_autonat(BytesView bytes) {
  pb::AutonatV2 message;
  if (!parse(message, bytes)) return Errc::malformed;
  if (message.has_dial_request()) {
    const auto& request = message.dial_request();
    return AutonatMessage(DialRequest{addresses_of(request.addrs()), request.nonce()});
  }
  if (message.has_dial_response()) {
    TRY(const DialResponse response, response_of(message.dial_response()));
    return AutonatMessage(response);
  }
  if (message.has_dial_data_request()) {
    const auto& request = message.dial_data_request();
    return AutonatMessage(DialDataRequest{request.addr_idx(), request.num_bytes()});
  }
  if (message.has_dial_data_response())
    return AutonatMessage(DialData{message.dial_data_response().data().size()});
  return Errc::malformed;
}

Bytes encode_autonat(const AutonatMessage& message) {
  pb::AutonatV2 out;
  std::visit([&out](const auto& one) { fill(out, one); }, message);
  return serialize(out);
}

Result<std::uint64_t> decode_dial_back(BytesView bytes) {
  pb::AutonatDialBack message;
  if (!parse(message, bytes) || !message.has_nonce()) return Errc::malformed;
  return message.nonce();
}

Bytes encode_dial_back(std::uint64_t nonce) {
  pb::AutonatDialBack message;
  message.set_nonce(nonce);
  return serialize(message);
}

Result<void> decode_dial_back_response(BytesView bytes) {
  pb::AutonatDialBackResponse message;
  if (!parse(message, bytes)) return Errc::malformed;
  if (message.status() != 0) return Errc::unsupported;
  return success();
}

Bytes encode_dial_back_response() {
  pb::AutonatDialBackResponse message;
  message.set_status(0);
  return serialize(message);
}

Result<AutonatV1Dial> decode_autonat_v1(BytesView bytes) {
  pb::AutonatV1 message;
  if (!parse(message, bytes)) return Errc::malformed;
  if (message.type() != kV1Dial || !message.has_dial()) return Errc::malformed;
  AutonatV1Dial out;
  const auto& peer = message.dial().peer();
  if (peer.has_id()) {
    TRY(out.peer, codec::PeerId::from_bytes(as_bytes(peer.id())));
  }
  out.addresses = addresses_of(peer.addrs());
  std::erase_if(out.addresses, [](const Multiaddr& address) { return address.empty(); });
  return out;
}

Bytes encode_autonat_v1(AutonatV1Status status, std::string_view text,
                        const std::optional<Multiaddr>& address) {
  pb::AutonatV1 message;
  message.set_type(kV1Response);
  auto& response = *message.mutable_dial_response();
  response.set_status(static_cast<std::uint32_t>(status));
  if (!text.empty()) response.set_status_text(std::string(text));
  if (address) response.set_addr(text_of(address->bytes()));
  return serialize(message);
}

}  // namespace oc::p2p
