#include "p2p/upgrade/yamux_frame.hpp"

namespace oc::p2p::yamux {

void encode_header(const FrameHeader& header, Byte* to) {
  to[0] = 0;
  to[1] = static_cast<Byte>(header.type);
  put_be16(to + 2, header.flags);
  put_be32(to + 4, header.stream);
  put_be32(to + 8, header.length);
}

Result<FrameHeader> decode_header(const Byte* from) {
  if (from[0] != 0 || from[1] > static_cast<Byte>(FrameType::go_away))
    return Errc::protocol_violation;
  FrameHeader header;
  header.type = static_cast<FrameType>(from[1]);
  header.flags = get_be16(from + 2) & kKnownFlags;
  header.stream = get_be32(from + 4);
  header.length = get_be32(from + 8);
  return header;
}

}  // namespace oc::p2p::yamux
