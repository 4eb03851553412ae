#include "p2p/protocols/identify/identify_message.hpp"

#include "crypto/peer_record.hpp"
#include "p2p/identify.pb.h"

namespace oc::p2p {
namespace {

using codec::AddressScope;

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

// The list of a claim, made when the first element comes.
template <class T>
std::vector<T>& list(std::optional<std::vector<T>>& claim) {
  return claim ? *claim : claim.emplace();
}

// Fills messages, beginning the next one when the field to come does not fit.
class Messages {
 public:
  // `add` puts a field of `size` bytes into the message that it is given.
  template <class Add>
  void field(std::size_t size, Add add) {
    constexpr std::size_t kTagAndLength = 4;
    if (size + kTagAndLength > kMaxIdentifySent) return;
    if (size_ + size + kTagAndLength > kMaxIdentifySent) finish_message();
    if (done_.size() == kMaxIdentifyMessages) return;
    size_ += size + kTagAndLength;
    add(message_);
  }

  std::vector<Bytes> finish() {
    if (size_ != 0) finish_message();
    return std::move(done_);
  }

 private:
  void finish_message() {
    if (done_.size() == kMaxIdentifyMessages) return;
    done_.push_back(to_bytes(as_bytes(message_.SerializeAsString())));
    message_.Clear();
    size_ = 0;
  }

  std::vector<Bytes> done_;
  pb::Identify message_;
  std::size_t size_ = 0;
};

}  // namespace

Result<void> add_message(IdentifyClaims& claims, BytesView bytes, const codec::PeerId& peer) {
  pb::Identify message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Errc::malformed;
  if (message.has_public_key()) {
    auto key = crypto::PublicKey::unmarshal(as_bytes(message.public_key()));
    if (!key || key->peer_id() != peer) return Errc::malformed;
  }
  if (message.has_agent_version()) claims.agent_version = message.agent_version();
  if (message.has_protocol_version()) claims.protocol_version = message.protocol_version();
  for (const std::string& protocol : message.protocols()) {
    auto& protocols = list(claims.protocols);
    if (protocols.size() < kMaxIdentifyProtocols) protocols.push_back(protocol);
  }
  for (const std::string& raw : message.listen_addrs()) {
    auto& addresses = list(claims.listen_addresses);
    if (addresses.size() >= kMaxIdentifyAddresses) break;
    if (auto address = codec::Multiaddr::from_bytes(as_bytes(raw))) addresses.push_back(*address);
  }
  if (message.has_observed_addr()) {
    auto seen = codec::Multiaddr::from_bytes(as_bytes(message.observed_addr()));
    if (seen) claims.observed_address = *std::move(seen);
  }
  if (message.has_signed_peer_record()) {
    claims.signed_record = to_bytes(as_bytes(message.signed_peer_record()));
  }
  return success();
}

void update(PeerInfo& info, IdentifyClaims claims, const codec::PeerId& peer,
            const codec::Multiaddr& remote, crypto::ProofCache* known) {
  if (claims.agent_version) info.agent_version = *std::move(claims.agent_version);
  if (claims.protocol_version) info.protocol_version = *std::move(claims.protocol_version);
  if (claims.protocols) info.protocols = *std::move(claims.protocols);
  if (claims.observed_address) info.observed_address = *std::move(claims.observed_address);
  if (claims.signed_record) {
    auto record = crypto::open_peer_record(*claims.signed_record, known);
    if (record && record->peer == peer) {
      if (info.record_seq && record->seq < *info.record_seq) return;
      info.record_seq = record->seq;
      claims.listen_addresses = std::move(record->addresses);
    }
  }
  if (!claims.listen_addresses) return;
  info.listen_addresses.clear();
  for (const codec::Multiaddr& address : *claims.listen_addresses) {
    const auto named = address.peer_id();
    if (named && *named != peer) continue;
    if (!is_told_over(address, remote)) continue;
    if (info.listen_addresses.size() >= kMaxIdentifyAddresses) break;
    codec::Multiaddr bare = address.without_peer();
    if (!bare.empty()) info.listen_addresses.push_back(std::move(bare));
  }
}

bool is_told_over(const codec::Multiaddr& address, const codec::Multiaddr& remote) {
  const AddressScope scope = address.scope();
  if (scope == AddressScope::unspecified) return false;
  switch (remote.scope()) {
    case AddressScope::loopback: return true;
    case AddressScope::public_internet: return scope == AddressScope::public_internet;
    default: return scope != AddressScope::loopback;
  }
}

std::vector<codec::Multiaddr> told_over(const std::vector<codec::Multiaddr>& addresses,
                                        const codec::Multiaddr& remote) {
  std::vector<codec::Multiaddr> out;
  std::size_t bytes = 0;
  for (const codec::Multiaddr& address : addresses) {
    if (!is_told_over(address, remote)) continue;
    bytes += address.bytes().size();
    if (bytes > kMaxToldAddressBytes || out.size() == kMaxIdentifyAddresses) break;
    out.push_back(address);
  }
  return out;
}

std::vector<Bytes> encode_identify(const SelfDescription& self) {
  Messages messages;
  messages.field(self.public_key.size(),
                 [&](auto& to) { to.set_public_key(text_of(self.public_key)); });
  messages.field(self.agent_version.size(),
                 [&](auto& to) { to.set_agent_version(self.agent_version); });
  messages.field(self.protocol_version.size(),
                 [&](auto& to) { to.set_protocol_version(self.protocol_version); });
  const Bytes& observed = self.observed_address.bytes();
  messages.field(observed.size(), [&](auto& to) { to.set_observed_addr(text_of(observed)); });
  for (const codec::Multiaddr& address : self.listen_addresses) {
    const Bytes& bytes = address.bytes();
    messages.field(bytes.size(), [&](auto& to) { to.add_listen_addrs(text_of(bytes)); });
  }
  for (const std::string& protocol : self.protocols) {
    messages.field(protocol.size(), [&](auto& to) { to.add_protocols(protocol); });
  }
  // Last, for who reads one message only: it can do without the signature best.
  messages.field(self.signed_record.size(),
                 [&](auto& to) { to.set_signed_peer_record(text_of(self.signed_record)); });
  return messages.finish();
}

}  // namespace oc::p2p
