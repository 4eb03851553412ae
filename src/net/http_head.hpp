// The strict grammar of an HTTP/1.1 head, and heads as text.
//
// Every check here is one that some server in the field left out and was smuggled through: each
// line ends in CRLF with no other CR, LF or NUL; no folded lines; no space before a colon; at most
// one Content-Length, of digits only; at most one Transfer-Encoding, which is "chunked"; never
// both.
#pragma once

#include <string>
#include <string_view>

#include "net/http.hpp"

namespace oc::net {

// Where the first head in `bytes` ends. `broken`: a line ends in a bare LF, or the first line is
// empty. Bytes before `from` hold no line end that was not looked at before.
struct HeadEnd {
  enum Kind { missing, found, broken } kind;
  std::size_t size;  // with its empty line; of `found` only
};
HeadEnd find_head_end(std::string_view bytes, std::size_t from);

// `head` is everything up to and with the empty line. 0, or the status that refuses it: 400, 431
// for too many fields, 505 for another version of HTTP.
int check_request_head(std::string_view head, std::size_t max_fields);
// The same for an answer's head: false when it is not to be trusted.
bool check_response_head(std::string_view head, std::size_t max_fields);

// RFC 9110 5.6.2: a method's or a field name's characters, at least one.
bool is_token(std::string_view text);
// Visible ASCII, starting with '/', without a fragment: what a request line may carry.
bool is_origin_form(std::string_view target);
// No control characters but tab.
bool is_field_value(std::string_view text);

// The head of a request or a response with its empty line. Content-Length, Transfer-Encoding and
// Connection in `headers` are left out: those are the connection's to say. The parts must be
// well-formed (is_token, …).
std::string request_head(const HttpRequest& request, std::string_view host);
std::string response_head(const HttpResponse& response, bool close, WallTime now);

}  // namespace oc::net
