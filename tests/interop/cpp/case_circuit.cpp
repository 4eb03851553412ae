#include "cases.hpp"
#include "crew.hpp"
#include "talk.hpp"

namespace oc::interop {
namespace {

struct Echoed {
  StreamPtr stream;
  std::uint64_t size = 0;
  Digest sent;
  std::uint64_t came = 0;
};

// A relay that cuts the circuit ends both; neither is a failure.
awaitable<Verdict<void>> send(Echoed& echoed) {
  (void)co_await write_pattern(*echoed.stream, echoed.size, echoed.sent);
  co_return Verdict<void>();
}

awaitable<Verdict<void>> receive(Echoed& echoed) {
  for (;;) {
    auto chain = co_await echoed.stream->read_chain();
    if (!chain) co_return Verdict<void>();
    echoed.came += chain->bytes();
  }
}

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

CaseResult circuit_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  if (connection->facts().direct()) co_return Failure{"the connection is direct"};
  Echoed echoed;
  CO_TRY(echoed.stream, explain("echo", co_await connection->open_stream(served("echo"))));
  echoed.size = dialer.count("bytes");
  const auto job = [&echoed](std::size_t i) { return i == 0 ? send(echoed) : receive(echoed); };
  CO_CHECK(co_await run_all(2, 2, job));
  const Duration patience = std::chrono::seconds(dialer.count("patience"));
  (void)co_await dialer.until(patience, "the end", [&] { return !connection->alive(); });
  Json out;
  out["limited"] = connection->facts().limited;
  out["bytes"] = echoed.came;
  out["ended"] = !connection->alive();
  out["seconds"] = seconds(dialer.clock().now() - connection->facts().opened);
  co_return out;
}

}  // namespace oc::interop
