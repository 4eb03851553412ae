#include "dialer.hpp"

namespace oc::interop {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(5);
constexpr Duration kIdentifyWithin = std::chrono::seconds(10);

}  // namespace

Verdict<Dialer> Dialer::to(const std::string& address, Surroundings& around) {
  TRY(codec::Multiaddr parsed, explain(address, codec::Multiaddr::parse(address)));
  auto target = parsed.peer_id();
  if (!target) return Failure{address + " does not end in /p2p/<peer id>"};
  return Dialer(*std::move(target), parsed.without_peer(), around);
}

Peer& Dialer::make_peer() {
  peers_.push_back(std::make_unique<Peer>(*around_));
  return *peers_.back();
}

awaitable<Verdict<p2p::ConnectionPtr>> Dialer::connect(Peer& from) {
  std::vector<codec::Multiaddr> addresses{address_};
  co_return explain("dial", co_await from.swarm().dial(target_, std::move(addresses)));
}

awaitable<Verdict<p2p::ConnectionPtr>> Dialer::connect() {
  CO_TRY(p2p::ConnectionPtr connection, co_await connect(make_peer()));
  const auto identified = [&connection] { return connection->info().has_value(); };
  CO_CHECK(co_await until(kIdentifyWithin, "the listener answers identify", identified));
  co_return connection;
}

awaitable<Verdict<void>> Dialer::until(Duration limit, std::string what,
                                       std::function<bool()> holds) {
  const TimePoint end = clock().now() + limit;
  while (!holds()) {
    if (clock().now() >= end) co_return Failure{what + ": not in time"};
    CO_CHECK(explain(what, co_await clock().sleep_for(kLookEvery)));
  }
  co_return Verdict<void>();
}

}  // namespace oc::interop
