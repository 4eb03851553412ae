#include "environment.hpp"

#include "harness/variables.hpp"

namespace oc::transport_test {

Environment read_environment() {
  Environment environment;
  environment.debug = harness::truth("DEBUG", harness::variable("DEBUG").value_or("false"));
  environment.is_dialer = harness::truth("IS_DIALER", harness::required("IS_DIALER"));
  environment.redis = harness::redis_address("REDIS_ADDR", harness::required("REDIS_ADDR"));
  environment.redis_key = harness::required("TEST_KEY") + "_listener_multiaddr";
  harness::require_only("TRANSPORT", "tcp");
  environment.security = harness::security_protocol();
  harness::require_only("MUXER", "yamux");
  if (!environment.is_dialer)
    environment.listener_ip = harness::ip_address("LISTENER_IP", harness::required("LISTENER_IP"));
  if (const auto limit = harness::variable("TEST_TIMEOUT_SECS"))
    environment.timeout =
        std::chrono::seconds(harness::number("TEST_TIMEOUT_SECS", *limit, kMaxTimeout.count()));
  return environment;
}

}  // namespace oc::transport_test
