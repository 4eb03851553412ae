#include "channel.hpp"

#include "p2p/upgrade/multistream.hpp"

namespace oc::hostile {
namespace {

constexpr int kMostProposals = 8;

}  // namespace

std::optional<Bytes> read_exactly(Channel& channel, std::size_t size, TimePoint until) {
  Bytes out;
  while (out.size() < size) {
    const Received got = channel.receive(until, size - out.size());
    if (got.bytes.empty()) return std::nullopt;
    append(out, got.bytes);
  }
  return out;
}

End drain(Channel& channel, TimePoint until) {
  for (;;) {
    const Received got = channel.receive(until);
    if (got.end != End::open || (got.bytes.empty() && now() >= until)) return got.end;
  }
}

std::optional<std::string> read_message(Channel& channel, TimePoint until) {
  std::size_t size = 0;
  for (int shift = 0; shift < 14; shift += 7) {
    const auto byte = read_exactly(channel, 1, until);
    if (!byte) return std::nullopt;
    size |= static_cast<std::size_t>(byte->front() & 0x7f) << shift;
    if (byte->front() < 0x80) break;
  }
  const auto text = read_exactly(channel, size, until);
  if (!text || text->empty() || text->back() != '\n') return std::nullopt;
  return std::string(as_text(*text).substr(0, size - 1));
}

std::optional<std::string> propose(Channel& channel, std::string_view protocol, TimePoint until) {
  Bytes opening = p2p::encode_multistream(p2p::kMultistreamId);
  append(opening, p2p::encode_multistream(protocol));
  if (!channel.send(opening, until)) return std::nullopt;
  if (read_message(channel, until) != p2p::kMultistreamId) return std::nullopt;
  return read_message(channel, until);
}

bool accept_only(Channel& channel, std::string_view protocol, TimePoint until) {
  if (!channel.send(p2p::encode_multistream(p2p::kMultistreamId), until)) return false;
  if (read_message(channel, until) != p2p::kMultistreamId) return false;
  for (int i = 0; i < kMostProposals; ++i) {
    const auto proposal = read_message(channel, until);
    if (!proposal) return false;
    const bool taken = *proposal == protocol;
    if (!channel.send(p2p::encode_multistream(taken ? protocol : "na"), until)) return false;
    if (taken) return true;
  }
  return false;
}

}  // namespace oc::hostile
