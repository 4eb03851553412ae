// Identify messages, merged one after the other.
#include "fuzzing.hpp"
#include "p2p/protocols/identify/identify.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto peer = crypto::PrivateKey::from_seed(Bytes(32, 7)).peer_id();
  fuzz::Input input(data, size);
  p2p::PeerInfo info;
  for (int i = 0; i < p2p::kMaxIdentifyMessages && !input.empty(); ++i) {
    (void)p2p::merge_identify(info, input.bytes(input.byte() * 33u), peer);
  }
  fuzz::require(info.protocols.size() <= p2p::kMaxIdentifyProtocols);
  fuzz::require(info.listen_addresses.size() <= p2p::kMaxIdentifyAddresses);
  return 0;
}
