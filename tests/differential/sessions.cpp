#include <fmt/format.h>

#include <deque>
#include <map>
#include <optional>

#include "comparison.hpp"
#include "p2p/upgrade/yamux_session.hpp"
#include "parts.hpp"
#include "session_plan.hpp"

namespace oc::differential {
namespace {

using namespace p2p::yamux;

// As many bytes as one read of go/yamux.go asks for.
constexpr std::size_t kReadSize = 32 * 1024;

// ---- what a user sees

enum class End : char { open = 'o', fin = 'f', reset = 'r' };

struct Seen {
  std::uint32_t id;
  End end = End::open;
  Bytes data;

  bool operator==(const Seen&) const = default;
};

struct Transcript {
  bool alive = true;
  std::vector<Seen> streams;

  bool operator==(const Transcript&) const = default;
  std::string text() const {
    std::string out = alive ? "alive" : "dead";
    for (const Seen& seen : streams) {
      out +=
          fmt::format("; {}: {} bytes, {}", seen.id, seen.data.size(), static_cast<char>(seen.end));
    }
    return out;
  }
};

Transcript transcript_of(BytesView told) {
  Transcript out;
  out.alive = told[0] == 1;
  for (told = told.subspan(1); !told.empty();) {
    const std::size_t size = get_be32(&told[5]);
    out.streams.push_back(
        {get_be32(told.data()), static_cast<End>(told[4]), to_bytes(told.subspan(9, size))});
    told = told.subspan(9 + size);
  }
  return out;
}

// ---- our side

// A user that reads in the same steps as go's, whose buffer keeps frames apart: credit is granted
// after reads.
class OurSide {
 public:
  OurSide(bool client, Dice& dice)
      : dice_(dice), session_(client ? Role::client : Role::server, now_, 1) {}
  ~OurSide() {
    for (Stream& stream : streams_) release(stream);
  }

  void round(const Round& round) {
    if (!transcript_.alive) return;
    receive(round.bytes());
    for (const Frame& frame : round.frames) expect(frame);
    if (transcript_.alive) accept();
    for (std::size_t i = 0; i < streams_.size(); ++i) read(i);
    if (!transcript_.alive) return;
    for (const Act& act : round.acts) {
      if (act.stream < streams_.size()) perform(act);
    }
  }
  const Transcript& transcript() const { return transcript_; }

 private:
  struct Stream {
    StreamState* state;  // null: left
    std::deque<std::size_t> steps;
  };

  void receive(BytesView bytes) {
    while (!bytes.empty() && transcript_.alive) {
      const std::size_t most = dice_.one_in(4) ? 16 : 100'000;
      const std::size_t size = std::min(1 + dice_.below(most), bytes.size());
      transcript_.alive = session_.receive(Buffer::copy_of(bytes.first(size)), now_).has_value();
      bytes = bytes.subspan(size);
      while (auto event = session_.next_event()) {
        if (event->kind == EventKind::incoming) opened_.push_back(event->stream);
      }
      while (session_.has_output()) (void)session_.take_output();
    }
  }
  void expect(const Frame& frame) {
    if (!frame.well_formed || frame.header.type != FrameType::data) return;
    if (frame.header.has(kSyn)) steps_[frame.header.stream].clear();
    if (frame.header.length != 0) steps_[frame.header.stream].push_back(frame.header.length);
  }
  void accept() {
    for (StreamState* state : opened_) {
      streams_.push_back({state, {}});
      transcript_.streams.push_back({state->id, End::open, {}});
    }
    opened_.clear();
  }

  void read(std::size_t number) {
    Stream& stream = streams_[number];
    Seen& seen = transcript_.streams[number];
    if (stream.state == nullptr || seen.end != End::open) return;
    for (std::size_t left : std::exchange(steps_[seen.id], {})) {
      for (; left > 0; left -= std::min(left, kReadSize)) {
        Bytes into(std::min(left, kReadSize));
        into.resize(session_.read_into(*stream.state, into, now_));
        append(seen.data, into);
      }
    }
    if (stream.state->reset) {
      seen.end = End::reset;
      release(stream);
    } else if (stream.state->fin_received) {
      seen.end = End::fin;
      if (stream.state->fin_sent) release(stream);
    }
  }
  void perform(const Act& act) {
    Stream& stream = streams_[act.stream];
    Seen& seen = transcript_.streams[act.stream];
    if (act.deed == Deed::reset) {
      seen.end = End::reset;
      if (stream.state != nullptr) session_.reset(*stream.state);
      release(stream);
    } else if (stream.state != nullptr) {
      session_.close_write(*stream.state);
      if (seen.end == End::fin) release(stream);
    }
  }
  void release(Stream& stream) {
    if (stream.state != nullptr) session_.release(*std::exchange(stream.state, nullptr), now_);
  }

  Dice& dice_;
  TimePoint now_{std::chrono::hours(1)};
  Session session_;
  std::vector<StreamState*> opened_;  // in this round
  std::vector<Stream> streams_;
  std::map<std::uint32_t, std::deque<std::size_t>> steps_;
  Transcript transcript_;
};

Transcript of_ours(const Plan& plan, Dice& dice) {
  OurSide side(plan.client, dice);
  for (const Round& round : plan.rounds) side.round(round);
  return side.transcript();
}

// ---- what is meant

constexpr const char* kAfterGoAway =
    "a GoAway of the peer ends its streams only with the connection: what is under way arrives";
constexpr const char* kStreamZero = "stream 0 is the session's: frames of streams may not name it";
constexpr const char* kNotOpen =
    "data for a stream that never was, or beyond what an ended one could still have under way, is "
    "a violation; go reads and drops up to 4 GiB";
constexpr const char* kBehindFin =
    "data behind the end of a stream is dropped: go hands it to the user";
constexpr const char* kResetBehindFin =
    "a reset counts even behind the end of the peer's half: bytes not yet read are lost";
constexpr const char* kEndOfBroken =
    "data beyond the window resets the stream: go takes the end that the same frame brings";
constexpr const char* kIdAgain =
    "the id of a stream that the user has not left is taken; go frees it with the last frame";

// Follows a session as far as differences that are meant are concerned.
class Judge {
 public:
  // The first frame that both sides mean to treat differently.
  std::optional<std::string> difference(const Plan& plan) {
    for (const Round& round : plan.rounds) {
      for (const Frame& frame : round.frames) {
        if (!frame.well_formed) return std::nullopt;
        if (auto reason = judge(frame.header)) return reason;
      }
      for (const Act& act : round.acts) perform(act);
    }
    return std::nullopt;
  }

 private:
  struct Stream {
    std::size_t received = 0;
    bool fin_received = false;
    bool fin_sent = false;
    bool over = false;
  };

  std::optional<std::string> judge(const FrameHeader& header) {
    if (header.type == FrameType::go_away) return kAfterGoAway;
    if (header.type == FrameType::ping) return std::nullopt;
    if (header.stream == 0) return kStreamZero;
    const bool is_data = header.type == FrameType::data;
    if (header.has(kSyn)) {
      if (streams_.contains(header.stream) && streams_[header.stream].over) return kIdAgain;
      streams_[header.stream] = {};
      order_.push_back(header.stream);
    }
    const auto found = streams_.find(header.stream);
    if (found == streams_.end() || found->second.over) {
      if (is_data) return kNotOpen;
      const bool ended = found != streams_.end() && found->second.fin_received;
      return ended && header.has(kRst) ? std::optional<std::string>(kResetBehindFin) : std::nullopt;
    }
    Stream& stream = found->second;
    if (is_data && header.length != 0 && stream.fin_received) return kBehindFin;
    if (is_data) stream.received += header.length;
    if (header.has(kFin)) {
      if (is_data && stream.received > kInitialWindow) return kEndOfBroken;
      stream.fin_received = true;
    }
    if (header.has(kRst) && stream.fin_received) return kResetBehindFin;
    if (header.has(kRst) || (stream.fin_received && stream.fin_sent)) stream.over = true;
    return std::nullopt;
  }
  void perform(const Act& act) {
    if (act.stream >= order_.size()) return;
    Stream& stream = streams_[order_[act.stream]];
    if (act.deed == Deed::close_write) stream.fin_sent = true;
    if (act.deed == Deed::reset || stream.fin_received) stream.over = true;
  }

  std::map<std::uint32_t, Stream> streams_;
  std::vector<std::uint32_t> order_;
};

std::string description(const Plan& plan, const Transcript& ours, const Transcript& go) {
  std::string out = plan.client ? "client" : "server";
  for (const Round& round : plan.rounds) {
    out += "\n   ";
    for (const Frame& frame : round.frames) {
      out += ' ' + to_hex(BytesView(frame.bytes).first(kHeaderSize));
    }
    for (const Act& act : round.acts) {
      out += fmt::format(" {}({})", act.deed == Deed::reset ? "reset" : "close", act.stream);
    }
  }
  return out + "\n    ours: " + ours.text() + "\n    go's: " + go.text();
}

}  // namespace

bool compare_sessions(GoSide& go, std::size_t count, std::uint64_t seed) {
  Dice dice(seed);
  Comparison sessions("sessions");
  for (std::size_t i = 0; i < count; ++i) {
    const Plan plan = session_plan(dice);
    const Transcript ours = of_ours(plan, dice);
    const Answer answer = go.ask('Y', plan.encoded());
    if (!answer.taken()) {
      sessions.disagreed("go: " + std::string(as_text(answer.value)));
      continue;
    }
    const Transcript theirs = transcript_of(answer.value);
    if (ours == theirs) {
      sessions.agreed(ours.alive);
    } else if (auto reason = Judge().difference(plan)) {
      sessions.differed_as_meant(*reason);
    } else {
      sessions.disagreed(description(plan, ours, theirs));
    }
  }
  return sessions.report();
}

}  // namespace oc::differential
