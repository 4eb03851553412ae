// Answers of NAT-PMP; and the kernel's table of routes, which no stranger writes.
#include "fuzzing.hpp"
#include "p2p/nat/default_gateway.hpp"
#include "p2p/nat/natpmp_message.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(data, size);
  if (const auto answer = p2p::parse_natpmp_answer(bytes)) {
    fuzz::require(size >= 8);
    if (answer->result == 0 && answer->opcode == p2p::NatPmpOpcode::map_tcp)
      fuzz::require(size >= 16);
    (void)p2p::natpmp_error(answer->result);
  }
  (void)p2p::default_gateway_of(as_text(bytes));
  return 0;
}
