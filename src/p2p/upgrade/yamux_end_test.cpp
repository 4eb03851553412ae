// How streams and sessions end, and what keeps them alive.
#include "support/yamux_fixture.hpp"

namespace oc::p2p::yamux {
namespace {

using namespace std::chrono_literals;

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

// go-yamux and rust-yamux take it, too: a writer may race with the end in the peer.
TEST_F(YamuxSession, data_behind_the_end_is_dropped) {
  StreamState* stream = incoming(data(kSyn | kFin, 1, "a"));
  EXPECT_TRUE(feed(joined({data(0, 1, "bc"), data(kFin, 1, "d"), data(kSyn, 3, "next")})));
  EXPECT_EQ(stream->receive_credit, kInitialWindow - 4);
  EXPECT_EQ(read_text(*stream), "a");
  EXPECT_TRUE(stream->readable()) << "its end";
  EXPECT_EQ(session_.receive_budget().taken(), 4u) << "of the other stream";
}

TEST_F(YamuxSession, more_than_a_window_behind_the_end_is_a_violation) {
  StreamState* stream = incoming(data(kSyn | kFin, 1, "abc"));
  EXPECT_EQ(read_text(*stream), "abc");
  EXPECT_EQ(sent_hex(), "") << "no more credit";
  EXPECT_TRUE(feed(header(kData, 0, 1, kInitialWindow - 3)));
  EXPECT_TRUE(feed(Bytes(kInitialWindow - 3)));
  expect_violation(header(kData, 0, 1, 1));
}

TEST_F(YamuxSession, data_behind_the_end_of_a_stream_that_is_gone_is_dropped_too) {
  StreamState* stream = incoming(data(kSyn | kFin, 1, "abc"));
  session_.close_write(*stream);
  session_.release(*stream, now_);
  EXPECT_EQ(session_.stream_count(), 0u);
  EXPECT_TRUE(feed(header(kData, 0, 1, kInitialWindow - 3)));
  EXPECT_TRUE(feed(Bytes(kInitialWindow - 3)));
  expect_violation(header(kData, 0, 1, 1));
}

TEST_F(YamuxSession, a_goodbye_of_the_peer_resets_our_streams_that_it_has_not_acknowledged) {
  StreamState* taken = *session_.open();
  StreamState* unanswered = *session_.open();
  StreamState* silent = *session_.open();
  StreamState* theirs = incoming(1);
  session_.send(*taken, Buffer::copy_of(as_bytes("x")));
  session_.send(*unanswered, Buffer::copy_of(as_bytes("y")));
  EXPECT_TRUE(feed(header(kWindow, kAck, taken->id, 0)));
  (void)sent();
  EXPECT_TRUE(feed(header(kGoAway, 0, 0, 2)));
  EXPECT_TRUE(unanswered->reset && silent->reset);
  EXPECT_FALSE(taken->reset || theirs->reset);
  EXPECT_TRUE(told(EventKind::readable));
  EXPECT_EQ(sent_hex(), to_hex(header(kWindow, kRst, unanswered->id, 0)));
  EXPECT_TRUE(feed(data(0, taken->id, "still here")));
  EXPECT_EQ(read_text(*taken), "still here");
}

TEST_F(YamuxSession, a_goodbye_may_carry_a_code_of_libp2p) {
  EXPECT_TRUE(feed(header(kGoAway, 0, 0, 0x1005)));
  EXPECT_TRUE(session_.peer_going_away());
  EXPECT_FALSE(session_.dead());
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

// CVE-2023-44487: each stream would start a task, and end it.
TEST_F(YamuxSession, a_peer_that_opens_and_resets_without_end_is_cut) {
  const auto open_and_reset = [this](std::uint32_t i) {
    const bool taken = feed(header(kWindow, kSyn | kRst, 2 * i + 1, 0)).has_value();
    for (const StreamEvent& event : events()) {
      if (event.kind == EventKind::incoming) session_.release(*event.stream, now_);
    }
    (void)sent();
    return taken;
  };
  const auto burst = static_cast<std::uint32_t>(kResetBurst * kIncomingLimit);
  std::uint32_t next = 0;
  for (; next < burst; ++next) ASSERT_TRUE(open_and_reset(next));
  now_ += 1s;
  for (; next < burst + kIncomingLimit; ++next) ASSERT_TRUE(open_and_reset(next)) << "a second on";
  EXPECT_FALSE(open_and_reset(next));
  EXPECT_TRUE(session_.dead());
}

TEST_F(YamuxSession, resets_of_our_own_streams_are_not_held_against_the_peer) {
  for (std::uint32_t i = 0; i < 3 * kResetBurst * kIncomingLimit; ++i) {
    StreamState* stream = *session_.open();
    session_.flush_syn(*stream);
    ASSERT_TRUE(feed(header(kWindow, kRst, stream->id, 0)));
    session_.release(*stream, now_);
    (void)sent();
  }
}

TEST_F(YamuxSession, what_was_under_way_to_a_stream_we_reset_is_dropped_in_silence) {
  StreamState* stream = incoming(data(kSyn, 1, "abc"));
  session_.reset(*stream);
  (void)sent();
  EXPECT_TRUE(feed(data(0, 1, "def")));
  session_.release(*stream, now_);
  EXPECT_TRUE(
      feed(joined({data(0, 1, "ghi"), header(kWindow, 0, 1, 10), header(kWindow, kRst, 1, 0)})));
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
    now_ += 1s;
    alive = session_.tick(now_);
  }
  EXPECT_TRUE(!alive && alive.error() == P2pErrc::keep_alive_failed);
  EXPECT_LE(now_ - start, 28s);
  EXPECT_TRUE(stream->reset);
}

TEST_F(YamuxSession, a_peer_that_dies_under_traffic_is_given_up_within_10_seconds) {
  know_round_trip(1ms);
  StreamState* stream = incoming(1);
  const TimePoint start = now_;
  Result<void> alive = success();
  for (; alive && now_ - start < 60s; alive = session_.tick(now_)) {
    session_.send(*stream, Buffer::copy_of(as_bytes("more and more")));
    (void)sent();
    now_ += 1s;
  }
  EXPECT_TRUE(!alive && alive.error() == P2pErrc::keep_alive_failed);
  EXPECT_LE(now_ - start, 10s);
}

TEST_F(YamuxSession, a_peer_that_falls_silent_while_it_sends_is_given_up_within_10_seconds) {
  know_round_trip(1ms);
  (void)incoming(data(kSyn, 1, "the beginning"));
  const TimePoint start = now_;
  Result<void> alive = success();
  for (; alive && now_ - start < 60s; alive = session_.tick(now_)) now_ += 1s;
  EXPECT_TRUE(!alive && alive.error() == P2pErrc::keep_alive_failed);
  EXPECT_LE(now_ - start, 10s);
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

TEST_F(YamuxSession, an_answer_to_the_peers_ping_wants_none_itself) {
  know_round_trip(1ms);
  EXPECT_TRUE(feed(header(kPing, kSyn, 0, 7)));
  EXPECT_EQ(sent_hex(), "000200020000000000000007");
  for (Duration waited{1s}; waited < kIdlePing; waited += 1s) {
    now_ += 1s;
    EXPECT_TRUE(session_.tick(now_));
    EXPECT_EQ(sent_hex(), "");
  }
  now_ += 1s;
  EXPECT_TRUE(session_.tick(now_));
  EXPECT_EQ(sent_hex().substr(0, 16), "0002000100000000");
}

TEST_F(YamuxSession, silence_is_told_once_for_a_ping_and_before_the_peer_is_given_up) {
  know_round_trip(1ms);
  now_ += kBusyPing;
  session_.check(now_);
  EXPECT_NE(sent_hex(), "");
  now_ += kPingConcern / 2;
  EXPECT_TRUE(session_.tick(now_));
  EXPECT_FALSE(told(EventKind::silent));
  now_ += kPingConcern / 2;
  EXPECT_TRUE(session_.tick(now_));
  EXPECT_TRUE(told(EventKind::silent));
  now_ += 1s;
  EXPECT_TRUE(session_.tick(now_));
  EXPECT_FALSE(told(EventKind::silent));
}

TEST_F(YamuxSession, a_check_asks_an_idle_peer_at_once_and_not_one_that_has_just_spoken) {
  know_round_trip(1ms);
  session_.check(now_);
  EXPECT_EQ(sent_hex(), "");
  now_ += kBusyPing;
  session_.check(now_);
  EXPECT_EQ(sent_hex().substr(0, 16), "0002000100000000");
  session_.check(now_);
  EXPECT_EQ(sent_hex(), "") << "an answer is being waited for";
}

TEST_F(YamuxSession, after_ten_minutes_of_sleep_a_peer_is_asked_before_it_is_given_up) {
  know_round_trip(1ms);
  StreamState* stream = incoming(1);
  session_.send(*stream, Buffer::copy_of(as_bytes("a question")));
  (void)sent();
  now_ += kBusyPing;
  EXPECT_TRUE(session_.tick(now_)) << "a ping is under way as the machine falls asleep";
  (void)sent();
  now_ += 10min;
  EXPECT_TRUE(session_.tick(now_));
  EXPECT_EQ(sent_hex().substr(0, 16), "0002000100000000") << "asked anew";
  const TimePoint woke = now_;
  Result<void> alive = success();
  while (alive && now_ - woke < 60s) {
    now_ += 1s;
    alive = session_.tick(now_);
  }
  EXPECT_EQ(now_ - woke, kPingTimeout);
}

TEST_F(YamuxSession, a_peer_that_answers_after_the_sleep_is_kept) {
  know_round_trip(1ms);
  now_ += 10min;
  EXPECT_TRUE(session_.tick(now_));
  const Bytes asked = sent();
  now_ += 100ms;
  EXPECT_TRUE(feed(joined({header(kPing, kAck, 0, get_be32(asked.data() + 8))})));
  for (int i = 0; i < 10; ++i) {
    now_ += 1s;
    EXPECT_TRUE(session_.tick(now_));
  }
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
    const std::size_t n =
        std::min(done == 0 && first_cut != 0 ? first_cut : chunk, input.size() - done);
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
  const Bytes conversation =
      joined({header(kWindow, kSyn, 1, 4096), data(kSyn, 5, "five, before three"),
              data(0, 1, "one"), header(kPing, kSyn, 0, 0xabcdef01), data(kSyn | kFin, 3, "three"),
              data(0, 1, std::string(70, '1')), header(kWindow, 0, 5, 17),
              header(kWindow, kRst, 5, 0x1001), data(0, 5, "too late"), header(kGoAway, 0, 0, 0),
              data(kFin, 1, " and out"), data(kSyn, 5, "a violation of it all")});
  const std::string whole = transcript(conversation, conversation.size(), 0);
  EXPECT_NE(whole.find("3=three;"), std::string::npos);
  EXPECT_NE(whole.find(" and out;"), std::string::npos);
  for (std::size_t chunk = 1; chunk < 40; ++chunk)
    EXPECT_EQ(transcript(conversation, chunk, 0), whole) << chunk;
  for (std::size_t cut = 1; cut < conversation.size(); ++cut) {
    EXPECT_EQ(transcript(conversation, conversation.size(), cut), whole) << cut;
  }
}

}  // namespace
}  // namespace oc::p2p::yamux
