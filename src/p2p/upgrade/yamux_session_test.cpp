#include "p2p/upgrade/yamux_session.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace oc::p2p::yamux {

struct SessionProbe {
  static void set_next_id(Session& session, std::uint32_t id) { session.next_id_ = id; }
};

namespace {

using namespace std::chrono_literals;
using test::hex;

constexpr auto kData = FrameType::data;
constexpr auto kWindow = FrameType::window_update;
constexpr auto kPing = FrameType::ping;
constexpr auto kGoAway = FrameType::go_away;

Bytes header(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length) {
  Bytes out(kHeaderSize);
  encode_header({type, flags, stream, length}, out.data());
  return out;
}

Bytes data(std::uint16_t flags, std::uint32_t stream, std::string_view body) {
  Bytes out = header(kData, flags, stream, static_cast<std::uint32_t>(body.size()));
  append(out, as_bytes(body));
  return out;
}

Bytes joined(std::initializer_list<Bytes> parts) {
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
    EXPECT_EQ(to_hex(BytesView(out).last(kHeaderSize)), "000300000000000000000001") << "GoAway, protocol error";
    EXPECT_FALSE(feed(header(kPing, kSyn, 0, 1)));
  }

  TimePoint now_{std::chrono::hours(1)};
  Session session_{Role::server, now_, 7};  // the peer's ids are odd
};

// ---- frames as they go over the wire

TEST_F(YamuxSession, the_first_frame_carries_the_syn) {
  Session client(Role::client, now_, 1);
  StreamState* stream = *client.open();
  client.send(*stream, Buffer::copy_of(as_bytes("hi")));
  client.send(*stream, Buffer::copy_of(as_bytes("!")));
  Bytes out;
  for (const Buffer& b : client.take_output()) append(out, b.bytes());
  EXPECT_EQ(to_hex(out), "000000010000000100000002686900000000000000010000000121");
}

TEST_F(YamuxSession, a_silent_opener_sends_a_window_update_with_syn) {
  StreamState* stream = *session_.open();
  EXPECT_EQ(stream->id, 2u) << "the server's ids are even";
  session_.flush_syn(*stream);
  session_.flush_syn(*stream);
  EXPECT_EQ(sent_hex(), "000100010000000200000000");
}

TEST_F(YamuxSession, an_incoming_stream_is_acknowledged) {
  EXPECT_TRUE(feed(hex("000100010000000100000000")));
  EXPECT_EQ(sent_hex(), "000100020000000100000000");
}

TEST_F(YamuxSession, the_end_rides_on_the_last_frame_or_goes_alone) {
  StreamState* stream = incoming(1);
  session_.send(*stream, Buffer::copy_of(as_bytes("a")));
  session_.close_write(*stream);
  EXPECT_EQ(sent_hex(), "00000004000000010000000161");
  StreamState* other = incoming(3);
  session_.send(*other, Buffer::copy_of(as_bytes("b")));
  (void)sent();
  session_.close_write(*other);
  session_.close_write(*other);
  EXPECT_EQ(sent_hex(), "000000040000000300000000");
}

TEST_F(YamuxSession, a_reset_goes_out_at_once_and_takes_the_queue_with_it) {
  StreamState* stream = incoming(1);
  StreamState* other = incoming(3);
  session_.send(*stream, Buffer::copy_of(as_bytes("gone")));
  session_.send(*other, Buffer::copy_of(as_bytes("x")));
  session_.reset(*stream);
  EXPECT_EQ(sent_hex(), "00010008000000010000000000000000000000030000000178");
  session_.send(*stream, Buffer::copy_of(as_bytes("nothing")));
  EXPECT_EQ(sent_hex(), "");
}

TEST_F(YamuxSession, a_stream_that_never_spoke_is_not_spoken_of) {
  StreamState* stream = *session_.open();
  session_.release(*stream, now_);
  EXPECT_EQ(sent_hex(), "");
  EXPECT_EQ(session_.stream_count(), 0u);
}

TEST_F(YamuxSession, a_ping_is_answered_ahead_of_the_data) {
  StreamState* stream = incoming(1);
  session_.send(*stream, Buffer::copy_of(as_bytes("z")));
  EXPECT_TRUE(feed(hex("0002000100000000deadbeef")));
  EXPECT_EQ(sent_hex(), "0002000200000000deadbeef0000000000000001000000017a");
}

TEST_F(YamuxSession, a_goodbye_goes_behind_the_data) {
  StreamState* stream = incoming(1);
  session_.send(*stream, Buffer::copy_of(as_bytes("z")));
  session_.go_away();
  EXPECT_EQ(sent_hex(), "0000000000000001000000017a000300000000000000000000");
}

TEST_F(YamuxSession, a_payload_without_room_for_the_header_is_copied) {
  StreamState* stream = incoming(1);
  Buffer whole = Buffer::copy_of(as_bytes("abcdef"));
  session_.send(*stream, whole.slice(2, 2));
  EXPECT_EQ(sent_hex(), "0000000000000001000000026364");
  EXPECT_EQ(as_text(whole.bytes()), "abcdef");
}

// ---- opening

TEST_F(YamuxSession, data_on_the_syn_frame_is_delivered) {
  StreamState* stream = incoming(data(kSyn, 1, "hello"));
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(read_text(*stream), "hello");
}

TEST_F(YamuxSession, a_stream_may_open_speak_and_end_in_one_frame) {
  StreamState* stream = incoming(data(kSyn | kFin, 1, "all"));
  EXPECT_EQ(read_text(*stream), "all");
  EXPECT_TRUE(stream->fin_received);
}

TEST_F(YamuxSession, exactly_the_initial_window_may_be_sent_unasked) {
  const std::string window(kInitialWindow, 'w');
  StreamState* stream = incoming(data(kSyn, 1, window));
  EXPECT_EQ(stream->inbox_bytes, kInitialWindow);
  expect_violation(data(0, 1, "x"));
}

TEST_F(YamuxSession, a_syn_with_more_than_the_initial_window_is_a_violation) {
  expect_violation(header(kData, kSyn, 1, kInitialWindow + 1));
}

TEST_F(YamuxSession, credit_on_the_syn_adds_to_the_initial_window) {
  StreamState* stream = incoming(header(kWindow, kSyn, 1, 1024 * 1024));
  EXPECT_EQ(stream->send_window, kInitialWindow + 1024 * 1024);
  StreamState* ours = *session_.open();
  session_.flush_syn(*ours);
  EXPECT_TRUE(feed(header(kWindow, kAck, ours->id, 1000)));
  EXPECT_EQ(ours->send_window, kInitialWindow + 1000);
}

TEST_F(YamuxSession, streams_may_open_in_any_order_of_their_ids) {
  StreamState* later = incoming(5);
  StreamState* sooner = incoming(3);
  EXPECT_TRUE(feed(joined({data(0, 3, "three"), data(0, 5, "five")})));
  EXPECT_EQ(read_text(*sooner), "three");
  EXPECT_EQ(read_text(*later), "five");
}

TEST_F(YamuxSession, a_second_syn_for_an_open_stream_is_a_violation) {
  (void)incoming(1);
  expect_violation(header(kWindow, kSyn, 1, 0));
}

TEST_F(YamuxSession, an_id_of_the_wrong_parity_is_a_violation) { expect_violation(header(kWindow, kSyn, 2, 0)); }
TEST_F(YamuxSession, id_zero_is_no_stream) { expect_violation(header(kData, kSyn, 0, 0)); }
TEST_F(YamuxSession, another_version_is_a_violation) { expect_violation(hex("010100010000000100000000")); }
TEST_F(YamuxSession, an_unknown_type_is_a_violation) { expect_violation(hex("000400000000000000000000")); }
TEST_F(YamuxSession, unknown_flags_are_ignored) {
  EXPECT_NE(incoming(hex("0001fff10000000100000000")), nullptr);
}

TEST_F(YamuxSession, more_streams_than_the_limit_are_refused_one_by_one) {
  session_.set_incoming_limit(2);
  (void)incoming(1);
  StreamState* second = incoming(3);
  EXPECT_TRUE(feed(data(kSyn, 5, "no room")));
  EXPECT_EQ(sent_hex(), "000100080000000500000000");
  EXPECT_TRUE(feed(joined({data(0, 5, "more"), data(kFin, 5, "")}))) << "it may have been under way";
  EXPECT_EQ(session_.counters().refused_streams, 1u);
  session_.reset(*second);
  session_.release(*second, now_);
  EXPECT_NE(incoming(7), nullptr) << "a place is free again";
}

TEST_F(YamuxSession, unacknowledged_streams_are_bounded_and_a_place_is_told_of) {
  std::vector<StreamState*> streams;
  for (std::size_t i = 0; i < kAckBacklog; ++i) {
    streams.push_back(*session_.open());
    session_.flush_syn(*streams.back());
  }
  EXPECT_EQ(session_.open().error(), Errc::limit_exceeded);
  (void)events();
  EXPECT_TRUE(feed(header(kWindow, kAck, streams[9]->id, 0)));
  EXPECT_TRUE(told(EventKind::openable));
  EXPECT_TRUE(feed(header(kWindow, kAck, streams[9]->id, 0))) << "twice is once";
  EXPECT_TRUE(session_.open());
  EXPECT_EQ(session_.open().error(), Errc::limit_exceeded);
}

TEST_F(YamuxSession, streams_given_up_before_their_acknowledgement_free_their_place) {
  for (int i = 0; i < 10'000; ++i) {
    auto stream = session_.open();
    ASSERT_TRUE(stream) << i;
    session_.flush_syn(**stream);
    session_.release(**stream, now_);
    if (i % 100 == 0) (void)sent();
  }
  EXPECT_EQ(session_.stream_count(), 0u);
  EXPECT_TRUE(feed(header(kWindow, kAck, 2, 0))) << "a late acknowledgement is nothing";
}

TEST_F(YamuxSession, ids_run_out_and_do_not_wrap) {
  Session client(Role::client, now_, 1);
  SessionProbe::set_next_id(client, 0xFFFFFFF9);
  for (const std::uint32_t id : {0xFFFFFFF9u, 0xFFFFFFFBu, 0xFFFFFFFDu}) EXPECT_EQ((*client.open())->id, id);
  EXPECT_EQ(client.open().error(), P2pErrc::streams_exhausted);
  EXPECT_EQ(client.open().error(), P2pErrc::streams_exhausted);
}

TEST_F(YamuxSession, an_acknowledgement_for_a_stream_of_the_peer_or_of_nobody_is_ignored) {
  (void)incoming(1);
  EXPECT_TRUE(feed(joined({header(kWindow, kAck, 1, 0), header(kWindow, kAck, 400, 0)})));
}

// ---- flow control

TEST_F(YamuxSession, credit_saturates_and_never_wraps) {
  StreamState* stream = incoming(1);
  EXPECT_TRUE(feed(header(kWindow, 0, 1, 0xFFFFFFFF)));
  EXPECT_TRUE(feed(header(kWindow, 0, 1, 0xFFFFFFFF)));
  EXPECT_EQ(stream->send_window, 0xFFFFFFFFu);
}

TEST_F(YamuxSession, credit_wakes_the_writer) {
  StreamState* stream = incoming(1);
  for (int i = 0; i < 4; ++i) session_.send(*stream, Buffer::copy_of(Bytes(65'000)));
  EXPECT_EQ(stream->send_window, kInitialWindow - 4 * 65'000);
  (void)events();
  EXPECT_TRUE(feed(header(kWindow, 0, 1, 5)));
  EXPECT_TRUE(told(EventKind::writable));
  EXPECT_EQ(stream->send_window, kInitialWindow - 4 * 65'000 + 5);
}

TEST_F(YamuxSession, an_error_code_on_a_reset_is_no_credit) {
  StreamState* stream = incoming(1);
  EXPECT_TRUE(feed(header(kWindow, kRst, 1, 0x1002)));
  EXPECT_TRUE(stream->reset);
  EXPECT_EQ(stream->send_window, kInitialWindow);
}

TEST_F(YamuxSession, credit_is_granted_when_half_the_window_was_read) {
  StreamState* stream = incoming(data(kSyn, 1, std::string(kInitialWindow, 'w')));
  Bytes into(kInitialWindow / 2 - 1);
  EXPECT_EQ(session_.read_into(*stream, into, now_), into.size());
  EXPECT_EQ(sent_hex(), "") << "not yet half";
  EXPECT_EQ(session_.read_into(*stream, MutableBytes(into).first(1), now_), 1u);
  EXPECT_EQ(sent_hex(), "000100000000000100020000");
  EXPECT_EQ(stream->receive_credit, kInitialWindow / 2);
}

TEST_F(YamuxSession, nothing_is_granted_to_a_stream_that_ended) {
  StreamState* stream = incoming(data(kSyn | kFin, 1, std::string(kInitialWindow, 'w')));
  EXPECT_EQ(read_text(*stream).size(), kInitialWindow);
  EXPECT_EQ(sent_hex(), "");
}

TEST_F(YamuxSession, a_window_used_up_within_round_trips_doubles_up_to_its_bound) {
  StreamState* stream = incoming(1);
  know_round_trip(100ms);
  (void)events();
  std::uint32_t last = stream->receive_window;
  const std::string chunk(kInitialWindow / 2, 'c');
  for (std::size_t total = 0; total < 3u * kMaxWindow; total += chunk.size()) {
    now_ += 10us;
    ASSERT_TRUE(feed(data(0, 1, chunk)));
    EXPECT_EQ(read_text(*stream).size(), chunk.size());
    EXPECT_TRUE(stream->receive_window == last || stream->receive_window == 2 * last);
    last = stream->receive_window;
  }
  EXPECT_EQ(stream->receive_window, kMaxWindow);
}

TEST_F(YamuxSession, a_slow_stream_keeps_its_window) {
  StreamState* stream = incoming(1);
  know_round_trip(1ms);
  for (int i = 0; i < 50; ++i) {
    now_ += 1s;
    ASSERT_TRUE(feed(data(0, 1, std::string(kInitialWindow / 2, 'c'))));
    (void)read_text(*stream);
  }
  EXPECT_EQ(stream->receive_window, kInitialWindow);
}

TEST_F(YamuxSession, windows_grow_together_no_further_than_the_budget) {
  know_round_trip(1s);
  std::vector<StreamState*> streams;
  for (std::uint32_t i = 0; i < 12; ++i) streams.push_back(incoming(2 * i + 1));
  const std::string chunk(kInitialWindow / 2, 'c');
  for (int round = 0; round < 200; ++round) {
    for (StreamState* stream : streams) {
      ASSERT_TRUE(feed(data(0, stream->id, chunk)));
      (void)read_text(*stream);
    }
    (void)events();
    (void)sent();
  }
  std::size_t together = 0;
  for (StreamState* stream : streams) together += stream->receive_window - kInitialWindow;
  EXPECT_LE(together, kReceiveBudget);
  EXPECT_GT(together, kReceiveBudget / 2);
  // A stream that goes gives its share back.
  session_.reset(*streams[0]);
  session_.release(*streams[0], now_);
  StreamState* next = incoming(101);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(feed(data(0, 101, chunk)));
    (void)read_text(*next);
  }
  EXPECT_GT(next->receive_window, kInitialWindow);
}

TEST_F(YamuxSession, unread_bytes_of_all_streams_are_bounded) {
  const std::string window(kInitialWindow, 'w');
  const std::size_t fit = kReceiveBudget / kInitialWindow;
  for (std::uint32_t i = 0; i <= fit; ++i) ASSERT_TRUE(feed(data(kSyn, 2 * i + 1, window)));
  std::size_t reset = 0, kept = 0;
  for (const StreamEvent& event : events()) {
    if (event.kind != EventKind::incoming) continue;
    (event.stream->reset ? reset : kept) += 1;
  }
  EXPECT_EQ(kept, fit);
  EXPECT_EQ(reset, 1u) << "the one that went too far, and no other";
  EXPECT_FALSE(session_.dead());
}

TEST_F(YamuxSession, one_byte_frames_cost_little) {
  StreamState* stream = incoming(1);
  Bytes frames;
  for (int i = 0; i < 5000; ++i) append(frames, data(0, 1, "b"));
  const std::size_t blocks = Buffer::blocks_in_use();
  const auto start = std::chrono::steady_clock::now();
  std::size_t received = 0;
  while (received < 1024 * 1024) {
    ASSERT_TRUE(feed(frames));
    EXPECT_LE(stream->inbox.size() - stream->inbox_head, 60u) << "small payloads share buffers";
    (void)events();
    received += read_text(*stream).size();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
  EXPECT_EQ(Buffer::blocks_in_use(), blocks);
}

// ---- ends

TEST_F(YamuxSession, an_ended_half_leaves_the_other_open) {
  StreamState* stream = incoming(data(kSyn | kFin, 1, ""));
  EXPECT_TRUE(stream->readable());
  session_.send(*stream, Buffer::copy_of(as_bytes("still")));
  EXPECT_EQ(sent_hex(), "0000000000000001000000057374696c6c");
  EXPECT_TRUE(feed(header(kWindow, 0, 1, 100)));
  EXPECT_EQ(stream->send_window, kInitialWindow - 5 + 100);
}

TEST_F(YamuxSession, the_end_may_come_on_a_window_update) {
  StreamState* stream = incoming(1);
  EXPECT_TRUE(feed(header(kWindow, kFin, 1, 0)));
  EXPECT_TRUE(stream->fin_received);
}

TEST_F(YamuxSession, data_behind_the_end_is_a_violation) {
  (void)incoming(data(kSyn | kFin, 1, "a"));
  expect_violation(data(0, 1, "b"));
}

TEST_F(YamuxSession, a_reset_of_the_peer_drops_what_was_not_read) {
  StreamState* stream = incoming(data(kSyn, 1, "lost"));
  session_.send(*stream, Buffer::copy_of(as_bytes("never leaves")));
  EXPECT_TRUE(feed(header(kWindow, kRst, 1, 0)));
  EXPECT_TRUE(stream->reset);
  EXPECT_EQ(stream->inbox_bytes, 0u);
  EXPECT_EQ(sent_hex(), "");
  EXPECT_TRUE(told(EventKind::readable));
}

TEST_F(YamuxSession, a_reset_may_come_on_a_data_frame_with_a_body) {
  StreamState* stream = incoming(1);
  EXPECT_TRUE(feed(joined({data(kRst, 1, "body"), data(kSyn, 3, "next")})));
  EXPECT_TRUE(stream->reset);
  session_.release(*stream, now_);
  EXPECT_FALSE(session_.dead());
}

TEST_F(YamuxSession, a_stream_that_opens_and_resets_at_once_is_shown_as_reset) {
  StreamState* stream = incoming(header(kWindow, kSyn | kRst, 1, 0));
  ASSERT_NE(stream, nullptr);
  EXPECT_TRUE(stream->reset);
  session_.release(*stream, now_);
  EXPECT_EQ(session_.stream_count(), 0u);
}

TEST_F(YamuxSession, what_was_under_way_to_a_stream_we_reset_is_dropped_in_silence) {
  StreamState* stream = incoming(data(kSyn, 1, "abc"));
  session_.reset(*stream);
  (void)sent();
  EXPECT_TRUE(feed(data(0, 1, "def")));
  session_.release(*stream, now_);
  EXPECT_TRUE(feed(joined({data(0, 1, "ghi"), header(kWindow, 0, 1, 10), header(kWindow, kRst, 1, 0)})));
  EXPECT_EQ(sent_hex(), "") << "no storm of resets";
}

TEST_F(YamuxSession, more_than_its_credit_to_a_gone_stream_is_a_violation) {
  StreamState* stream = incoming(data(kSyn, 1, "abc"));
  session_.reset(*stream);
  session_.release(*stream, now_);
  EXPECT_TRUE(feed(header(kData, 0, 1, kInitialWindow - 3)));
  EXPECT_TRUE(feed(Bytes(kInitialWindow - 3)));
  expect_violation(header(kData, 0, 1, 1));
}

TEST_F(YamuxSession, data_for_a_stream_that_never_was_is_a_violation) {
  expect_violation(header(kData, 0, 1, 0xFFFFFFFF));
}

TEST_F(YamuxSession, data_for_a_stream_of_ours_that_never_was_is_a_violation) {
  expect_violation(header(kData, 0, 2, 1));
}

TEST_F(YamuxSession, credit_for_a_stream_that_never_was_is_ignored) {
  EXPECT_TRUE(feed(joined({header(kWindow, 0, 9, 1), header(kWindow, kRst, 8, 1)})));
  EXPECT_EQ(sent_hex(), "");
}

TEST_F(YamuxSession, a_stream_reset_in_the_middle_of_a_body_takes_the_rest_of_it) {
  StreamState* stream = incoming(1);
  const Bytes frame = data(0, 1, std::string(100, 'x'));
  EXPECT_TRUE(feed(BytesView(frame).first(50)));
  session_.reset(*stream);
  session_.release(*stream, now_);
  EXPECT_TRUE(feed(BytesView(frame).subspan(50)));
  EXPECT_NE(incoming(3), nullptr) << "the frames behind are in step";
}

TEST_F(YamuxSession, a_stream_both_sides_ended_is_gone_when_it_is_released) {
  StreamState* stream = incoming(data(kSyn | kFin, 1, "x"));
  session_.close_write(*stream);
  session_.release(*stream, now_);
  EXPECT_EQ(session_.stream_count(), 0u);
  EXPECT_EQ(sent_hex(), "000000040000000100000000") << "its end still goes out";
}

TEST_F(YamuxSession, a_stream_we_left_lingers_until_the_peer_ends_it) {
  StreamState* stream = incoming(1);
  session_.close_write(*stream);
  session_.release(*stream, now_);
  EXPECT_EQ(session_.stream_count(), 1u);
  EXPECT_TRUE(feed(data(0, 1, "nobody reads this")));
  EXPECT_TRUE(events().empty());
  EXPECT_TRUE(feed(data(kFin, 1, "")));
  EXPECT_EQ(session_.stream_count(), 0u);
}

TEST_F(YamuxSession, a_stream_the_peer_never_ends_is_reset_after_a_while) {
  know_round_trip(1ms);
  StreamState* stream = incoming(1);
  session_.close_write(*stream);
  session_.release(*stream, now_);
  (void)sent();
  for (Duration waited{0}; waited < kLingerTime; waited += 2s) {
    EXPECT_EQ(session_.stream_count(), 1u);
    EXPECT_TRUE(feed(header(kPing, 0, 0, 0)));  // alive
    EXPECT_TRUE(session_.tick(now_));
    (void)sent();
    now_ += 2s;
  }
  EXPECT_TRUE(session_.tick(now_));
  EXPECT_EQ(session_.stream_count(), 0u);
  EXPECT_EQ(sent_hex().substr(0, 24), "000100080000000100000000");
}

TEST_F(YamuxSession, events_of_a_released_stream_are_not_told) {
  EXPECT_TRUE(feed(data(kSyn, 1, "x")));
  StreamState* stream = session_.next_event()->stream;
  session_.reset(*stream);
  session_.release(*stream, now_);
  EXPECT_TRUE(events().empty());
}

// ---- the session

TEST_F(YamuxSession, control_frames_for_a_peer_that_does_not_read_are_bounded) {
  const Bytes ping = header(kPing, kSyn, 0, 1);
  std::size_t taken = 0;
  while (feed(ping) && taken < 100'000) ++taken;
  EXPECT_EQ(taken, kControlLimit / kHeaderSize);
  EXPECT_TRUE(session_.dead());
}

TEST_F(YamuxSession, opening_and_resetting_without_reading_is_bounded_too) {
  std::uint32_t id = 1;
  for (; !session_.dead() && id < 100'000; id += 2) {
    (void)feed(joined({header(kWindow, kSyn, id, 0), header(kWindow, kRst, id, 0)}));
    while (auto event = session_.next_event()) {
      if (event->kind == EventKind::incoming) session_.release(*event->stream, now_);
    }
  }
  EXPECT_LE(id, 2 * kControlLimit / kHeaderSize + 3);
}

TEST_F(YamuxSession, credit_of_our_own_is_never_lost_to_a_full_queue) {
  StreamState* stream = incoming(data(kSyn, 1, std::string(kInitialWindow, 'w')));
  for (std::size_t i = 0; i < kControlLimit / kHeaderSize; ++i) {
    ASSERT_TRUE(feed(header(kPing, kSyn, 0, 1)));
  }
  (void)read_text(*stream);
  EXPECT_NE(sent_hex().find("000100000000000100040000"), std::string::npos);
}

TEST_F(YamuxSession, data_never_passes_the_syn_in_front_of_it) {
  for (std::size_t i = 0; i < kControlLimit / kHeaderSize; ++i) {
    ASSERT_TRUE(feed(header(kPing, kSyn, 0, 1)));
  }
  StreamState* stream = *session_.open();
  session_.flush_syn(*stream);
  session_.send(*stream, Buffer::copy_of(as_bytes("data")));
  const std::string out = sent_hex();
  const auto syn = out.rfind("000100010000000200000000");
  ASSERT_NE(syn, std::string::npos);
  EXPECT_LT(syn, out.rfind("000000000000000200000004"));
}

TEST_F(YamuxSession, an_answer_to_no_ping_of_ours_is_ignored) {
  EXPECT_TRUE(feed(header(kPing, kAck, 0, 77)));
  EXPECT_FALSE(session_.round_trip());
  know_round_trip(30ms);
  EXPECT_EQ(session_.round_trip(), 30ms);
}

TEST_F(YamuxSession, a_peer_that_does_not_answer_is_given_up_in_time) {
  know_round_trip(1ms);
  StreamState* stream = incoming(1);
  const TimePoint start = now_;
  Result<void> alive = success();
  while (alive && now_ - start < 60s) {
    now_ += 2s;
    alive = session_.tick(now_);
  }
  EXPECT_TRUE(!alive && alive.error() == P2pErrc::keep_alive_failed);
  EXPECT_LE(now_ - start, kIdlePing + kPingTimeout + 4s);
  EXPECT_TRUE(stream->reset);
}

TEST_F(YamuxSession, a_peer_is_asked_sooner_when_bytes_of_ours_are_under_way) {
  know_round_trip(1ms);
  StreamState* stream = incoming(1);
  session_.send(*stream, Buffer::copy_of(as_bytes("request")));
  (void)sent();
  now_ += kBusyPing;
  EXPECT_TRUE(session_.tick(now_));
  EXPECT_EQ(sent_hex().substr(0, 16), "0002000100000000");
}

TEST_F(YamuxSession, a_peer_that_sends_is_alive_however_late_its_answer) {
  know_round_trip(1ms);
  for (int i = 0; i < 60; ++i) {
    now_ += 2s;
    EXPECT_TRUE(feed(header(kWindow, 0, 999, 0)));
    EXPECT_TRUE(session_.tick(now_));
    (void)sent();
  }
}

TEST_F(YamuxSession, a_peer_that_goes_away_gets_no_new_streams_and_ends_the_old_ones) {
  StreamState* stream = incoming(1);
  EXPECT_TRUE(feed(header(kGoAway, 0, 0, 0)));
  EXPECT_TRUE(session_.peer_going_away());
  EXPECT_EQ(session_.open().error(), P2pErrc::go_away);
  EXPECT_TRUE(feed(data(kFin, 1, "last words")));
  EXPECT_EQ(read_text(*stream), "last words");
}

TEST_F(YamuxSession, a_broken_channel_resets_all_but_what_had_ended) {
  StreamState* ended = incoming(data(kSyn | kFin, 1, "whole"));
  StreamState* open = incoming(data(kSyn, 3, "half"));
  session_.die(Errc::reset);
  EXPECT_TRUE(told(EventKind::dead));
  EXPECT_FALSE(ended->reset);
  EXPECT_EQ(read_text(*ended), "whole");
  EXPECT_TRUE(open->reset);
  EXPECT_EQ(session_.open().error(), Errc::reset);
  session_.release(*ended, now_);
  session_.release(*open, now_);
  EXPECT_EQ(session_.stream_count(), 0u);
}

TEST_F(YamuxSession, writers_are_told_when_the_queue_has_room_again) {
  StreamState* stream = incoming(header(kWindow, kSyn, 1, 10 * 1024 * 1024));
  while (session_.output_has_room()) session_.send(*stream, Buffer::copy_of(Bytes(kMaxPayload)));
  session_.want_output_room();
  EXPECT_TRUE(events().empty());
  (void)sent();
  EXPECT_TRUE(told(EventKind::room));
}

TEST_F(YamuxSession, chosen_ids_do_not_make_the_table_slow) {
  session_.set_incoming_limit(100'000);
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    ASSERT_TRUE(feed(header(kWindow, kSyn, (i << 16) | 1, 0)));
    (void)events();
    if (i % 1000 == 0) (void)sent();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

// What a session shows of what it received, whatever the chunks it came in.
std::string transcript(BytesView input, std::size_t chunk, std::size_t first_cut) {
  const TimePoint now{std::chrono::hours(1)};
  Session session(Role::server, now, 7);
  std::map<std::uint32_t, std::string> streams;
  const auto look = [&] {
    while (auto event = session.next_event()) {
      if (event->stream == nullptr || event->kind == EventKind::writable) continue;
      std::string& text = streams[event->stream->id];
      // How much of it was read before is a matter of chunks.
      if (event->stream->reset) text = "reset";
      for (;;) {
        const BufferChain got = session.read(*event->stream, now);
        if (got.empty()) break;
        for (const Buffer& buffer : got) text += as_text(buffer.bytes());
      }
    }
  };
  std::size_t done = 0;
  while (done < input.size()) {
    const std::size_t n = std::min(done == 0 && first_cut != 0 ? first_cut : chunk, input.size() - done);
    auto received = session.receive(Buffer::copy_of(input.subspan(done, n)), now);
    done += n;
    look();
    if (!received) break;
  }
  std::string out;
  for (const auto& [id, text] : streams) out += std::to_string(id) + "=" + text + ";";
  while (session.has_output()) {
    for (const Buffer& buffer : session.take_output()) out += to_hex(buffer.bytes());
  }
  return out + (session.dead() ? " dead" : "");
}

TEST_F(YamuxSession, every_chunking_of_a_conversation_says_the_same) {
  const Bytes conversation = joined({header(kWindow, kSyn, 1, 4096),
                                     data(kSyn, 5, "five, before three"),
                                     data(0, 1, "one"),
                                     header(kPing, kSyn, 0, 0xabcdef01),
                                     data(kSyn | kFin, 3, "three"),
                                     data(0, 1, std::string(70, '1')),
                                     header(kWindow, 0, 5, 17),
                                     header(kWindow, kRst, 5, 0x1001),
                                     data(0, 5, "too late"),
                                     header(kGoAway, 0, 0, 0),
                                     data(kFin, 1, " and out"),
                                     data(kSyn, 5, "a violation of it all")});
  const std::string whole = transcript(conversation, conversation.size(), 0);
  EXPECT_NE(whole.find("3=three;"), std::string::npos);
  EXPECT_NE(whole.find(" and out;"), std::string::npos);
  for (std::size_t chunk = 1; chunk < 40; ++chunk) EXPECT_EQ(transcript(conversation, chunk, 0), whole) << chunk;
  for (std::size_t cut = 1; cut < conversation.size(); ++cut) {
    EXPECT_EQ(transcript(conversation, conversation.size(), cut), whole) << cut;
  }
}

}  // namespace
}  // namespace oc::p2p::yamux
