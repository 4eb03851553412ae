// What the harness asks of a run, in environment variables.
//
// Source: the apps of libp2p/test-plans, hole-punch-interop. There Redis is always at redis:6379.
#pragma once

#include <cstdint>
#include <string>

namespace oc::hole_punch_test {

struct Environment {
  bool is_dialer = false;
  std::string redis_host = "redis";
  std::uint16_t redis_port = 6379;
  bool debug = false;
};

// Throws std::runtime_error that names the variable when one is missing or malformed, or asks for a
// transport that this library has not.
Environment read_environment();

}  // namespace oc::hole_punch_test
