// yamux as a state machine without I/O (libp2p/specs yamux/README.md).
//
//   bytes from the channel ──receive()──▶ Session ──take_events()──▶ readable, writable, incoming,
//   … send(), close_write(), reset(), read() ──▶ Session ──take_output()──▶ frames for the channel
//
// Error contract: receive() fails only when the peer broke the rules; the session is then dead:
// every stream is reset, take_output() still gives a GoAway to send, nothing else does anything.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/buffer.hpp"
#include "base/clock.hpp"
#include "p2p/error.hpp"
#include "p2p/upgrade/receive_budget.hpp"
#include "p2p/upgrade/yamux_frame.hpp"

namespace oc::p2p::yamux {

// Both directions of every stream start with this much credit (spec; must be exact).
inline constexpr std::uint32_t kInitialWindow = 256 * 1024;
// Receive windows double up to this while a stream uses them up within a few round trips.
inline constexpr std::uint32_t kMaxWindow = 16 * 1024 * 1024;
// Bytes received and not yet read by the streams of one session, if its receive_budget() is not
// told otherwise; above, the stream that exceeds it is reset. Also bounds by how much windows may
// grow together.
inline constexpr std::size_t kReceiveBudget = 64 * 1024 * 1024;
// Streams that we opened and the peer has not acknowledged (spec: at most 256).
inline constexpr std::size_t kAckBacklog = 256;
// Streams opened by the peer, if set_incoming_limit() says nothing else.
inline constexpr std::size_t kIncomingLimit = 512;
// Bytes of control frames waiting to be sent; a peer that asks for more (by pings, SYNs) without
// reading is cut.
inline constexpr std::size_t kControlLimit = 64 * 1024;
// Data waiting to be sent; writers wait above it.
inline constexpr std::size_t kOutputHighWater = 512 * 1024;
// A stream that we finished and left while the peer has not ended its half is reset after this.
inline constexpr Duration kLingerTime = std::chrono::seconds(60);
// An unanswered ping older than this means that the peer is gone, when nothing else came either.
inline constexpr Duration kPingTimeout = std::chrono::seconds(6);
// Pings go out when nothing was received for this long: idle, and with bytes of ours under way.
// With a tick a second, a dead peer is noticed within 28 s, and within 10 s under traffic.
inline constexpr Duration kIdlePing = std::chrono::seconds(20);
inline constexpr Duration kBusyPing = std::chrono::seconds(2);
// A ping unanswered for this long is told: whatever it is, other peers may be concerned.
inline constexpr Duration kPingConcern = std::chrono::seconds(1);
// Streams that the peer opened and reset (CVE-2023-44487): at most as many a second as it may have
// open at once, and this many times that in a burst. Above, the session is cut.
inline constexpr double kResetBurst = 4;
// Payload of one data frame at most: the frame then fits one Noise message.
inline constexpr std::size_t kMaxPayload = Buffer::kMaxPayload;

enum class Role { client, server };  // the client opens odd ids

// One stream's state. Owned by the Session; readable by everyone, changed only by the Session.
struct StreamState {
  std::uint32_t id = 0;
  std::uint32_t send_window = kInitialWindow;
  std::uint32_t receive_credit = kInitialWindow;  // what the peer may still send
  std::uint32_t receive_window = kInitialWindow;  // what we let it have at most
  std::vector<Buffer> inbox;                      // received, not read; from inbox_head on
  std::size_t inbox_head = 0;
  std::size_t inbox_bytes = 0;
  TimePoint epoch{};    // when the last credit was granted
  TimePoint left_at{};  // when the user left it lingering
  bool incoming = false;
  bool syn_sent = false;
  bool acked = false;
  bool fin_sent = false;
  bool fin_received = false;
  bool reset = false;
  bool abandoned = false;
  void* user = nullptr;  // the Stream object that shows this stream, if any

  bool readable() const { return inbox_bytes != 0 || fin_received || reset; }
};

// incoming, readable, writable concern one stream; the others the session (stream is null):
// room: take_output() made room again; openable: open() would succeed again; silent: a ping is
// unanswered for kPingConcern; dead: all is over.
enum class EventKind { incoming, readable, writable, room, openable, silent, dead };
struct StreamEvent {
  StreamState* stream;
  EventKind kind;
};

struct SessionCounters {
  std::uint64_t bytes_in = 0, bytes_out = 0, streams_in = 0, streams_out = 0;
  std::uint64_t refused_streams = 0, resets_in = 0;
};

class Session {
 public:
  // `hash_seed` scatters the stream table, so that a peer cannot choose colliding ids.
  Session(Role role, TimePoint now, std::uint64_t hash_seed);

  // Takes bytes of the channel, in any chunking. Large payloads are kept as slices of `bytes`.
  Result<void> receive(Buffer bytes, TimePoint now);

  // The SYN rides on the stream's first frame. P2pErrc::streams_exhausted: no id is left.
  // Errc::closed: leaving().
  // Errc::limit_exceeded: kAckBacklog reached; an `openable` event tells when to try again.
  Result<StreamState*> open();
  // Queues a payload of at most min(kMaxPayload, stream.send_window) bytes as one frame.
  void send(StreamState& stream, Buffer payload);
  // Sends the SYN of a stream that has nothing to say yet.
  void flush_syn(StreamState& stream);
  void close_write(StreamState& stream);
  void reset(StreamState& stream);
  // The user is done with the stream: it is freed, lingers until the peer ends its half, or is
  // reset when we had not ended ours. The pointer is dead afterwards.
  void release(StreamState& stream, TimePoint now);
  // Takes received buffers, and grants the peer new credit as they go. May be empty.
  BufferChain read(StreamState& stream, TimePoint now);
  // Copies received bytes out; 0 when there are none.
  std::size_t read_into(StreamState& stream, MutableBytes into, TimePoint now);

  // The next frames to write, control first, small ones gathered; empty when there is nothing.
  BufferChain take_output();
  bool has_output() const { return !control_.empty() || !output_.empty(); }
  // Writers should wait while this is false; want_output_room() asks for a `room` event.
  bool output_has_room() const { return output_bytes_ < kOutputHighWater; }
  void want_output_room() { room_wanted_ = true; }

  // What happened, one at a time and in order; null when all is told. Events of a released stream
  // are dropped.
  std::optional<StreamEvent> next_event();
  bool has_events() const { return !events_.empty(); }

  // Keep-alive and lingering; call once a second. An error means that the peer is gone. After a
  // call that came later than kPingTimeout, because the machine slept, the peer is asked anew.
  Result<void> tick(TimePoint now);
  // Asks for a sign of life at once, unless one came within kBusyPing or is being waited for.
  void check(TimePoint now);
  // Queues a GoAway behind all data. From then on nothing more is taken from the streams, for it
  // ends them in go-yamux and rust-yamux at once; writers are told by `writable`. Behind the frame
  // itself nothing goes out.
  void go_away();
  bool leaving() const { return leaving_; }
  // The channel broke: resets every stream.
  void die(error_code why);

  void set_incoming_limit(std::size_t limit) { incoming_limit_ = limit; }
  // What was received and not yet read.
  ReceiveBudget& receive_budget() { return budget_; }
  std::optional<Duration> round_trip() const { return round_trip_; }
  std::size_t stream_count() const { return streams_.size(); }
  bool dead() const { return dead_; }
  error_code death() const { return death_; }
  bool peer_going_away() const { return peer_going_away_; }
  const SessionCounters& counters() const { return counters_; }

 private:
  friend struct SessionProbe;  // the unit test's, to come near the last id

  struct IdHash {
    std::uint64_t seed;
    std::size_t operator()(std::uint32_t id) const;
  };

  Result<void> on_header(const FrameHeader& header, TimePoint now);
  Result<void> on_stream_frame(const FrameHeader& header, TimePoint now);
  Result<StreamState*> on_syn(const FrameHeader& header, TimePoint now);
  Result<void> on_ping(const FrameHeader& header, TimePoint now);
  // Streams of ours that the peer has not acknowledged are reset: it may never serve them, and
  // rust-yamux, when it has too many, says nothing but this.
  void on_go_away();
  void deliver(Buffer payload);
  void keep(StreamState& stream, Buffer payload);
  // Queues a control frame of our own doing, of which the streams' number and use bound the number.
  void control(const FrameHeader& header);
  // The same for an answer: Errc::limit_exceeded above kControlLimit, for the peer makes us say it.
  Result<void> reply(const FrameHeader& header);
  // Errc::limit_exceeded: the peer resets its streams faster than anybody would.
  Result<void> count_reset(const StreamState& stream, TimePoint now);
  // Null when nobody was left to be told, and the stream is gone.
  StreamState* aborted_by_peer(StreamState& stream);
  void consumed(StreamState& stream, std::size_t bytes, TimePoint now);
  void end_of_peer(StreamState& stream);
  void drop_inbox(StreamState& stream);
  void drop_output(std::uint32_t id);
  std::uint16_t first_flags(StreamState& stream);
  void acknowledged(StreamState& stream);
  void erase(StreamState& stream);
  void forget_lingering(TimePoint now);
  void ping(TimePoint now);
  void event(StreamState* stream, EventKind kind) { events_.push_back({stream, kind}); }
  bool ours(std::uint32_t id) const { return (id % 2 == 1) == (role_ == Role::client); }

  Role role_;
  std::unordered_map<std::uint32_t, std::unique_ptr<StreamState>, IdHash> streams_;
  std::uint32_t next_id_;
  std::uint32_t highest_incoming_ = 0;
  std::size_t incoming_count_ = 0;
  std::size_t incoming_limit_ = kIncomingLimit;
  std::size_t unacked_ = 0;
  std::size_t window_growth_ = 0;  // by how much all windows together exceed the initial ones
  ReceiveBudget budget_{kReceiveBudget};
  std::uint64_t discard_allowance_ = 0;  // bytes that may still arrive for streams that are gone
  double resets_ = 0;                    // not yet forgotten
  TimePoint resets_counted_;

  // The parser: a header being gathered, then the rest of a data frame's body.
  FixedBytes<kHeaderSize> header_{};
  std::size_t header_have_ = 0;
  std::uint32_t body_left_ = 0;
  StreamState* body_to_ = nullptr;  // null: discard
  bool body_fin_ = false;

  Bytes control_;
  std::deque<Buffer> output_;
  std::size_t output_bytes_ = 0;
  bool room_wanted_ = false;
  bool open_wanted_ = false;
  std::vector<std::uint32_t> lingering_;
  std::deque<StreamEvent> events_;

  TimePoint last_received_;
  bool more_than_pongs_ = false;  // is queued; two idle peers would else ask each other for ever
  bool sent_since_received_ = false;
  bool data_in_ = false;  // data came since a ping was last answered
  std::uint32_t next_ping_ = 0;
  std::optional<std::uint32_t> ping_value_;
  TimePoint ping_sent_{};
  bool concern_told_ = false;  // about this ping
  TimePoint last_tick_;
  std::optional<Duration> round_trip_;
  bool dead_ = false;
  error_code death_;
  bool peer_going_away_ = false;
  bool leaving_ = false;  // go_away() was called
  bool left_ = false;     // and its frame was taken
  SessionCounters counters_;
};

}  // namespace oc::p2p::yamux
