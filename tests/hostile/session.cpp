#include "session.hpp"

#include <algorithm>

#include "p2p/upgrade/multistream.hpp"

namespace oc::hostile {
namespace {

using p2p::yamux::FrameHeader;
using p2p::yamux::kHeaderSize;

// Credit is granted in pieces, as honest peers do.
constexpr std::uint32_t kGrant = kWindow / 4;

double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

Bytes frame(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length) {
  Bytes out(kHeaderSize);
  p2p::yamux::encode_header({type, flags, stream, length}, out.data());
  return out;
}

Bytes data_frame(std::uint16_t flags, std::uint32_t stream, BytesView body) {
  Bytes out = frame(FrameType::data, flags, stream, static_cast<std::uint32_t>(body.size()));
  append(out, body);
  return out;
}

Bytes proposal(std::string_view protocol) {
  Bytes out = p2p::encode_multistream(p2p::kMultistreamId);
  append(out, p2p::encode_multistream(protocol));
  return out;
}

bool Session::send(BytesView frames, Duration patience) {
  return channel_->send(frames, in(patience));
}

std::uint32_t Session::open(std::string_view protocol, BytesView more, std::uint16_t flags) {
  const std::uint32_t stream = next_stream();
  Bytes body = proposal(protocol);
  append(body, more);
  spent_[stream] = body.size();
  (void)send(data_frame(static_cast<std::uint16_t>(kSyn | flags), stream, body));
  return stream;
}

std::size_t Session::may_send(std::uint32_t stream) const {
  const auto given = given_.find(stream);
  return kWindow + (given == given_.end() ? 0 : given->second) - spent_.at(stream);
}

bool Session::send_data(std::uint32_t stream, BytesView body, Duration patience) {
  spent_[stream] += body.size();
  return send(data_frame(0, stream, body), patience);
}

bool Session::watch(Duration time, const std::function<bool()>& enough) {
  const TimePoint until = in(time);
  for (;;) {
    if (enough()) return true;
    if (!alive()) return false;
    const Received got = channel_->receive(until);
    if (got.end != End::open) {
      seen_.end = got.end;
      seen_.ended = now();
    } else if (got.bytes.empty()) {
      return enough();
    }
    take(got.bytes);
    if (!replies_.empty() && answers_) (void)send(std::exchange(replies_, {}));
    replies_.clear();
    if (now() >= until) return enough();
  }
}

bool Session::wait_data(std::uint32_t stream, std::size_t size, Duration time) {
  return watch(time, [&] { return seen_.data[stream].size() >= size; });
}

void Session::take(BytesView bytes) {
  seen_.bytes += bytes.size();
  append(pending_, bytes);
  BytesView rest = pending_;
  while (rest.size() >= kHeaderSize) {
    const FrameHeader header = p2p::yamux::decode_header(rest.data()).value();
    const std::size_t size = header.type == FrameType::data ? header.length : 0;
    if (rest.size() < kHeaderSize + size) break;
    on_frame(header, rest.subspan(kHeaderSize, size));
    rest = rest.subspan(kHeaderSize + size);
  }
  pending_ = to_bytes(rest);
}

void Session::on_frame(const FrameHeader& header, BytesView body) {
  ++seen_.frames;
  switch (header.type) {
    case FrameType::ping:
      ++(header.has(kAck) ? seen_.pongs : seen_.pings);
      if (header.has(kSyn)) append(replies_, frame(FrameType::ping, kAck, 0, header.length));
      return;
    case FrameType::go_away: seen_.go_away = header.length; return;
    case FrameType::window_update:
      ++seen_.updates;
      if (header.has(kRst)) break;
      seen_.credit += header.length;
      if (spent_.contains(header.stream)) given_[header.stream] += header.length;
      break;
    case FrameType::data: on_data(header, body); break;
  }
  if (header.has(kSyn)) seen_.opened.insert(header.stream);
  if (header.has(kAck)) ++seen_.acks;
  if (header.has(kRst)) {
    ++seen_.resets;
    if (seen_.reset.size() < Seen::kMostNoted) seen_.reset.insert(header.stream);
  }
  if (header.has(kFin)) seen_.finished.insert(header.stream);
}

void Session::on_data(const FrameHeader& header, BytesView body) {
  Bytes& kept = seen_.data[header.stream];
  append(kept, body.first(std::min(body.size(), Seen::kMostKept - kept.size())));
  std::uint32_t& owed = owed_[header.stream];
  owed += header.length;
  if (owed < kGrant || header.has(kFin)) return;
  append(replies_, frame(FrameType::window_update, 0, header.stream, std::exchange(owed, 0)));
}

Json Session::report() const {
  Json out;
  out["cut"] = !alive();
  out["end"] = name_of(seen_.end);
  out["after_ms"] = seen_.ended ? Json(milliseconds(*seen_.ended - began_)) : Json();
  out["go_away"] = seen_.go_away ? Json(*seen_.go_away) : Json();
  out["acks"] = seen_.acks;
  out["resets"] = seen_.resets;
  out["pings"] = seen_.pings;
  out["pongs"] = seen_.pongs;
  out["credit"] = seen_.credit;
  out["bytes"] = seen_.bytes;
  return out;
}

}  // namespace oc::hostile
