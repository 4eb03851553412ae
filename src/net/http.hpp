// HTTP/1.1 over any Stream: the API's server, the command line's client, and network requests over
// the overlay share it. Parsing is Boost.Beast's; this file's only adds bounds and the Stream.
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

struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 1024 * 1024;
  std::chrono::seconds header_time{10};  // for a whole request header, not reset by a byte
  std::chrono::seconds body_time{30};
  std::chrono::seconds idle_time{60};    // between requests
};

using HttpHandler = std::function<awaitable<HttpResponse>(HttpRequest)>;

// Answers requests until the peer ends, a limit bites (400, 408, 413, 431 and close) or the
// response says "Connection: close". Refuses what is ambiguous (two lengths, length and chunked).
awaitable<void> serve_http(Stream& stream, Clock& clock, HttpHandler handler, HttpLimits limits = {});

// Sends one request and reads its answer. Errors: those of the stream; Errc::malformed for an
// answer that is not HTTP; Errc::limit_exceeded for a too large one. Time-outs are the caller's.
awaitable<Result<HttpResponse>> http_call(Stream& stream, HttpRequest request, std::string host,
                                          HttpLimits limits = {});

}  // namespace oc::net
