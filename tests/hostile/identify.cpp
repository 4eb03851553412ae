#include "identify.hpp"

#include <algorithm>

#include "codec/varint.hpp"

namespace oc::hostile {

Bytes delimited(const std::vector<std::string>& messages) {
  Bytes out;
  for (const std::string& message : messages) codec::put_length_prefixed(out, as_bytes(message));
  return out;
}

bool answer_identify(Session& session, const std::vector<std::string>& messages) {
  const Bytes question = proposal(kIdentify);
  std::uint32_t asked = 0;
  const auto find = [&] {
    for (const std::uint32_t stream : session.seen().opened) {
      if (equal(session.data(stream), question)) asked = stream;
    }
    return asked != 0;
  };
  if (!session.watch(kPatience, find)) return false;
  Bytes answer = question;
  append(answer, delimited(messages));
  session.send(frame(FrameType::window_update, kAck, asked, 0));
  for (BytesView rest = answer; !rest.empty();) {
    const std::size_t n = std::min<std::size_t>(rest.size(), kWindow / 8);
    if (!session.send(data_frame(0, asked, rest.first(n)))) return false;
    rest = rest.subspan(n);
  }
  return session.send(frame(FrameType::data, kFin, asked, 0));
}

}  // namespace oc::hostile
