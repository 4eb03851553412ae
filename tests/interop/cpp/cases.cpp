#include "cases.hpp"

namespace oc::interop {

const std::map<std::string, Case>& all_cases() {
  static const std::map<std::string, Case> cases{
      {"ping", {{{"count", 5}}, ping_case}},
      {"identify", {{}, identify_case}},
      {"push", {{}, push_case}},
      {"echo", {{{"bytes", 64 << 20}}, echo_case}},
      {"half-close", {{}, half_close_case}},
      {"reset", {{}, reset_case}},
      {"streams", {{{"count", 500}}, streams_case}},
      {"perf", {{{"upload", 0}, {"download", 0}}, perf_case}},
      {"connects", {{{"count", 10}}, connects_case}},
      {"rate", {{{"seconds", 5}, {"parallel", 4}, {"strangers", 0}}, rate_case}},
      {"hold", {{{"connections", 1}, {"streams", 1}}, hold_case, true}},
      {"circuit", {{{"bytes", 1024}, {"patience", 0}}, circuit_case}},
      {"autonat", {{{"other-ip", 0}, {"dead", 0}}, autonat_case}},
  };
  return cases;
}

}  // namespace oc::interop
