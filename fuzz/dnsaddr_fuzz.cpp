// TXT records of _dnsaddr: what is taken can be written again.
#include "fuzzing.hpp"
#include "p2p/swarm/address_resolver.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto address = p2p::parse_dnsaddr_record(as_text({data, size}));
  if (!address) return 0;
  fuzz::require(!address->empty());
  (void)p2p::begins_with_name(*address);
  const auto again = p2p::parse_dnsaddr_record("dnsaddr=" + address->to_string());
  fuzz::require(!again || *again == *address);
  return 0;
}
