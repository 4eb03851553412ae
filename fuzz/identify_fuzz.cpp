// Identify messages: a first exchange of several, then a push.
#include "fuzzing.hpp"
#include "p2p/protocols/identify/identify_message.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto peer = crypto::PrivateKey::from_seed(Bytes(32, 7)).peer_id();
  fuzz::Input input(data, size);
  static const auto remote = *codec::Multiaddr::parse("/ip4/192.168.0.1/tcp/1");
  p2p::PeerInfo info;
  for (const std::size_t messages : {p2p::kMaxIdentifyMessages - 1, std::size_t{1}}) {
    p2p::IdentifyClaims claims;
    for (std::size_t i = 0; i < messages && !input.empty(); ++i) {
      (void)p2p::add_message(claims, input.bytes(input.byte() * 33u), peer);
    }
    p2p::update(info, std::move(claims), peer, remote);
  }
  fuzz::require(info.protocols.size() <= p2p::kMaxIdentifyProtocols);
  fuzz::require(info.listen_addresses.size() <= p2p::kMaxIdentifyAddresses);
  return 0;
}
