// What the harness asks of a run, in environment variables.
//
// Source: libp2p/unified-testing, docs/write-a-transport-test-app.md; and from the apps there
// TEST_TIMEOUT_SECS, which the page leaves out.
#pragma once

#include <chrono>
#include <string>

#include "harness/variables.hpp"

namespace oc::transport_test {

// When TEST_TIMEOUT_SECS is not set: as long as the harness lets a test run.
inline constexpr std::chrono::seconds kDefaultTimeout{180};
// Longer than any run of the harness; TEST_TIMEOUT_SECS is 1 to so many.
inline constexpr std::chrono::seconds kMaxTimeout{3600};

struct Environment {
  bool is_dialer = false;
  harness::RedisAddress redis;
  std::string redis_key;          // of the list that carries the listener's address
  std::string security;           // p2p::kNoiseId or p2p::kTlsId
  asio::ip::address listener_ip;  // unspecified for all interfaces; of the listener alone
  std::chrono::seconds timeout = kDefaultTimeout;
  bool debug = false;
};

// Throws std::runtime_error that names the variable when one is missing or malformed, or asks for a
// transport, secure channel or muxer that this library has not.
Environment read_environment();

}  // namespace oc::transport_test
