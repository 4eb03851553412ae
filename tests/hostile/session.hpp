// yamux by hand: frames of any kind go out, and what comes back is counted.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "channel.hpp"
#include "p2p/upgrade/yamux_frame.hpp"

namespace oc::hostile {

using Json = nlohmann::ordered_json;
using p2p::yamux::FrameType;
using p2p::yamux::kAck;
using p2p::yamux::kFin;
using p2p::yamux::kRst;
using p2p::yamux::kSyn;

inline constexpr std::uint32_t kWindow = 256 * 1024;  // every stream's first, in both directions

Bytes frame(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length);
Bytes data_frame(std::uint16_t flags, std::uint32_t stream, BytesView body);
// Header and proposal of multistream, as a dialer sends them on a new stream.
Bytes proposal(std::string_view protocol);

// What the node sent so far.
struct Seen {
  std::uint64_t bytes = 0, frames = 0, acks = 0, resets = 0, pings = 0, pongs = 0, updates = 0;
  std::uint64_t credit = 0;              // that it granted in all
  std::optional<std::uint32_t> go_away;  // its reason
  End end = End::open;
  std::optional<TimePoint> ended;
  std::map<std::uint32_t, Bytes> data;  // by stream; of each at most kMostKept
  std::set<std::uint32_t> finished;     // streams that it ended
  std::set<std::uint32_t> reset;        // streams that it reset: the first kMostNoted of them
  std::set<std::uint32_t> opened;       // streams that it opened

  static constexpr std::size_t kMostKept = 1024 * 1024;
  static constexpr std::size_t kMostNoted = 100'000;
};

class Session {
 public:
  explicit Session(std::unique_ptr<Channel> channel) : channel_(std::move(channel)) {}

  // Sends frames as they are; false when the node is gone or does not take them in time.
  bool send(BytesView frames, Duration patience = kPatience);
  // Opens a stream with a proposal and what follows it; its id.
  std::uint32_t open(std::string_view protocol, BytesView more = {}, std::uint16_t flags = 0);

  // Reads what the node sends, for so long or until `enough`; whether it was enough. Pings of the
  // node are answered, and credit is granted for what comes.
  bool watch(Duration time, const std::function<bool()>& enough = [] { return false; });
  // Waits for so many bytes on a stream in all, its multistream answer included.
  bool wait_data(std::uint32_t stream, std::size_t size, Duration time = kPatience);
  // Waits for the node to cut the connection.
  bool wait_cut(Duration time) {
    return watch(time, [this] { return seen_.end != End::open; });
  }

  // Bytes that may be sent on a stream that was opened with open(), by the node's grants so far.
  std::size_t may_send(std::uint32_t stream) const;
  // The same as data_frame(), counted.
  bool send_data(std::uint32_t stream, BytesView body, Duration patience = kPatience);

  const Seen& seen() const { return seen_; }
  BytesView data(std::uint32_t stream) { return seen_.data[stream]; }
  Channel& channel() { return *channel_; }
  bool alive() const { return seen_.end == End::open; }
  std::uint32_t next_stream() { return std::exchange(next_stream_, next_stream_ + 2); }
  void answer_nothing() { answers_ = false; }
  // Whatever is said of the end is counted from here on.
  void mark() { began_ = now(); }
  Json report() const;

 private:
  void take(BytesView bytes);
  void on_frame(const p2p::yamux::FrameHeader& header, BytesView body);
  void on_data(const p2p::yamux::FrameHeader& header, BytesView body);

  std::unique_ptr<Channel> channel_;
  TimePoint began_ = now();
  std::uint32_t next_stream_ = 1;
  bool answers_ = true;
  Bytes pending_;                                 // received, not a whole frame yet
  Bytes replies_;                                 // to be sent
  std::map<std::uint32_t, std::uint32_t> owed_;   // credit that is not granted yet
  std::map<std::uint32_t, std::uint64_t> spent_;  // bytes sent, by stream
  std::map<std::uint32_t, std::uint64_t> given_;  // credit the node gave beyond the first window
  Seen seen_;
};

}  // namespace oc::hostile
