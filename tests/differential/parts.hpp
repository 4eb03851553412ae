// What is compared, each with `count` inputs made from a seed. True when both sides agree but for
// what is meant.
#pragma once

#include "go_side.hpp"

namespace oc::differential {

// The protocols of our table, and those that only go knows.
bool compare_protocols(GoSide& go);
// Multiaddrs: texts to bytes, bytes to texts.
bool compare_multiaddrs(GoSide& go, std::size_t count, std::uint64_t seed);
// Sessions of yamux that get the same bytes.
bool compare_sessions(GoSide& go, std::size_t count, std::uint64_t seed);

}  // namespace oc::differential
