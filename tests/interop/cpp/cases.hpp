// The cases of ../README.md.
#pragma once

#include <map>
#include <string>

#include "dialer.hpp"

namespace oc::interop {

// What a case prints, or which of its demands was not met.
using CaseResult = awaitable<Verdict<Json>>;

struct Case {
  std::map<std::string, double> options;  // with what counts when they are not given
  CaseResult (*run)(Dialer& dialer);
  // After printing, all connections are held until standard input ends.
  bool holds = false;
};

CaseResult ping_case(Dialer& dialer);
CaseResult identify_case(Dialer& dialer);
CaseResult push_case(Dialer& dialer);
CaseResult echo_case(Dialer& dialer);
CaseResult half_close_case(Dialer& dialer);
CaseResult reset_case(Dialer& dialer);
CaseResult streams_case(Dialer& dialer);
CaseResult perf_case(Dialer& dialer);
CaseResult connects_case(Dialer& dialer);
CaseResult rate_case(Dialer& dialer);
CaseResult hold_case(Dialer& dialer);
CaseResult autonat_case(Dialer& dialer);
CaseResult circuit_case(Dialer& dialer);

const std::map<std::string, Case>& all_cases();

}  // namespace oc::interop
