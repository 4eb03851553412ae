// HttpRequestReader, HttpResponseReader: HTTP/1.1 messages out of bytes, without I/O.
//
//   feed(bytes) → step() → need_more            feed again
//                          send_continue        the peer waits for "100 Continue" (once a message)
//                          complete → take()    one message; then step() goes on with what is left
//                          refused → refusal()  the connection cannot be used any more
//
// Each head is first held to the strict grammar of RFC 9112 (http_head.hpp), because Beast, like
// most parsers, forgives some of what request smuggling is made of; then Beast parses it and the
// body.
//
// Bounds: a head of limits.header_bytes, a body of limits.body_bytes, header_bytes for each chunk's
// size line and for the trailers; beyond that at most what one feed() brought is held.
#pragma once

#include <memory>

#include "net/http.hpp"

namespace oc::net {

enum class HttpStep { need_more, send_continue, complete, refused };

class HttpRequestReader {
 public:
  explicit HttpRequestReader(HttpLimits limits);
  HttpRequestReader(HttpRequestReader&&) noexcept;
  ~HttpRequestReader();

  void feed(std::string_view bytes);
  HttpStep step();
  // After complete: the message. May be called once for each.
  HttpRequest take();
  // Of the message last completed: the connection may carry another.
  bool keep_alive() const;
  // After refused: 400, 413, 417, 431 or 505.
  int refusal() const;
  // No byte of a next message has come.
  bool idle() const;
  // A head is complete and its body is not.
  bool in_body() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class HttpResponseReader {
 public:
  // `to_head`: the request was HEAD, so that no body follows whatever the head says.
  HttpResponseReader(HttpLimits limits, bool to_head);
  HttpResponseReader(HttpResponseReader&&) noexcept;
  ~HttpResponseReader();

  void feed(std::string_view bytes);
  // Never send_continue.
  HttpStep step();
  // The stream ended: complete for a body that runs to the end of the connection, else refused.
  HttpStep end();
  HttpResponse take();
  // After refused: Errc::malformed, Errc::truncated or Errc::limit_exceeded.
  error_code error() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oc::net
