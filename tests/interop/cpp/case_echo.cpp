#include "cases.hpp"
#include "crew.hpp"
#include "talk.hpp"

namespace oc::interop {
namespace {

constexpr std::uint64_t kHalfCloseBytes = 1 << 20;
constexpr std::size_t kDigestSize = 32;

struct Echoed {
  StreamPtr stream;
  std::uint64_t size = 0;
  Digest sent, received;
  std::uint64_t came = 0;
};

awaitable<Verdict<void>> send(Echoed& echoed) {
  co_return explain("write to echo",
                    co_await write_pattern(*echoed.stream, echoed.size, echoed.sent));
}

awaitable<Verdict<void>> receive(Echoed& echoed) {
  CO_TRY(echoed.came,
         explain("read from echo", co_await read_digest(*echoed.stream, echoed.received)));
  co_return Verdict<void>();
}

}  // namespace

CaseResult echo_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  const TimePoint began = dialer.clock().now();
  Echoed echoed;
  CO_TRY(echoed.stream, explain("echo", co_await connection->open_stream(served("echo"))));
  echoed.size = dialer.count("bytes");
  const auto job = [&echoed](std::size_t i) { return i == 0 ? send(echoed) : receive(echoed); };
  CO_CHECK(co_await run_all(2, 2, job));
  const auto sum = echoed.received.finish();
  if (echoed.came != echoed.size || sum != echoed.sent.finish())
    co_return Failure{"other bytes came back than were sent"};
  Json out;
  out["bytes"] = echoed.came;
  out["sha256"] = to_hex(sum);
  out["seconds"] = std::chrono::duration<double>(dialer.clock().now() - began).count();
  co_return out;
}

CaseResult half_close_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  CO_TRY(StreamPtr stream, explain("digest", co_await connection->open_stream(served("digest"))));
  Digest sent;
  CO_CHECK(explain("write", co_await write_pattern(*stream, kHalfCloseBytes, sent)));
  CO_TRY(const std::string answer, explain("read", co_await read_rest(*stream, kDigestSize)));
  if (!equal(as_bytes(answer), sent.finish()))
    co_return Failure{"the digest came back as " + to_hex(as_bytes(answer))};
  Json out;
  out["bytes"] = kHalfCloseBytes;
  co_return out;
}

}  // namespace oc::interop
