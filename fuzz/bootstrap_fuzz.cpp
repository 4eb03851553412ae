// Bootstrap strings: what is taken can be given again.
#include "fuzzing.hpp"
#include "overlay/bootstrap_string.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto peer = overlay::decode_bootstrap(as_text({data, size}));
  if (!peer) return 0;
  fuzz::require(!peer->addresses.empty() &&
                peer->addresses.size() <= overlay::kMaxBootstrapAddresses);
  for (const auto& address : peer->addresses) fuzz::require(address.peer_id() == peer->id);
  const auto again = overlay::decode_bootstrap(overlay::encode_bootstrap(*peer));
  fuzz::require(again && again->id == peer->id);
  return 0;
}
