#include "cases.hpp"

namespace oc::interop {

CaseResult ping_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  p2p::Ping& ping = dialer.peers().front()->host().ping();
  const int count = static_cast<int>(dialer.count("count"));
  CO_TRY(const auto times, explain("ping", co_await ping.measure(connection, count)));
  std::vector<double> milliseconds;
  for (const Duration time : times) {
    milliseconds.push_back(std::chrono::duration<double, std::milli>(time).count());
  }
  Json out;
  out["rtts_ms"] = milliseconds;
  co_return out;
}

}  // namespace oc::interop
