#include "overlay/record.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "crypto/signed_envelope.hpp"
#include "overlay/record.pb.h"

namespace oc::overlay {
namespace {

constexpr std::string_view kDomain = "open-chat-node-record";
constexpr std::string_view kPayloadType = "/open-chat/node-record/1";

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

}  // namespace

SealedRecord seal_record(const crypto::PrivateKey& key, NodeRecord record) {
  ASSERT(record.peer == key.peer_id());
  if (record.addresses.size() > kMaxRecordAddresses) record.addresses.resize(kMaxRecordAddresses);
  if (record.roles.size() > kMaxRecordRoles) record.roles.resize(kMaxRecordRoles);
  record.issued = WallTime(std::chrono::seconds(unix_seconds(record.issued)));
  for (;;) {
    pb::NodeRecord message;
    message.set_peer_id(text_of(record.peer.bytes()));
    message.set_seq(record.seq);
    for (const auto& address : record.addresses) message.add_addresses(text_of(address.bytes()));
    message.set_name(record.name.substr(0, kMaxRecordText));
    message.set_version(record.version.substr(0, kMaxRecordText));
    for (const auto& role : record.roles) message.add_roles(role.substr(0, kMaxRecordText));
    message.set_issued(unix_seconds(record.issued));
    const std::string payload = message.SerializeAsString();
    Bytes envelope = crypto::seal_envelope(key, kDomain, as_bytes(kPayloadType), as_bytes(payload));
    if (envelope.size() <= kMaxRecordSize) return {std::move(record), std::move(envelope)};
    ASSERT(!record.addresses.empty());
    record.addresses.pop_back();
  }
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
  const auto too_long = [](const std::string& text) { return text.size() > kMaxRecordText; };
  if (message.addresses().size() > static_cast<int>(kMaxRecordAddresses) ||
      message.roles().size() > static_cast<int>(kMaxRecordRoles) || too_long(message.name()) ||
      too_long(message.version()) || std::ranges::any_of(message.roles(), too_long)) {
    return Errc::limit_exceeded;
  }
  record.seq = message.seq();
  for (const std::string& raw : message.addresses()) {
    // An address of a kind that only a newer version knows is no fault.
    if (auto address = codec::Multiaddr::from_bytes(as_bytes(raw))) record.addresses.push_back(*address);
  }
  record.name = message.name();
  record.version = message.version();
  record.roles.assign(message.roles().begin(), message.roles().end());
  // Dates that do not fit a clock are clamped; check_record_date refuses them.
  constexpr std::int64_t kLastSecond = 9'000'000'000;
  record.issued = WallTime(std::chrono::seconds(std::clamp<std::int64_t>(message.issued(), 0, kLastSecond)));
  return SealedRecord{std::move(record), to_bytes(envelope)};
}

Result<void> check_record_date(const NodeRecord& record, WallTime now) {
  if (record.issued > now + kMaxClockSkew) return Errc::protocol_violation;
  if (record.issued < now - kMaxRecordAge) return Errc::timed_out;
  return success();
}

}  // namespace oc::overlay
