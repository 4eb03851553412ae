// What is known of a rule while it runs: its state and its counters.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tunnel/rule.hpp"

namespace oc::tunnel {

enum class RuleState { up, degraded, down, disabled, expired };
std::string_view to_text(RuleState state);

struct RuleCounters {
  std::uint64_t connections = 0;
  std::uint64_t open = 0;
  std::uint64_t failures = 0;
  std::uint64_t bytes_in = 0;   // from the visitor's (egress) or the network's (ingress) side
  std::uint64_t bytes_out = 0;  // back to it
  std::optional<Duration> connect_time;  // smoothed time from accepting to the far end's answer
};

struct RuleStatus {
  Rule rule;
  RuleState state = RuleState::down;
  std::optional<Fault> reason;  // why it is not up
  RuleCounters counters;
};

}  // namespace oc::tunnel
