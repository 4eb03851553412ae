// Cases of many peers, each with a key of its own.
#include "cases.hpp"
#include "crew.hpp"
#include "talk.hpp"

namespace oc::interop {
namespace {

// Handshakes at once: more would only wait for each other, and a listener lets so many wait.
constexpr std::size_t kHandshakesAtOnce = 16;

awaitable<Verdict<p2p::ConnectionPtr>> connect_and_ping(Dialer& dialer, Peer& peer) {
  CO_TRY(p2p::ConnectionPtr connection, co_await dialer.connect(peer));
  CO_CHECK(explain("ping", co_await peer.host().ping().measure(connection, 1)));
  co_return connection;
}

awaitable<Verdict<void>> connect_once(Dialer& dialer, Peer& peer) {
  CO_CHECK(co_await connect_and_ping(dialer, peer));
  co_return Verdict<void>();
}

awaitable<Verdict<void>> connect_and_leave(Dialer& dialer, Peer& peer, std::size_t& count) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await connect_and_ping(dialer, peer));
  connection->close();
  ++count;
  co_return Verdict<void>();
}

// One connection after the other until `end`.
awaitable<Verdict<void>> keep_connecting(Dialer& dialer, TimePoint end, std::size_t& count) {
  Peer& peer = dialer.make_peer();
  while (dialer.clock().now() < end) CO_CHECK(co_await connect_and_leave(dialer, peer, count));
  co_return Verdict<void>();
}

using Held = std::vector<StreamPtr>;

awaitable<Verdict<void>> hold_one(Dialer& dialer, Peer& peer, Held& held) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect(peer));
  for (std::size_t i = dialer.count("streams"); i != 0; --i) {
    CO_TRY(StreamPtr stream, explain("open", co_await connection->open_stream(served("echo"))));
    FixedBytes<1> byte{1};
    CO_CHECK(explain("write", co_await stream->write(byte)));
    CO_CHECK(explain("read", co_await net::read_exactly(*stream, byte)));
    held.push_back(std::move(stream));
  }
  co_return Verdict<void>();
}

}  // namespace

CaseResult connects_case(Dialer& dialer) {
  const std::size_t count = dialer.count("count");
  for (std::size_t i = 0; i < count; ++i) dialer.make_peer();
  const auto job = [&dialer](std::size_t i) { return connect_once(dialer, *dialer.peers()[i]); };
  CO_CHECK(co_await run_all(count, count, job));
  Json out;
  out["count"] = count;
  co_return out;
}

CaseResult rate_case(Dialer& dialer) {
  const std::size_t strangers = dialer.count("strangers");
  for (std::size_t i = 0; i < strangers; ++i) dialer.make_peer();
  const TimePoint began = dialer.clock().now();
  const std::chrono::duration<double> time(dialer.option("seconds"));
  const TimePoint end = began + std::chrono::duration_cast<Duration>(time);
  const std::size_t parallel = dialer.count("parallel");
  std::size_t count = 0;
  const auto job = [&](std::size_t i) {
    return strangers == 0 ? keep_connecting(dialer, end, count)
                          : connect_and_leave(dialer, *dialer.peers()[i], count);
  };
  CO_CHECK(co_await run_all(strangers == 0 ? parallel : strangers, parallel, job));
  Json out;
  out["connections"] = count;
  out["seconds"] = std::chrono::duration<double>(dialer.clock().now() - began).count();
  co_return out;
}

CaseResult hold_case(Dialer& dialer) {
  const std::size_t count = dialer.count("connections");
  for (std::size_t i = 0; i < count; ++i) dialer.make_peer();
  const auto job = [&](std::size_t i) {
    return hold_one(dialer, *dialer.peers()[i], dialer.held_streams());
  };
  CO_CHECK(co_await run_all(count, kHandshakesAtOnce, job));
  Json out;
  out["connections"] = count;
  out["streams"] = dialer.count("streams");
  co_return out;
}

}  // namespace oc::interop
