#include "session_plan.hpp"

#include <algorithm>

#include "p2p/upgrade/yamux_session.hpp"

namespace oc::differential {
namespace {

using namespace p2p::yamux;

// Of a frame that was changed to ask for more, there is none.
constexpr std::size_t kMaxBody = 2 * kInitialWindow;
// No value that either side waits for: the round trip that it would learn makes windows grow.
constexpr std::uint32_t kForeignPing = 0x8000'0000;

class Peer {
 public:
  Peer(Dice& dice, bool is_client) : dice_(dice), next_(is_client ? 1 : 2) {}

  Frame frame() {
    if (open_.empty() || dice_.one_in(4)) return opening();
    if (dice_.one_in(24)) return odd();
    const std::size_t at = dice_.below(open_.size());
    const std::uint32_t id = open_[at];
    const std::size_t kind = dice_.below(8);
    // What has ended is over, mostly.
    if ((kind == 2 || kind == 3) && !dice_.one_in(8)) {
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    switch (kind) {
      case 0: return made(FrameType::window_update, 0, id, credit());
      case 1: return made(FrameType::ping, dice_.one_in(2) ? kSyn : kAck, 0, number());
      case 2: return made(either(), kFin, id, size());
      case 3: return made(either(), kRst, id, size());
      default: return made(FrameType::data, 0, id, size());
    }
  }

 private:
  Frame opening() {
    const std::uint32_t id = next_;
    next_ += dice_.one_in(8) ? 4 : 2;
    std::uint16_t flags = kSyn;
    if (dice_.one_in(8)) flags |= kFin;
    if (dice_.one_in(16)) flags |= kRst;
    if (flags == kSyn || dice_.one_in(8)) open_.push_back(id);
    return made(either(), flags, id, size());
  }

  // What no peer should send, or few do.
  Frame odd() {
    const std::uint32_t id = open_.empty() ? next_ : dice_.pick(open_);
    switch (dice_.below(9)) {
      case 0: return made(FrameType::data, 0, next_, size());
      case 1: return made(FrameType::data, 0, 0, size());
      case 2: return made(FrameType::go_away, 0, 0, static_cast<std::uint32_t>(dice_.below(4)));
      case 3: return made(FrameType::window_update, kSyn, id + 1, 0);
      case 4: return made(FrameType::window_update, kSyn, id, 0);
      case 5: return made(FrameType::data, kFin | kRst, id, size());
      case 6: return made(FrameType::data, 0xfff2, id, size());
      case 7: return made(FrameType::window_update, 0, next_ + 2, credit());
      default: {
        Frame frame = made(either(), 0, id, size());
        frame.bytes[dice_.below(kHeaderSize)] ^= static_cast<Byte>(1 << dice_.below(8));
        return frame;
      }
    }
  }

  FrameType either() { return dice_.one_in(2) ? FrameType::data : FrameType::window_update; }
  std::uint32_t size() {
    static constexpr std::uint32_t kUsual[] = {0, 1, 2, 5, 100, 1000};
    static constexpr std::uint32_t kLarge[] = {
        20'000, 60'000, 131'071, 131'072, kInitialWindow - 1, kInitialWindow, kInitialWindow + 1};
    return dice_.one_in(12) ? dice_.pick(kLarge) : dice_.pick(kUsual);
  }
  std::uint32_t credit() {
    static constexpr std::uint32_t kCredits[] = {0, 1, kInitialWindow, 0x7fff'ffff, 0xffff'ffff};
    return dice_.pick(kCredits);
  }
  std::uint32_t number() { return static_cast<std::uint32_t>(dice_.below(1 << 30)); }

  Frame made(FrameType type, std::uint16_t flags, std::uint32_t id, std::uint32_t length) {
    Frame frame;
    frame.bytes.resize(kHeaderSize);
    encode_header({type, flags, id, length}, frame.bytes.data());
    if (type == FrameType::data) append(frame.bytes, dice_.bytes(length));
    return frame;
  }

  Dice& dice_;
  std::uint32_t next_;
  std::vector<std::uint32_t> open_;
};

// Makes the frame what its header says, which may have been changed.
void settle(Frame& frame) {
  const auto header = decode_header(frame.bytes.data());
  frame.well_formed = header.has_value();
  if (!header) return;
  frame.header = *header;
  if (header->type == FrameType::ping && !header->has(kSyn)) {
    frame.header.length |= kForeignPing;
    put_be32(&frame.bytes[8], frame.header.length);
  }
  const bool has_body = header->type == FrameType::data;
  frame.bytes.resize(kHeaderSize +
                     (has_body ? std::min<std::size_t>(header->length, kMaxBody) : 0));
}

}  // namespace

Bytes Round::bytes() const {
  Bytes out;
  for (const Frame& frame : frames) append(out, frame.bytes);
  return out;
}

Bytes Plan::encoded() const {
  Bytes out{static_cast<Byte>(client)};
  for (const Round& round : rounds) {
    const Bytes bytes = round.bytes();
    FixedBytes<4> size;
    put_be32(size.data(), static_cast<std::uint32_t>(bytes.size()));
    append(out, size);
    append(out, bytes);
    out.push_back(static_cast<Byte>(round.acts.size()));
    for (const Act& act : round.acts) {
      out.push_back(static_cast<Byte>(act.stream));
      out.push_back(static_cast<Byte>(act.deed));
    }
  }
  return out;
}

Plan session_plan(Dice& dice) {
  Plan plan;
  plan.client = dice.one_in(2);
  Peer peer(dice, !plan.client);
  plan.rounds.resize(1 + dice.below(4));
  for (Round& round : plan.rounds) {
    round.frames.resize(1 + dice.below(10));
    for (Frame& frame : round.frames) {
      frame = peer.frame();
      settle(frame);
    }
    while (dice.one_in(2)) {
      round.acts.push_back({dice.below(8), dice.one_in(3) ? Deed::reset : Deed::close_write});
    }
  }
  return plan;
}

}  // namespace oc::differential
