#include "overlay/record.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "codec/utf8.hpp"
#include "crypto/signed_envelope.hpp"
#include "overlay/record.pb.h"

namespace oc::overlay {
namespace {

constexpr std::string_view kDomain = "open-chat-node-record";
constexpr std::string_view kPayloadType = "/open-chat/node-record/1";
// What key, type and signature add to a payload: 135 bytes with an Ed25519 key.
constexpr std::size_t kEnvelopeOverhead = 160;

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

std::string payload_of(const NodeRecord& record) {
  pb::NodeRecord message;
  message.set_peer_id(text_of(record.peer.bytes()));
  message.set_seq(record.seq);
  for (const auto& address : record.addresses) message.add_addresses(text_of(address.bytes()));
  message.set_name(record.name);
  message.set_version(record.version);
  for (const auto& role : record.roles) message.add_roles(role);
  message.set_issued(unix_seconds(record.issued));
  return message.SerializeAsString();
}

bool acceptable(const std::string& text) {
  return text.size() <= kMaxRecordText && codec::is_printable_utf8(text);
}

// Cut between characters to what a record takes; nothing when it is no text.
std::string fitted(std::string text) {
  if (text.size() > kMaxRecordText) {
    std::size_t end = kMaxRecordText;
    while (end > 0 && (static_cast<Byte>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
  }
  return acceptable(text) ? text : std::string();
}

}  // namespace

SealedRecord seal_record(const crypto::PrivateKey& key, NodeRecord record) {
  ASSERT(record.peer == key.peer_id());
  record.name = fitted(std::move(record.name));
  record.version = fitted(std::move(record.version));
  for (std::string& role : record.roles) role = fitted(std::move(role));
  if (record.addresses.size() > kMaxRecordAddresses) record.addresses.resize(kMaxRecordAddresses);
  if (record.roles.size() > kMaxRecordRoles) record.roles.resize(kMaxRecordRoles);
  record.issued = WallTime(std::chrono::seconds(unix_seconds(record.issued)));
  std::string payload = payload_of(record);
  while (payload.size() > kMaxRecordSize - kEnvelopeOverhead) {
    ASSERT(!record.addresses.empty());
    record.addresses.pop_back();
    payload = payload_of(record);
  }
  Bytes envelope = crypto::seal_envelope(key, kDomain, as_bytes(kPayloadType), as_bytes(payload));
  return {std::move(record), std::move(envelope)};
}

Result<SealedRecord> open_record(BytesView envelope) {
  if (envelope.size() > kMaxRecordSize) return Errc::limit_exceeded;
  TRY(const crypto::OpenedEnvelope opened, crypto::open_envelope(envelope, kDomain));
  if (as_text(opened.payload_type) != kPayloadType) return Errc::malformed;
  pb::NodeRecord message;
  if (!message.ParseFromArray(opened.payload.data(), static_cast<int>(opened.payload.size()))) {
    return Errc::malformed;
  }
  NodeRecord record;
  TRY(record.peer, codec::PeerId::from_bytes(as_bytes(message.peer_id())));
  if (record.peer != opened.key.peer_id()) return Errc::permission_denied;
  if (message.addresses().size() > static_cast<int>(kMaxRecordAddresses) ||
      message.roles().size() > static_cast<int>(kMaxRecordRoles) || message.seq() > kMaxRecordSeq) {
    return Errc::limit_exceeded;
  }
  if (!acceptable(message.name()) || !acceptable(message.version()) ||
      !std::ranges::all_of(message.roles(), acceptable)) {
    return Errc::malformed;
  }
  record.seq = message.seq();
  for (const std::string& raw : message.addresses()) {
    // An address of a kind that only a newer version knows is no fault.
    if (auto address = codec::Multiaddr::from_bytes(as_bytes(raw)))
      record.addresses.push_back(*address);
  }
  record.name = message.name();
  record.version = message.version();
  record.roles.assign(message.roles().begin(), message.roles().end());
  // Dates that do not fit a clock are clamped; check_record_date refuses them.
  constexpr std::int64_t kLastSecond = 9'000'000'000;
  record.issued =
      WallTime(std::chrono::seconds(std::clamp<std::int64_t>(message.issued(), 0, kLastSecond)));
  return SealedRecord{std::move(record), to_bytes(envelope)};
}

Result<void> check_record_date(const NodeRecord& record, WallTime now) {
  if (record.issued > now + kMaxClockSkew) return Errc::protocol_violation;
  if (record.issued < now - kMaxRecordAge) return Errc::timed_out;
  return success();
}

}  // namespace oc::overlay
