#include "net/http_head.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/assert.hpp"

namespace oc::net {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view trim_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Cuts the next line off `rest`, without its CRLF. What is left over cannot contain a line break
// that is not CRLF: is_field_value() and the start line's check refuse CR and LF.
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

// What the fields say about where the message ends.
struct Framing {
  std::size_t fields = 0, hosts = 0, lengths = 0, encodings = 0;
  bool malformed = false;
};

void check_field(std::string_view line, Framing& framing) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
      !is_field_value(line.substr(colon + 1))) {
    framing.malformed = true;
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  ++framing.fields;
  if (equal_ignoring_case(name, "host")) ++framing.hosts;
  if (equal_ignoring_case(name, "content-length")) {
    ++framing.lengths;
    // 18 digits cannot overflow 64 bits.
    framing.malformed |=
        value.empty() || value.size() > 18 || !std::all_of(value.begin(), value.end(), is_digit);
  }
  if (equal_ignoring_case(name, "transfer-encoding")) {
    ++framing.encodings;
    // The value's own blanks are no part of it, but a tab is a disguise.
    framing.malformed |=
        !equal_ignoring_case(value, "chunked") || line.find('\t') != std::string_view::npos;
  }
}

Framing check_fields(std::string_view rest) {
  Framing framing;
  while (rest != "\r\n" && !framing.malformed) check_field(next_line(rest), framing);
  framing.malformed |= framing.hosts > 1 || framing.lengths > 1 || framing.encodings > 1 ||
                       (framing.lengths != 0 && framing.encodings != 0);
  return framing;
}

bool is_known_version(std::string_view text) { return text == "HTTP/1.1" || text == "HTTP/1.0"; }

bool is_other_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
         is_digit(text[7]);
}

bool is_connections_own(std::string_view name) {
  return equal_ignoring_case(name, "content-length") || equal_ignoring_case(name, "connection") ||
         equal_ignoring_case(name, "transfer-encoding");
}

void append_fields(std::string& head, const HttpHeaders& headers) {
  for (const auto& [name, value] : headers) {
    ASSERT(is_token(name) && is_field_value(value));
    if (!is_connections_own(name)) head += name + ": " + value + "\r\n";
  }
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";  // RFC 9112 4: the phrase may be empty
  }
}

// RFC 9110 5.6.7, independent of the locale.
std::string http_date(WallTime time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = unix_seconds(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                     kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

HeadEnd find_head_end(std::string_view bytes, std::size_t from) {
  for (std::size_t i = bytes.find('\n', from); i != std::string_view::npos;
       i = bytes.find('\n', i + 1)) {
    if (i == 0 || bytes[i - 1] != '\r') return {HeadEnd::broken, 0};
    if (i >= 3 && bytes[i - 2] == '\n') return {HeadEnd::found, i + 1};
    if (i == 1) return {HeadEnd::broken, 0};  // an empty line instead of a start line
  }
  return {HeadEnd::missing, 0};
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_origin_form(std::string_view target) {
  return target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) {
           return c > 0x20 && c < 0x7f && c != '#';
         });
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

int check_request_head(std::string_view head, std::size_t max_fields) {
  const std::string_view line = next_line(head);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return 400;
  const std::string_view method = line.substr(0, first);
  const std::string_view version = line.substr(last + 1);
  const bool upper =
      std::none_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!is_token(method) || !upper) return 400;
  if (!is_origin_form(line.substr(first + 1, last - first - 1))) return 400;
  if (!is_known_version(version)) return is_other_version(version) ? 505 : 400;
  const Framing framing = check_fields(head);
  if (framing.malformed) return 400;
  if (framing.fields > max_fields) return 431;
  const bool modern = version == "HTTP/1.1";
  if (modern ? framing.hosts != 1 : framing.encodings != 0) return 400;
  return 0;
}

bool check_response_head(std::string_view head, std::size_t max_fields) {
  const std::string_view line = next_line(head);
  if (line.size() < 13 || !is_known_version(line.substr(0, 8)) || line[8] != ' ' ||
      !is_field_value(line) ||
      line.substr(9, 3).find_first_not_of("0123456789") != std::string_view::npos ||
      line[9] == '0' || line[12] != ' ') {
    return false;
  }
  const Framing framing = check_fields(head);
  return !framing.malformed && framing.fields <= max_fields &&
         (framing.encodings == 0 || line.starts_with("HTTP/1.1"));
}

std::string request_head(const HttpRequest& request, std::string_view host) {
  ASSERT(is_token(request.method) && is_origin_form(request.target) && is_field_value(host));
  std::string head = request.method + " " + request.target + " HTTP/1.1\r\nHost: ";
  head += host;
  head += "\r\n";
  append_fields(head, request.headers);
  const bool may_have_body = request.method != "GET" && request.method != "HEAD";
  if (may_have_body || !request.body.empty()) {
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return head + "\r\n";
}

std::string response_head(const HttpResponse& response, bool close, WallTime now) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                                 reason_phrase(response.status), http_date(now));
  append_fields(head, response.headers);
  if (response.status != 204 && response.status != 304) {
    head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  }
  if (close) head += "Connection: close\r\n";
  return head + "\r\n";
}

}  // namespace oc::net
