// What a peer says of itself: identify, and pushes after it, each of several messages that add up;
// with what the input says, and with a record of the input's that the peer did sign.
#include "crypto/peer_record.hpp"
#include "crypto/signed_envelope.hpp"
#include "fuzzing.hpp"
#include "p2p/protocols/identify/identify_message.hpp"

using namespace oc;

namespace {

const crypto::PrivateKey& key() {
  static const auto made = crypto::PrivateKey::from_seed(Bytes(32, 7));
  return made;
}

p2p::IdentifyClaims exchange(fuzz::Input& input) {
  p2p::IdentifyClaims claims;
  const std::size_t messages = input.byte() % (p2p::kMaxIdentifyMessages + 1);
  for (std::size_t i = 0; i < messages; ++i) {
    const BytesView message = input.bytes(input.two_bytes());
    const auto before = claims.protocols;
    if (!p2p::add_message(claims, message, key().peer_id())) {
      fuzz::require(claims.protocols == before);
    }
  }
  if (input.byte() % 2 == 0) return claims;
  static constexpr FixedBytes<2> kType{3, 1};
  const BytesView record = input.bytes(input.two_bytes());
  claims.signed_record = crypto::seal_envelope(key(), "libp2p-peer-record", kType, record);
  return claims;
}

void check(const p2p::PeerInfo& info, const codec::Multiaddr& remote) {
  fuzz::require(info.protocols.size() <= p2p::kMaxIdentifyProtocols);
  fuzz::require(info.listen_addresses.size() <= p2p::kMaxIdentifyAddresses);
  for (const codec::Multiaddr& address : info.listen_addresses) {
    const auto named = address.peer_id();
    fuzz::require(!address.empty() && !named);
    fuzz::require(p2p::is_told_over(address, remote));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array remotes{*codec::Multiaddr::parse("/ip4/127.0.0.1/tcp/1"),
                                  *codec::Multiaddr::parse("/ip4/10.0.0.1/tcp/1"),
                                  *codec::Multiaddr::parse("/ip6/2001:db8::1/tcp/1")};
  fuzz::Input input(data, size);
  const codec::Multiaddr& remote = remotes[input.byte() % remotes.size()];
  p2p::PeerInfo info;
  for (int pushes = 0; pushes < 5 && !input.empty(); ++pushes) {
    const auto seq = info.record_seq;
    p2p::update(info, exchange(input), key().peer_id(), remote);
    check(info, remote);
    fuzz::require(!seq || (info.record_seq && *info.record_seq >= *seq));
  }
  return 0;
}
