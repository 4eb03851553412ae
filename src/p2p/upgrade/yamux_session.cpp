#include "p2p/upgrade/yamux_session.hpp"

#include <algorithm>
#include <limits>

#include "base/assert.hpp"

namespace oc::p2p::yamux {
namespace {

// A payload this small is copied out of its block when it has to wait, so that a few bytes cannot
// pin 64 KiB; at most a quarter of a block is then wasted.
constexpr std::size_t kCopyBelow = Buffer::kBlockSize / 4;
constexpr std::size_t kSmallestCopy = 512;
// Frames up to this size are gathered into one buffer of at most kGatherSize before encryption.
constexpr std::size_t kGatherBelow = 1024;
constexpr std::size_t kGatherSize = 4096;
// The last usable stream ids: a 32-bit id must not wrap.
constexpr std::uint32_t kLastId = std::numeric_limits<std::uint32_t>::max() - 1;

std::uint32_t frame_stream(const Buffer& frame) { return get_be32(frame.data() + 4); }

}  // namespace

std::size_t Session::IdHash::operator()(std::uint32_t id) const {
  std::uint64_t z = (id + seed) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 32)) * 0xbf58476d1ce4e5b9;
  return z ^ (z >> 29);
}

Session::Session(Role role, TimePoint now, std::uint64_t hash_seed)
    : role_(role),
      streams_(16, IdHash{hash_seed}),
      next_id_(role == Role::client ? 1 : 2),
      resets_counted_(now),
      last_received_(now),
      last_tick_(now) {}

Result<void> Session::receive(Buffer bytes, TimePoint now) {
  if (dead_) return death_;
  last_received_ = now;
  sent_since_received_ = false;
  counters_.bytes_in += bytes.size();
  while (!bytes.empty()) {
    if (body_left_ != 0) {
      const std::size_t n = std::min<std::size_t>(body_left_, bytes.size());
      deliver(bytes.split_front(n));
      body_left_ -= static_cast<std::uint32_t>(n);
      if (body_left_ == 0 && body_fin_ && body_to_ != nullptr) end_of_peer(*body_to_);
      continue;
    }
    const std::size_t n = std::min(kHeaderSize - header_have_, bytes.size());
    std::memcpy(header_.data() + header_have_, bytes.data(), n);
    bytes.trim_front(n);
    header_have_ += n;
    if (header_have_ < kHeaderSize) break;
    header_have_ = 0;
    auto header = decode_header(header_.data());
    Result<void> handled = header ? on_header(*header, now) : Result<void>(header.error());
    if (!handled) {
      control({FrameType::go_away, 0, 0, static_cast<std::uint32_t>(GoAwayReason::protocol_error)});
      die(P2pErrc::yamux_violation);
      return P2pErrc::yamux_violation;
    }
  }
  return success();
}

Result<void> Session::on_header(const FrameHeader& header, TimePoint now) {
  switch (header.type) {
    case FrameType::data:
    case FrameType::window_update: return on_stream_frame(header, now);
    case FrameType::ping: return on_ping(header, now);
    case FrameType::go_away: on_go_away(); return success();
  }
  return Errc::protocol_violation;
}

Result<void> Session::on_stream_frame(const FrameHeader& header, TimePoint now) {
  if (header.stream == 0) return Errc::protocol_violation;
  const bool is_data = header.type == FrameType::data;
  StreamState* stream = nullptr;
  if (header.has(kSyn)) {
    TRY(stream, on_syn(header, now));
  } else if (auto found = streams_.find(header.stream); found != streams_.end()) {
    stream = found->second.get();
  } else {
    const bool known =
        ours(header.stream) ? header.stream < next_id_ : header.stream <= highest_incoming_;
    if (!known && is_data) return Errc::protocol_violation;
  }
  if (stream != nullptr && !stream->reset) {
    if (header.has(kAck)) acknowledged(*stream);
    if (header.has(kRst)) {
      CHECK(count_reset(*stream, now));
      stream = aborted_by_peer(*stream);
    }
  }
  if (stream == nullptr || stream->reset) {
    // A stream that is over here: its last frames may still be under way, but no more than that.
    if (!is_data) return success();
    if (stream != nullptr) {
      if (header.length > stream->receive_credit) return Errc::protocol_violation;
      stream->receive_credit -= header.length;
    } else {
      if (header.length > discard_allowance_) return Errc::protocol_violation;
      discard_allowance_ -= header.length;
    }
    body_left_ = header.length;
    body_to_ = nullptr;
    return success();
  }
  if (!is_data) {
    const std::uint32_t room = std::numeric_limits<std::uint32_t>::max() - stream->send_window;
    stream->send_window += std::min(room, header.length);
    if (header.length != 0) event(stream, EventKind::writable);
    if (header.has(kFin)) end_of_peer(*stream);
    return success();
  }
  data_in_ = data_in_ || header.length != 0;
  if (header.length > stream->receive_credit) return Errc::protocol_violation;
  stream->receive_credit -= header.length;
  body_left_ = header.length;
  // Behind its end a stream has nothing to say: a writer of the peer that came too late.
  body_to_ = stream->fin_received ? nullptr : stream;
  body_fin_ = header.has(kFin);
  if (header.length == 0 && body_fin_) end_of_peer(*stream);
  return success();
}

Result<StreamState*> Session::on_syn(const FrameHeader& header, TimePoint now) {
  // Ids need not come in order: a SYN rides on the first frame, and who opened first may write
  // last.
  if (ours(header.stream) || streams_.contains(header.stream)) return Errc::protocol_violation;
  highest_incoming_ = std::max(highest_incoming_, header.stream);
  if (header.type == FrameType::data && header.length > kInitialWindow)
    return Errc::protocol_violation;
  if (incoming_count_ >= incoming_limit_) {
    ++counters_.refused_streams;
    discard_allowance_ += kInitialWindow;
    CHECK(reply({FrameType::window_update, kRst, header.stream, 0}));
    return static_cast<StreamState*>(nullptr);
  }
  auto made = std::make_unique<StreamState>();
  StreamState* stream = made.get();
  stream->id = header.stream;
  stream->incoming = true;
  stream->syn_sent = true;
  stream->acked = true;
  stream->epoch = now;
  streams_.emplace(stream->id, std::move(made));
  ++incoming_count_;
  ++counters_.streams_in;
  CHECK(reply({FrameType::window_update, kAck, stream->id, 0}));
  event(stream, EventKind::incoming);
  return stream;
}

Result<void> Session::on_ping(const FrameHeader& header, TimePoint now) {
  if (header.has(kSyn)) {
    const bool more = more_than_pongs_;
    CHECK(reply({FrameType::ping, kAck, 0, header.length}));
    more_than_pongs_ = more;
    return success();
  }
  if (header.has(kAck) && ping_value_ == header.length) {
    ping_value_.reset();
    data_in_ = false;
    round_trip_ = now - ping_sent_;
  }
  return success();
}

void Session::on_go_away() {
  peer_going_away_ = true;
  for (auto& [id, stream] : streams_) {
    if (stream->acked || stream->reset || stream->abandoned) continue;
    reset(*stream);
    event(stream.get(), EventKind::readable);
    event(stream.get(), EventKind::writable);
  }
  event(nullptr, EventKind::dead);
}

Result<void> Session::count_reset(const StreamState& stream, TimePoint now) {
  if (!stream.incoming) return success();
  const auto limit = static_cast<double>(incoming_limit_);
  const double forgotten = std::chrono::duration<double>(now - resets_counted_).count() * limit;
  resets_ = std::max(0.0, resets_ - forgotten) + 1;
  resets_counted_ = now;
  if (resets_ > kResetBurst * limit) return Errc::limit_exceeded;
  return success();
}

StreamState* Session::aborted_by_peer(StreamState& stream) {
  ++counters_.resets_in;
  stream.reset = true;
  drop_inbox(stream);
  drop_output(stream.id);
  if (stream.abandoned) {
    erase(stream);
    return nullptr;
  }
  event(&stream, EventKind::readable);
  event(&stream, EventKind::writable);
  return &stream;
}

void Session::acknowledged(StreamState& stream) {
  if (stream.incoming || stream.acked) return;
  stream.acked = true;
  --unacked_;
  if (std::exchange(open_wanted_, false)) event(nullptr, EventKind::openable);
}

void Session::end_of_peer(StreamState& stream) {
  if (stream.fin_received || stream.reset) return;
  stream.fin_received = true;
  if (stream.abandoned) {
    erase(stream);
  } else {
    event(&stream, EventKind::readable);
  }
}

void Session::deliver(Buffer payload) {
  if (body_to_ == nullptr || body_to_->abandoned || body_to_->reset) return;
  StreamState& stream = *body_to_;
  if (!budget_.take(payload.size())) {
    reset(stream);
    event(&stream, EventKind::readable);
    event(&stream, EventKind::writable);
    body_to_ = nullptr;
    return;
  }
  keep(stream, std::move(payload));
  event(&stream, EventKind::readable);
}

void Session::keep(StreamState& stream, Buffer payload) {
  const std::size_t size = payload.size();
  stream.inbox_bytes += size;
  if (size >= kCopyBelow) {
    stream.inbox.push_back(std::move(payload));
    return;
  }
  const bool has_last = stream.inbox.size() > stream.inbox_head;
  if (has_last) {
    Buffer& last = stream.inbox.back();
    if (last.size() < kCopyBelow && last.can_append(size + Buffer::kTailroom)) {
      last.append(payload.bytes());
      return;
    }
  }
  // Grows with the backlog, so that a flood of tiny frames costs no allocation each.
  const std::size_t wanted = has_last ? std::max(kSmallestCopy, stream.inbox.back().size() * 2) : 0;
  Buffer copy = Buffer::with_capacity(std::max(size, std::min(wanted, kCopyBelow)));
  copy.append(payload.bytes());
  stream.inbox.push_back(std::move(copy));
}

Result<StreamState*> Session::open() {
  if (dead_) return death_;
  if (peer_going_away_) return P2pErrc::go_away;
  if (leaving_) return Errc::closed;
  if (next_id_ >= kLastId) return P2pErrc::streams_exhausted;
  if (unacked_ >= kAckBacklog) {
    open_wanted_ = true;
    return Errc::limit_exceeded;
  }
  auto made = std::make_unique<StreamState>();
  StreamState* stream = made.get();
  stream->id = next_id_;
  next_id_ += 2;
  ++unacked_;
  ++counters_.streams_out;
  streams_.emplace(stream->id, std::move(made));
  return stream;
}

std::uint16_t Session::first_flags(StreamState& stream) {
  if (stream.syn_sent) return 0;
  stream.syn_sent = true;
  return kSyn;
}

void Session::send(StreamState& stream, Buffer payload) {
  if (dead_ || leaving_ || stream.reset || stream.fin_sent) return;
  const auto size = static_cast<std::uint32_t>(payload.size());
  ASSERT(size <= stream.send_window && size <= kMaxPayload);
  stream.send_window -= size;
  if (!payload.can_prepend(Buffer::kHeadroom) || payload.tailroom() < Buffer::kTailroom) {
    payload = Buffer::copy_of(payload.bytes());
  }
  encode_header({FrameType::data, first_flags(stream), stream.id, size},
                payload.prepend(kHeaderSize));
  output_bytes_ += payload.size();
  more_than_pongs_ = true;
  output_.push_back(std::move(payload));
}

void Session::flush_syn(StreamState& stream) {
  if (dead_ || leaving_ || stream.syn_sent || stream.reset) return;
  control({FrameType::window_update, first_flags(stream), stream.id, 0});
}

void Session::close_write(StreamState& stream) {
  if (dead_ || leaving_ || stream.reset || stream.fin_sent) return;
  stream.fin_sent = true;
  // A frame of its own: js-libp2p resets a stream whose FIN comes with data behind a protocol that
  // it has not agreed to yet.
  Buffer frame = Buffer::with_capacity(kHeaderSize);
  frame.extend(kHeaderSize);
  const auto flags = static_cast<std::uint16_t>(kFin | first_flags(stream));
  encode_header({FrameType::data, flags, stream.id, 0}, frame.data());
  output_bytes_ += frame.size();
  more_than_pongs_ = true;
  output_.push_back(std::move(frame));
}

void Session::reset(StreamState& stream) {
  if (stream.reset) return;
  stream.reset = true;
  drop_inbox(stream);
  if (dead_ || !stream.syn_sent) return;
  drop_output(stream.id);
  control({FrameType::window_update, kRst, stream.id, 0});
}

void Session::release(StreamState& stream, TimePoint now) {
  stream.user = nullptr;
  if (!dead_ && !stream.reset && stream.fin_sent && !stream.fin_received) {
    drop_inbox(stream);
    stream.abandoned = true;
    stream.left_at = now;
    lingering_.push_back(stream.id);
    return;
  }
  if (!stream.fin_sent) reset(stream);
  erase(stream);
}

void Session::erase(StreamState& stream) {
  drop_inbox(stream);
  if (body_to_ == &stream) body_to_ = nullptr;
  if (stream.incoming) {
    --incoming_count_;
  } else {
    acknowledged(stream);
  }
  discard_allowance_ += stream.receive_credit;
  window_growth_ -= stream.receive_window - kInitialWindow;
  std::erase_if(events_, [&stream](const StreamEvent& e) { return e.stream == &stream; });
  streams_.erase(stream.id);
}

void Session::drop_inbox(StreamState& stream) {
  budget_.give_back(stream.inbox_bytes);
  stream.inbox_bytes = 0;
  stream.inbox.clear();
  stream.inbox_head = 0;
}

void Session::drop_output(std::uint32_t id) {
  std::erase_if(output_, [this, id](const Buffer& frame) {
    if (frame_stream(frame) != id) return false;
    output_bytes_ -= frame.size();
    return true;
  });
}

BufferChain Session::read(StreamState& stream, TimePoint now) {
  BufferChain chain;
  while (!chain.full() && stream.inbox_head < stream.inbox.size()) {
    chain.push(std::move(stream.inbox[stream.inbox_head++]));
  }
  if (stream.inbox_head == stream.inbox.size()) {
    stream.inbox.clear();
    stream.inbox_head = 0;
  }
  consumed(stream, chain.bytes(), now);
  return chain;
}

std::size_t Session::read_into(StreamState& stream, MutableBytes into, TimePoint now) {
  std::size_t done = 0;
  while (done < into.size() && stream.inbox_head < stream.inbox.size()) {
    Buffer& front = stream.inbox[stream.inbox_head];
    const std::size_t n = std::min(front.size(), into.size() - done);
    std::memcpy(into.data() + done, front.data(), n);
    front.trim_front(n);
    done += n;
    if (front.empty()) {
      front = Buffer();
      ++stream.inbox_head;
    }
  }
  if (stream.inbox_head == stream.inbox.size()) {
    stream.inbox.clear();
    stream.inbox_head = 0;
  }
  consumed(stream, done, now);
  return done;
}

void Session::consumed(StreamState& stream, std::size_t bytes, TimePoint now) {
  stream.inbox_bytes -= bytes;
  budget_.give_back(bytes);
  if (bytes == 0 || dead_ || stream.reset || stream.fin_received) return;
  // What the peer may still send, what is to come of its frame under way, and what waits here.
  const std::uint32_t coming = body_to_ == &stream ? body_left_ : 0;
  const std::uint32_t held =
      stream.receive_credit + coming + static_cast<std::uint32_t>(stream.inbox_bytes);
  std::uint32_t grant = stream.receive_window - std::min(stream.receive_window, held);
  if (grant < stream.receive_window / 2) return;
  const std::uint32_t growth = std::min(stream.receive_window, kMaxWindow - stream.receive_window);
  const bool fast = round_trip_ && now - stream.epoch < *round_trip_ * 4;
  if (fast && growth != 0 && window_growth_ + growth <= budget_.most()) {
    stream.receive_window += growth;
    window_growth_ += growth;
    grant += growth;
  }
  stream.epoch = now;
  stream.receive_credit += grant;
  control({FrameType::window_update, 0, stream.id, grant});
}

void Session::control(const FrameHeader& header) {
  if (left_) return;
  more_than_pongs_ = true;
  const std::size_t at = control_.size();
  control_.resize(at + kHeaderSize);
  encode_header(header, control_.data() + at);
}

Result<void> Session::reply(const FrameHeader& header) {
  if (control_.size() + kHeaderSize > kControlLimit) return Errc::limit_exceeded;
  control(header);
  return success();
}

BufferChain Session::take_output() {
  BufferChain chain;
  // Control frames, and the small data frames behind them, travel in one buffer.
  Buffer gathered;
  const auto small = [this] { return !output_.empty() && output_.front().size() <= kGatherBelow; };
  if (!control_.empty() || (small() && output_.size() > 1)) {
    gathered = Buffer::with_capacity(std::max(kGatherSize, std::min(control_.size(), kMaxPayload)));
    const std::size_t n = std::min(control_.size(), kMaxPayload - kMaxPayload % kHeaderSize);
    gathered.append(BytesView(control_).first(n));
    control_.erase(control_.begin(), control_.begin() + static_cast<std::ptrdiff_t>(n));
    while (control_.empty() && small() && gathered.size() + output_.front().size() <= kGatherSize) {
      gathered.append(output_.front().bytes());
      output_bytes_ -= output_.front().size();
      output_.pop_front();
    }
    chain.push(std::move(gathered));
  }
  // A stream's SYN may be among the control frames that are left: no data passes them.
  while (control_.empty() && !chain.full() && !output_.empty()) {
    output_bytes_ -= output_.front().size();
    chain.push(std::move(output_.front()));
    output_.pop_front();
  }
  if (!chain.empty()) {
    sent_since_received_ = sent_since_received_ || more_than_pongs_;
    if (!has_output()) more_than_pongs_ = false;
    counters_.bytes_out += chain.bytes();
  }
  left_ = leaving_ && !has_output();
  if (output_has_room() && std::exchange(room_wanted_, false)) event(nullptr, EventKind::room);
  return chain;
}

std::optional<StreamEvent> Session::next_event() {
  if (events_.empty()) return std::nullopt;
  const StreamEvent event = events_.front();
  events_.pop_front();
  return event;
}

void Session::forget_lingering(TimePoint now) {
  for (std::size_t i = 0; i < lingering_.size();) {
    auto found = streams_.find(lingering_[i]);
    const bool gone = found == streams_.end() || !found->second->abandoned;
    if (!gone && now - found->second->left_at < kLingerTime) {
      ++i;
      continue;
    }
    if (!gone) {
      reset(*found->second);
      erase(*found->second);
    }
    lingering_[i] = lingering_.back();
    lingering_.pop_back();
  }
}

void Session::ping(TimePoint now) {
  if (left_) return;
  ping_value_ = ++next_ping_;
  ping_sent_ = now;
  concern_told_ = false;
  control({FrameType::ping, kSyn, 0, *ping_value_});
}

void Session::check(TimePoint now) {
  if (!dead_ && !ping_value_ && now - last_received_ >= kBusyPing) ping(now);
}

Result<void> Session::tick(TimePoint now) {
  if (dead_) return death_;
  forget_lingering(now);
  const bool slept = now - std::exchange(last_tick_, now) > kPingTimeout;
  if (ping_value_ && last_received_ > ping_sent_) ping_value_.reset();  // alive, if slow to answer
  if (slept) {
    // What the peer said meanwhile may not have been read yet, and it may have given us up.
    ping(now);
    return success();
  }
  if (ping_value_) {
    const Duration unanswered = now - ping_sent_;
    if (unanswered >= kPingConcern && !std::exchange(concern_told_, true))
      event(nullptr, EventKind::silent);
    if (unanswered < kPingTimeout) return success();
    die(P2pErrc::keep_alive_failed);
    return P2pErrc::keep_alive_failed;
  }
  const Duration quiet = now - last_received_;
  if (!round_trip_ || quiet >= kIdlePing ||
      ((sent_since_received_ || data_in_) && quiet >= kBusyPing)) {
    ping(now);
  }
  return success();
}

void Session::go_away() {
  if (dead_ || std::exchange(leaving_, true)) return;
  // Behind the data: it ends the peer's streams at once.
  Buffer frame = Buffer::with_capacity(kHeaderSize);
  frame.extend(kHeaderSize);
  const auto reason = static_cast<std::uint32_t>(GoAwayReason::normal);
  encode_header({FrameType::go_away, 0, 0, reason}, frame.data());
  output_bytes_ += frame.size();
  more_than_pongs_ = true;
  output_.push_back(std::move(frame));
  for (auto& [id, stream] : streams_) {
    if (!stream->abandoned) event(stream.get(), EventKind::writable);
  }
}

void Session::die(error_code why) {
  if (dead_) return;
  dead_ = true;
  death_ = why;
  output_.clear();
  output_bytes_ = 0;
  for (auto& [id, stream] : streams_) {
    if (!stream->fin_received) {
      stream->reset = true;
      drop_inbox(*stream);
    }
    if (stream->abandoned) continue;
    event(stream.get(), EventKind::readable);
    event(stream.get(), EventKind::writable);
  }
  event(nullptr, EventKind::dead);
}

}  // namespace oc::p2p::yamux
