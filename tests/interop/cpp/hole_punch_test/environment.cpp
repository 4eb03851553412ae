#include "environment.hpp"

#include "p2p/upgrade/upgrade.hpp"

namespace oc::hole_punch_test {
namespace {

void read_test_plans(Environment& environment, const std::string& mode) {
  environment.is_dialer = harness::is_first("MODE", mode, "dial", "listen");
  if (const auto address = harness::variable("REDIS_ADDR"))
    environment.redis = harness::redis_address("REDIS_ADDR", *address);
  environment.security = p2p::kNoiseId;
  environment.own_ip = asio::ip::address_v4::any();
}

void read_unified_testing(Environment& environment) {
  environment.harness = Harness::unified_testing;
  environment.is_dialer = harness::truth("IS_DIALER", harness::required("IS_DIALER"));
  environment.redis = harness::redis_address("REDIS_ADDR", harness::required("REDIS_ADDR"));
  const std::string key = harness::required("TEST_KEY");
  environment.relay_key = key + "_relay_multiaddr";
  environment.listener_key = key + "_listener_peer_id";
  environment.security = harness::security_protocol();
  harness::require_only("MUXER", "yamux");
  const std::string ip = environment.is_dialer ? "DIALER_IP" : "LISTENER_IP";
  environment.own_ip = harness::ip_address(ip, harness::variable(ip).value_or("0.0.0.0"));
}

}  // namespace

Environment read_environment() {
  Environment environment;
  environment.debug = harness::truth("DEBUG", harness::variable("DEBUG").value_or("false"));
  if (const auto mode = harness::variable("MODE")) {
    read_test_plans(environment, *mode);
  } else {
    read_unified_testing(environment);
  }
  harness::require_only("TRANSPORT", "tcp");
  return environment;
}

}  // namespace oc::hole_punch_test
