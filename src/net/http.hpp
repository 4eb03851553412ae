// HTTP/1.1 over any Stream: the API's server, the command line's client, and network requests over
// the overlay share it. Parsing is Boost.Beast's, behind a stricter check of its own
// (http_reader.hpp); this file adds bounds, time limits and the Stream.
//
// Specs: RFC 9110, RFC 9112. Of a request only the origin form is taken ("/path?query").
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "net/stream.hpp"

namespace oc::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The first value of a header, by case-insensitive name.
std::optional<std::string_view> find_header(const HttpHeaders& headers, std::string_view name);
// How many times a header stands there.
std::size_t count_header(const HttpHeaders& headers, std::string_view name);
// ASCII only, as HTTP's names are.
bool equal_ignoring_case(std::string_view a, std::string_view b);

struct HttpRequest {
  std::string method;   // upper case
  std::string target;   // path and query, as sent; origin form only
  HttpHeaders headers;  // without Content-Length, Transfer-Encoding and Connection
  std::string body;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

// Who a request comes from. HTTP does not know: whoever accepted the stream binds it into the
// handler.
struct RequestOrigin {
  std::string address;  // of a TCP client: its IP address as text; of a member: ""
  std::string peer_id;  // of a member that asks through the overlay; of a TCP client: ""

  bool through_overlay() const { return !peer_id.empty(); }
};

struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t header_count = 100;
  std::size_t body_bytes = 1024 * 1024;
  std::chrono::seconds header_time{10};  // for a whole request header, not reset by a byte
  std::chrono::seconds body_time{30};    // for a whole request body, not reset by a byte
  std::chrono::seconds idle_time{60};    // between requests; for the peer to take 64 KiB of answer
};

using HttpHandler = std::function<awaitable<HttpResponse>(HttpRequest)>;
// The answer to a request that was refused before the handler saw it, by its status.
using HttpRefusal = std::function<HttpResponse(int status)>;

// Answers requests, one after the other and in their order, until the peer ends, a limit bites
// (400, 408, 413, 417, 431, 505, then close) or the response says "Connection: close". Refuses with
// 400 what two parsers could read differently: two lengths, length and chunked, a bare CR or LF,
// folded headers, a space before the colon, chunk extensions. Trailers are read and dropped. HEAD
// is passed to the handler and answered without the body. "Expect: 100-continue" is honoured.
//
// The stream is left ended, or broken, for the caller to destroy; it must outlive the call.
// Cancellation: leaves nothing behind but the stream, which should then be reset.
awaitable<void> serve_http(Stream& stream, Clock& clock, HttpHandler handler,
                           HttpLimits limits = {}, HttpRefusal refusal = {});

// Sends one request and reads its answer; interim (1xx) answers are skipped. Content-Length and
// Host are added. The stream may be used for another call unless the answer has "Connection: close"
// or an error came; Connection is the one hop-by-hop header that stays in the answer. Errors: those
// of the stream; Errc::malformed for an answer that is not HTTP or is ambiguous; Errc::truncated
// when it ends inside; Errc::limit_exceeded for a too large one. Time-outs are the caller's
// (with_deadline). Errc::malformed too, with nothing sent, when the request itself has a line break
// or the like in its method, target or headers.
awaitable<Result<HttpResponse>> http_call(Stream& stream, HttpRequest request, std::string host,
                                          HttpLimits limits = {});

}  // namespace oc::net
