// The frames of a session as they go over the wire, and how streams open.
#include "support/yamux_fixture.hpp"

namespace oc::p2p::yamux {
namespace {

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

TEST_F(YamuxSession, the_end_is_a_frame_of_its_own_and_goes_once) {
  StreamState* stream = incoming(1);
  session_.send(*stream, Buffer::copy_of(as_bytes("a")));
  session_.close_write(*stream);
  session_.close_write(*stream);
  EXPECT_EQ(sent_hex(), "00000000000000010000000161000000040000000100000000");
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

TEST_F(YamuxSession, nothing_goes_behind_a_goodbye) {
  StreamState* stream = incoming(1);
  session_.go_away();
  session_.send(*stream, Buffer::copy_of(as_bytes("x")));
  session_.close_write(*stream);
  EXPECT_EQ(session_.open().error(), Errc::closed);
  EXPECT_TRUE(told(EventKind::writable)) << "a writer that waits has to know";
  EXPECT_TRUE(feed(header(kPing, kSyn, 0, 7)));
  EXPECT_EQ(sent_hex(),
            "000200020000000000000007"
            "000300000000000000000000");
  EXPECT_TRUE(feed(joined({header(kPing, kSyn, 0, 8), header(kWindow, kSyn, 3, 0)})));
  session_.reset(*stream);
  EXPECT_EQ(sent_hex(), "");
  EXPECT_FALSE(session_.dead());
}

TEST_F(YamuxSession, an_acknowledgement_may_come_on_data) {
  std::vector<StreamState*> streams;
  for (std::size_t i = 0; i < kAckBacklog; ++i) {
    streams.push_back(*session_.open());
    session_.send(*streams.back(), Buffer::copy_of(as_bytes("x")));
  }
  EXPECT_EQ(session_.open().error(), Errc::limit_exceeded);
  EXPECT_TRUE(feed(data(kAck, streams[0]->id, "y")));
  EXPECT_TRUE(told(EventKind::openable));
  EXPECT_EQ(read_text(*streams[0]), "y");
  EXPECT_TRUE(session_.open());
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

TEST_F(YamuxSession, an_id_of_the_wrong_parity_is_a_violation) {
  expect_violation(header(kWindow, kSyn, 2, 0));
}
TEST_F(YamuxSession, id_zero_is_no_stream) { expect_violation(header(kData, kSyn, 0, 0)); }
TEST_F(YamuxSession, another_version_is_a_violation) {
  expect_violation(hex("010100010000000100000000"));
}
TEST_F(YamuxSession, an_unknown_type_is_a_violation) {
  expect_violation(hex("000400000000000000000000"));
}
TEST_F(YamuxSession, unknown_flags_are_ignored) {
  EXPECT_NE(incoming(hex("0001fff10000000100000000")), nullptr);
}

TEST_F(YamuxSession, more_streams_than_the_limit_are_refused_one_by_one) {
  session_.set_incoming_limit(2);
  (void)incoming(1);
  StreamState* second = incoming(3);
  EXPECT_TRUE(feed(data(kSyn, 5, "no room")));
  EXPECT_EQ(sent_hex(), "000100080000000500000000");
  EXPECT_TRUE(feed(joined({data(0, 5, "more"), data(kFin, 5, "")})))
      << "it may have been under way";
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
  for (const std::uint32_t id : {0xFFFFFFF9u, 0xFFFFFFFBu, 0xFFFFFFFDu})
    EXPECT_EQ((*client.open())->id, id);
  EXPECT_EQ(client.open().error(), P2pErrc::streams_exhausted);
  EXPECT_EQ(client.open().error(), P2pErrc::streams_exhausted);
}

TEST_F(YamuxSession, an_acknowledgement_for_a_stream_of_the_peer_or_of_nobody_is_ignored) {
  (void)incoming(1);
  EXPECT_TRUE(feed(joined({header(kWindow, kAck, 1, 0), header(kWindow, kAck, 400, 0)})));
}

}  // namespace
}  // namespace oc::p2p::yamux
