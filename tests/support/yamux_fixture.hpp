// A yamux session under test: its peer is spoken for by hand-made frames.
#pragma once

#include <gtest/gtest.h>

#include "p2p/upgrade/yamux_session.hpp"
#include "support/vectors.hpp"

namespace oc::p2p::yamux {

struct SessionProbe {
  static void set_next_id(Session& session, std::uint32_t id) { session.next_id_ = id; }
};

using test::hex;

constexpr auto kData = FrameType::data;
constexpr auto kWindow = FrameType::window_update;
constexpr auto kPing = FrameType::ping;
constexpr auto kGoAway = FrameType::go_away;

inline Bytes header(FrameType type, std::uint16_t flags, std::uint32_t stream,
                    std::uint32_t length) {
  Bytes out(kHeaderSize);
  encode_header({type, flags, stream, length}, out.data());
  return out;
}

inline Bytes data(std::uint16_t flags, std::uint32_t stream, std::string_view body) {
  Bytes out = header(kData, flags, stream, static_cast<std::uint32_t>(body.size()));
  append(out, as_bytes(body));
  return out;
}

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}

class YamuxSession : public testing::Test {
 protected:
  // As if the peer had sent these bytes.
  Result<void> feed(BytesView bytes) { return session_.receive(Buffer::copy_of(bytes), now_); }

  // Everything the session has to send.
  Bytes sent() {
    Bytes out;
    while (session_.has_output()) {
      for (const Buffer& buffer : session_.take_output()) append(out, buffer.bytes());
    }
    return out;
  }
  std::string sent_hex() { return to_hex(sent()); }

  std::vector<StreamEvent> events() {
    std::vector<StreamEvent> out;
    while (auto event = session_.next_event()) out.push_back(*event);
    return out;
  }
  bool told(EventKind kind) {
    bool found = false;
    for (const StreamEvent& event : events()) found = found || event.kind == kind;
    return found;
  }

  // A stream that the peer opened with this frame, and its acknowledgement taken off.
  StreamState* incoming(BytesView opening) {
    EXPECT_TRUE(feed(opening));
    StreamState* stream = nullptr;
    for (const StreamEvent& event : events()) {
      if (event.kind == EventKind::incoming) stream = event.stream;
    }
    (void)sent();
    return stream;
  }
  StreamState* incoming(std::uint32_t id) { return incoming(header(kWindow, kSyn, id, 0)); }

  std::string read_text(StreamState& stream) {
    std::string out;
    for (;;) {
      const BufferChain chain = session_.read(stream, now_);
      if (chain.empty()) return out;
      for (const Buffer& buffer : chain) out += as_text(buffer.bytes());
    }
  }

  // Lets the session know a round trip.
  void know_round_trip(Duration time) {
    EXPECT_TRUE(session_.tick(now_));
    const Bytes ping = sent();
    const std::uint32_t value = get_be32(ping.data() + 8);
    now_ += time;
    EXPECT_TRUE(feed(header(kPing, kAck, 0, value)));
  }

  void expect_violation(BytesView bytes) {
    auto received = feed(bytes);
    EXPECT_TRUE(!received && received.error() == P2pErrc::yamux_violation);
    EXPECT_TRUE(session_.dead());
    const Bytes out = sent();
    ASSERT_GE(out.size(), kHeaderSize);
    EXPECT_EQ(to_hex(BytesView(out).last(kHeaderSize)), "000300000000000000000001")
        << "GoAway, protocol error";
    EXPECT_FALSE(feed(header(kPing, kSyn, 0, 1)));
  }

  TimePoint now_{std::chrono::hours(1)};
  Session session_{Role::server, now_, 7};  // the peer's ids are odd
};

}  // namespace oc::p2p::yamux
