// What the harness asks of a run, in environment variables.
//
// Sources: the apps of libp2p/test-plans, hole-punch-interop, whose Redis is always at redis:6379,
// and those of libp2p/unified-testing, hole-punch. A run with MODE is of the former.
#pragma once

#include <string>

#include "harness/variables.hpp"

namespace oc::hole_punch_test {

enum class Harness { test_plans, unified_testing };

struct Environment {
  Harness harness = Harness::test_plans;
  bool is_dialer = false;
  harness::RedisAddress redis{"redis", 6379};
  // Names in Redis: lists of test_plans, values of unified_testing.
  std::string relay_key = "RELAY_TCP_ADDRESS";
  std::string listener_key = "LISTEN_CLIENT_PEER_ID";
  std::string security;      // p2p::kNoiseId or p2p::kTlsId
  asio::ip::address own_ip;  // unspecified for all interfaces
  bool debug = false;
};

// Errors as of harness::required.
Environment read_environment();

}  // namespace oc::hole_punch_test
