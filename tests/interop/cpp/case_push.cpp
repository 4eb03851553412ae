#include <algorithm>

#include "cases.hpp"
#include "service.hpp"

namespace oc::interop {
namespace {

constexpr Duration kPushWithin = std::chrono::seconds(10);

// A protocol that nobody serves yet.
std::string new_protocol(Random& random) {
  FixedBytes<8> name;
  random.fill(name);
  return served("pushed-" + to_hex(name));
}

awaitable<void> serve_echo(p2p::ConnectionPtr, StreamPtr stream) {
  if (auto echoed = co_await echo(*stream); !echoed) stream->reset();
}

awaitable<Verdict<void>> listener_pushes(Dialer& dialer, p2p::ConnectionPtr connection) {
  const std::string begun = new_protocol(dialer.random());
  CO_CHECK(explain("ask for a push", co_await ask(connection, served("push"), begun)));
  const auto heard = [&] {
    const auto& protocols = connection->info()->protocols;
    return std::ranges::find(protocols, begun) != protocols.end();
  };
  co_return co_await dialer.until(kPushWithin, "the listener's push comes", heard);
}

// Whether the listener knows that the dialer speaks this protocol.
awaitable<Verdict<bool>> is_known(p2p::ConnectionPtr connection, std::string protocol) {
  CO_TRY(const std::string answer, explain("known", co_await ask(connection, served("known"), "")));
  const auto list = Json::parse(answer, nullptr, false);
  if (!list.is_array()) co_return Failure{"known answered " + answer};
  co_return std::ranges::find(list, Json(protocol)) != list.end();
}

awaitable<Verdict<void>> dialer_pushes(Dialer& dialer, p2p::ConnectionPtr connection) {
  const std::string begun = new_protocol(dialer.random());
  dialer.peers().front()->swarm().handle(begun, serve_echo);
  const TimePoint end = dialer.clock().now() + kPushWithin;
  for (;;) {
    CO_TRY(const bool known, co_await is_known(connection, begun));
    if (known) co_return Verdict<void>();
    if (dialer.clock().now() >= end) co_return Failure{"the listener does not know of the push"};
    CO_CHECK(explain("wait", co_await dialer.clock().sleep_for(std::chrono::milliseconds(20))));
  }
}

}  // namespace

CaseResult push_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  CO_CHECK(co_await listener_pushes(dialer, connection));
  CO_CHECK(co_await dialer_pushes(dialer, connection));
  Json out;
  out["from_listener"] = true;
  out["from_dialer"] = true;
  co_return out;
}

}  // namespace oc::interop
