// What a session of yamux goes through: frames of its peer and acts of its user, as chance has it.
#pragma once

#include <vector>

#include "dice.hpp"
#include "p2p/upgrade/yamux_frame.hpp"

namespace oc::differential {

// What the user of a stream does to it, beside reading all there is.
enum class Deed : Byte { close_write = 1, reset = 2 };
struct Act {
  std::size_t stream;  // by the order in which the peer opened them
  Deed deed;
};

struct Frame {
  p2p::yamux::FrameHeader header;
  bool well_formed = true;  // false: of another version or type
  Bytes bytes;              // the header's, and the body's
};

// Whole frames arrive, are read, and then acted upon.
struct Round {
  std::vector<Frame> frames;
  std::vector<Act> acts;

  Bytes bytes() const;
};

struct Plan {
  bool client = false;
  std::vector<Round> rounds;

  // As go/yamux.go takes it.
  Bytes encoded() const;
};

Plan session_plan(Dice& dice);

}  // namespace oc::differential
