#include "cases.hpp"
#include "talk.hpp"

namespace oc::interop {
namespace {

constexpr Duration kWithin = std::chrono::seconds(5);

awaitable<Verdict<void>> see_reset(p2p::ConnectionPtr connection) {
  CO_TRY(StreamPtr stream, explain("reset", co_await connection->open_stream(served("reset"))));
  FixedBytes<1> byte{1};
  CO_CHECK(explain("write to reset", co_await stream->write(byte)));
  auto read = co_await stream->read_some(byte);
  if (read) co_return Failure{"a byte came from a stream that was to be reset"};
  if (read.error() != Errc::reset)
    co_return Failure{"a reset stream ended as: " + read.error().message()};
  co_return Verdict<void>();
}

// Looks until the listener says that this was the last fate.
awaitable<Verdict<void>> fate_becomes(Dialer& dialer, p2p::ConnectionPtr connection,
                                      std::string fate) {
  const TimePoint end = dialer.clock().now() + kWithin;
  for (;;) {
    CO_TRY(const std::string last,
           explain("last-fate", co_await ask(connection, served("last-fate"), "")));
    if (last == fate) co_return Verdict<void>();
    if (dialer.clock().now() >= end)
      co_return Failure{"the last fate is " + last + " instead of " + fate};
    CO_CHECK(explain("wait", co_await dialer.clock().sleep_for(std::chrono::milliseconds(20))));
  }
}

awaitable<Verdict<void>> meet_fate(Dialer& dialer, p2p::ConnectionPtr connection,
                                   std::string fate) {
  CO_TRY(StreamPtr stream,
         explain("fate", co_await connection->open_agreed_stream(served("fate"))));
  CO_CHECK(explain("write to fate", co_await stream->write(as_bytes("some bytes"))));
  if (fate == "reset") {
    stream->reset();
  } else {
    CO_CHECK(explain("end fate", co_await stream->close_write()));
  }
  co_return co_await fate_becomes(dialer, connection, fate);
}

}  // namespace

CaseResult reset_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  CO_CHECK(co_await see_reset(connection));
  CO_CHECK(co_await meet_fate(dialer, connection, "reset"));
  CO_CHECK(co_await meet_fate(dialer, connection, "eof"));
  Json out;
  out["saw"] = "reset";
  co_return out;
}

}  // namespace oc::interop
