#include "p2p/nat/natpmp_message.hpp"

#include "p2p/nat/gateway.hpp"

namespace oc::p2p {
namespace {

constexpr Byte kVersion = 0;
constexpr Byte kAnswer = 128;
constexpr std::size_t kHeader = 8;
constexpr std::size_t kAddressAnswer = 12;
constexpr std::size_t kMapAnswer = 16;

}  // namespace

Bytes natpmp_address_request() {
  return {kVersion, static_cast<Byte>(NatPmpOpcode::external_address)};
}

Bytes natpmp_map_request(Port internal, Port external, std::uint32_t lifetime_seconds) {
  Bytes out(12);
  out[0] = kVersion;
  out[1] = static_cast<Byte>(NatPmpOpcode::map_tcp);
  put_be16(&out[4], internal.value());
  put_be16(&out[6], external.value());
  put_be32(&out[8], lifetime_seconds);
  return out;
}

Result<NatPmpAnswer> parse_natpmp_answer(BytesView datagram) {
  if (datagram.size() < kHeader) return Errc::truncated;
  if (datagram[0] != kVersion || datagram[1] < kAnswer) return Errc::unsupported;
  NatPmpAnswer answer;
  answer.opcode = static_cast<NatPmpOpcode>(datagram[1] - kAnswer);
  answer.result = get_be16(&datagram[2]);
  const bool maps = answer.opcode == NatPmpOpcode::map_tcp;
  if (!maps && answer.opcode != NatPmpOpcode::external_address) return Errc::unsupported;
  if (maps && datagram.size() >= kMapAnswer) {
    answer.internal = Port(get_be16(&datagram[8]));
    answer.external = Port(get_be16(&datagram[10]));
    answer.lifetime_seconds = get_be32(&datagram[12]);
  } else if (!maps && datagram.size() >= kAddressAnswer) {
    answer.address = boost::asio::ip::address_v4(get_be32(&datagram[8]));
  } else if (answer.result == 0) {
    return Errc::truncated;
  }
  return answer;
}

error_code natpmp_error(std::uint16_t result) {
  switch (result) {
    case 0: return {};
    case 1:  // another version: a router that speaks PCP alone says so
    case 5:  // another opcode
      return NatErrc::no_gateway;
    case 3: return NatErrc::not_connected;
    default: return NatErrc::refused;  // not authorised, out of resources, and what is unknown
  }
}

}  // namespace oc::p2p
