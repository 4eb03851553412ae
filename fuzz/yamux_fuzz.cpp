// A yamux session between a peer that sends anything and a user that does anything. The input says
// which frames come, in which pieces, and what the user does between.
#include "fuzzing.hpp"
#include "p2p/upgrade/yamux_session.hpp"

using namespace oc;
using namespace oc::p2p::yamux;

namespace {

// The user of a session: knows its streams, as YamuxStream does, until it releases them.
class User {
 public:
  explicit User(Role role) : session_(role, now_, 42) {}
  ~User() {
    while (!streams_.empty()) release(0);
    fuzz::require(session_.dead() || session_.stream_count() <= kIncomingLimit + kAckBacklog);
  }

  // False when the peer broke the rules.
  bool receive(BytesView bytes) {
    const bool fine = session_.receive(Buffer::copy_of(bytes), now_).has_value();
    fuzz::require(fine != session_.dead());
    while (auto event = session_.next_event()) {
      if (event->kind == EventKind::incoming) streams_.push_back(event->stream);
      if (event->stream != nullptr && event->kind != EventKind::incoming) {
        fuzz::require(std::ranges::find(streams_, event->stream) != streams_.end() ||
                      event->stream->abandoned);
      }
    }
    check_credit();
    return fine;
  }

  void act(Byte what, Byte amount) {
    perform(what, amount);
    check_credit();
  }

 private:
  void perform(Byte what, Byte amount) {
    if (what % 16 == 0) {
      if (auto opened = session_.open()) streams_.push_back(*opened);
      return;
    }
    if (what % 16 == 1) return take_output();
    if (what % 16 == 2) return pass_time(amount);
    if (streams_.empty()) return;
    const std::size_t at = amount % streams_.size();
    StreamState& stream = *streams_[at];
    switch (what % 16) {
      case 3: session_.flush_syn(stream); break;
      case 4: session_.close_write(stream); break;
      case 5: session_.reset(stream); break;
      case 6: release(at); break;
      case 7: (void)session_.read(stream, now_); break;
      case 8: {
        Bytes into(amount * 100u + 1);
        fuzz::require(session_.read_into(stream, into, now_) <= into.size());
        break;
      }
      default: {
        const std::size_t size = std::min<std::size_t>(stream.send_window, amount * 200u + 1);
        session_.send(stream, Buffer::copy_of(Bytes(size, what)));
      }
    }
  }
  // What the peer may have under way and what waits here is never more than the window.
  void check_credit() const {
    for (const StreamState* stream : streams_) {
      fuzz::require(stream->receive_credit + stream->inbox_bytes <= stream->receive_window);
    }
  }
  void release(std::size_t at) {
    session_.release(*streams_[at], now_);
    streams_.erase(streams_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void take_output() {
    while (session_.has_output()) fuzz::require(!session_.take_output().empty());
  }
  void pass_time(Byte seconds) {
    now_ += std::chrono::seconds(seconds % 70);
    (void)session_.tick(now_);
  }

  TimePoint now_{std::chrono::hours(1)};
  Session session_;
  std::vector<StreamState*> streams_;
};

// A frame that makes sense more often than chance would have it.
Bytes likely_frame(fuzz::Input& input) {
  static constexpr std::uint32_t kLengths[] = {
      0, 1, 12, 255, kInitialWindow, kInitialWindow + 1, 0x7fffffff, 0xffffffff};
  const Byte first = input.byte(), second = input.byte();
  FrameHeader header;
  header.type = static_cast<FrameType>(first % 4);
  header.flags = static_cast<std::uint16_t>(first / 4 % 16);
  header.stream = second % 16;
  const bool is_data = header.type == FrameType::data;
  header.length = is_data && second < 192 ? input.byte() : kLengths[second / 16 % 8];
  Bytes frame(kHeaderSize);
  encode_header(header, frame.data());
  if (is_data) frame.resize(kHeaderSize + std::min<std::uint32_t>(header.length, kInitialWindow));
  return frame;
}

// The header and the first bytes behind it in pieces, then the rest.
bool receive_cut(User& user, BytesView frame, fuzz::Cuts cuts) {
  BytesView front = frame.first(std::min<std::size_t>(frame.size(), 3 * kHeaderSize));
  const BytesView rest = frame.subspan(front.size());
  while (!front.empty()) {
    const std::size_t size = cuts.next(front);
    if (!user.receive(front.first(size))) return false;
    front = front.subspan(size);
  }
  return rest.empty() || user.receive(rest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::size_t blocks = Buffer::blocks_in_use();
  {
    fuzz::Input input(data, size);
    User user(input.byte() % 2 == 0 ? Role::server : Role::client);
    bool fine = true;
    while (fine && !input.empty()) {
      const Byte choice = input.byte();
      if (choice < 96) {
        user.act(choice, input.byte());
      } else if (choice < 192) {
        fine = receive_cut(user, likely_frame(input), fuzz::Cuts(choice));
      } else {
        fine = user.receive(input.bytes(choice - 191u));
      }
    }
  }
  fuzz::require(Buffer::blocks_in_use() == blocks);
  return 0;
}
