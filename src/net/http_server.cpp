#include "base/deadline.hpp"
#include "net/http.hpp"
#include "net/http_head.hpp"
#include "net/http_reader.hpp"

namespace oc::net {
namespace {

// The peer must take this much of an answer within idle_time.
constexpr std::size_t kWriteSlice = 64 * 1024;
// After a refusal so much is read and dropped, so that the peer gets to read the answer rather than
// the reset that closing a socket with unread bytes causes.
constexpr std::size_t kDrainBytes = 256 * 1024;
constexpr std::chrono::seconds kDrainTime{2};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

struct Connection {
  Stream& stream;
  Clock& clock;
  HttpLimits limits;
  HttpRequestReader reader;
  TimePoint head_since{};  // when the first byte of the request came
  TimePoint body_since{};  // when its head was complete
};

HttpResponse plain_refusal(int status) {
  return {status, {{"Content-Type", "text/plain"}}, "refused: " + std::to_string(status) + "\n"};
}

// A deadline for the next read, by what the reader waits for.
Duration time_left(const Connection& c) {
  if (c.reader.idle()) return c.limits.idle_time;
  if (c.reader.in_body()) return c.body_since + c.limits.body_time - c.clock.now();
  return c.head_since + c.limits.header_time - c.clock.now();
}

awaitable<Result<void>> write_all(Connection& c, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view slice = bytes.substr(0, kWriteSlice);
    CO_CHECK(
        co_await with_deadline<void>(c.clock, c.limits.idle_time, c.stream.write(as_bytes(slice))));
    bytes.remove_prefix(slice.size());
  }
  co_return success();
}

awaitable<Result<void>> send_response(Connection& c, const HttpResponse& response, bool to_head,
                                      bool close) {
  std::string head = response_head(response, close, c.clock.wall_now());
  const bool with_body = !to_head && response.status != 204 && response.status != 304;
  // A small answer leaves in one piece.
  if (with_body && response.body.size() <= kWriteSlice) {
    head += response.body;
    co_return co_await write_all(c, head);
  }
  CO_CHECK(co_await write_all(c, head));
  if (!with_body) co_return success();
  co_return co_await write_all(c, response.body);
}

// Reads once. 0: fed; a status: refuse with it; nothing: the connection is over.
awaitable<std::optional<int>> read_more(Connection& c) {
  const bool was_idle = c.reader.idle();
  auto chain = co_await with_deadline<BufferChain>(c.clock, time_left(c), c.stream.read_chain());
  if (!chain) {
    if (chain.error() == Errc::timed_out && !was_idle) co_return 408;
    co_return std::nullopt;
  }
  if (was_idle) c.head_since = c.clock.now();
  for (const Buffer& buffer : *chain) c.reader.feed(as_text(buffer.bytes()));
  co_return 0;
}

// The next whole request: 0 when the reader has one, a status to refuse with, or nothing.
awaitable<std::optional<int>> next_request(Connection& c) {
  c.head_since = c.clock.now();
  for (;;) {
    const bool was_in_body = c.reader.in_body();
    const HttpStep step = c.reader.step();
    if (!was_in_body && c.reader.in_body()) c.body_since = c.clock.now();
    switch (step) {
      case HttpStep::complete: co_return 0;
      case HttpStep::refused: co_return c.reader.refusal();
      case HttpStep::send_continue: {
        const auto sent = co_await write_all(c, kContinue);
        if (!sent) co_return std::nullopt;
        break;
      }
      case HttpStep::need_more: {
        const auto status = co_await read_more(c);
        if (!status || *status != 0) co_return status;
      }
    }
  }
}

awaitable<Result<void>> drain(Stream& stream) {
  std::size_t dropped = 0;
  while (dropped < kDrainBytes) {
    CO_TRY(BufferChain chain, co_await stream.read_chain());
    dropped += chain.bytes();
  }
  co_return success();
}

awaitable<void> refuse(Connection& c, const HttpResponse& response) {
  const auto sent = co_await send_response(c, response, false, true);
  if (!sent) co_return;
  const auto ended = co_await c.stream.close_write();
  if (!ended) co_return;
  (void)co_await with_deadline<void>(c.clock, kDrainTime, drain(c.stream));
}

}  // namespace

awaitable<void> serve_http(Stream& stream, Clock& clock, HttpHandler handler, HttpLimits limits,
                           HttpRefusal refusal) {
  Connection c{stream, clock, limits, HttpRequestReader(limits)};
  if (!refusal) refusal = plain_refusal;
  for (;;) {
    const auto status = co_await next_request(c);
    if (!status) break;
    if (*status != 0) {
      const HttpResponse response = refusal(*status);
      co_await refuse(c, response);
      break;
    }
    HttpRequest request = c.reader.take();
    const bool to_head = request.method == "HEAD";
    const HttpResponse response = co_await handler(std::move(request));
    const auto connection = find_header(response.headers, "connection");
    const bool close =
        !c.reader.keep_alive() || (connection && equal_ignoring_case(*connection, "close"));
    const auto sent = co_await send_response(c, response, to_head, close);
    if (!sent || close) break;
  }
  (void)co_await stream.close_write();
}

}  // namespace oc::net
