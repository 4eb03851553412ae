// Flow control and buffering of a session.
#include "support/yamux_fixture.hpp"

namespace oc::p2p::yamux {
namespace {

using namespace std::chrono_literals;

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

TEST_F(YamuxSession, a_frame_of_which_a_part_is_still_to_come_counts_as_unread) {
  StreamState* stream = incoming(1);
  Bytes begun = header(kData, 0, 1, kInitialWindow);
  begun.resize(begun.size() + 64 * 1024);
  EXPECT_TRUE(feed(begun));
  FixedBytes<1> into;
  EXPECT_EQ(session_.read_into(*stream, into, now_), 1u);
  EXPECT_EQ(sent_hex(), "") << "one byte of the window is free";
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

TEST_F(YamuxSession, sessions_share_a_wider_bound_on_what_is_unread) {
  ReceiveBudget all(1000);
  {
    Session other(Role::server, now_, 8);
    other.receive_budget().move_into(&all);
    session_.receive_budget().move_into(&all);
    ASSERT_TRUE(other.receive(Buffer::copy_of(data(kSyn, 1, std::string(600, 'o'))), now_));
    StreamState* stream = incoming(data(kSyn, 1, std::string(400, 's')));
    ASSERT_TRUE(feed(data(0, 1, "x")));
    EXPECT_TRUE(stream->reset);
    EXPECT_EQ(all.taken(), 600u) << "what the stream had is given back";
    session_.release(*stream, now_);
  }
  EXPECT_EQ(all.taken(), 0u) << "a session that goes gives back what it had";
  StreamState* stream = incoming(data(kSyn, 3, std::string(1000, 's')));
  EXPECT_EQ(all.taken(), 1000u);
  EXPECT_EQ(read_text(*stream).size(), 1000u);
  EXPECT_EQ(all.taken(), 0u);
  session_.receive_budget().move_into(nullptr);
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

}  // namespace
}  // namespace oc::p2p::yamux
