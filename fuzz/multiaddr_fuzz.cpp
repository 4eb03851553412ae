// Multiaddrs as text and as bytes: what is taken must survive the way there and back.
#include "codec/multiaddr.hpp"
#include "fuzzing.hpp"

using namespace oc;

namespace {

void check(const codec::Multiaddr& address) {
  const auto bytes = codec::Multiaddr::from_bytes(address.bytes());
  fuzz::require(bytes && *bytes == address);
  (void)address.tcp_endpoint();
  (void)address.peer_id();
  (void)address.scope();
  (void)address.components();
  const auto text = codec::Multiaddr::parse(address.to_string());
  // Texts may be longer than what parse() takes; else they say the same.
  if (text) fuzz::require(text->to_string() == address.to_string());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (auto address = codec::Multiaddr::from_bytes({data, size})) {
    fuzz::require(equal(address->bytes(), {data, size}));
    check(*address);
  }
  if (auto address = codec::Multiaddr::parse(as_text({data, size}))) {
    check(*address);
    const auto again = codec::Multiaddr::parse(address->to_string());
    fuzz::require(!again || *again == *address);
  }
  return 0;
}
