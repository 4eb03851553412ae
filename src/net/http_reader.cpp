#include "net/http_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/assert.hpp"
#include "net/http_head.hpp"

namespace oc::net {
namespace {

namespace http = boost::beast::http;

// Nothing shorter can end a chunked body. Beast must not be given less: it asserts that a last
// chunk of which it saw the beginning has grown to this size.
constexpr std::string_view kLastChunk = "0\r\n\r\n";

// Chunk extensions mean nothing to us and have been used to smuggle line ends.
void refuse_extensions(std::uint64_t, boost::beast::string_view extensions, error_code& ec) {
  if (!extensions.empty()) ec = http::error::bad_chunk_extension;
}

// The fields as they stood in the head: Beast adds a body's trailers to its own list later.
template <class Fields>
HttpHeaders copy_headers(const Fields& fields, bool with_connection) {
  HttpHeaders headers;
  for (const auto& field : fields) {
    const auto name = field.name();
    if (name == http::field::content_length || name == http::field::transfer_encoding) continue;
    if (name == http::field::connection && !with_connection) continue;
    headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  return headers;
}

// What requests and responses have in common: bytes waiting, and one Beast parser a message.
template <bool is_request>
struct MessageReader {
  using Parser = http::parser<is_request, http::string_body>;
  enum class Phase { head, body, done, failed };

  explicit MessageReader(HttpLimits l) : limits(l) {}

  // Moves a whole head from `pending` into a fresh parser. need_more or refused otherwise.
  HttpStep read_head() {
    const HeadEnd end = find_head_end(waiting(), scanned);
    if (end.kind == HeadEnd::broken) return refuse(400);
    const std::size_t size = end.kind == HeadEnd::found ? end.size : waiting().size();
    if (size > limits.header_bytes) return refuse(431);
    if (end.kind == HeadEnd::missing) {
      scanned = size;
      return HttpStep::need_more;
    }
    const auto head = waiting().substr(0, size);
    if (const int status = check(head); status != 0) return refuse(status);
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser->body_limit(limits.body_bytes);
    parser->skip(skip_body);
    parser->eager(true);
    parser->on_chunk_header(on_chunk);
    error_code ec;
    const std::size_t used = parser->put(boost::asio::buffer(head), ec);
    if (ec || used != head.size()) return refuse(ec == http::error::body_limit ? 413 : 400);
    begin += used;
    scanned = 0;
    headers = copy_headers(parser->get(), !is_request);
    phase = Phase::body;
    return HttpStep::complete;
  }

  HttpStep read_body() {
    while (!parser->is_done()) {
      if (waiting().size() < (parser->chunked() ? kLastChunk.size() : 1))
        return HttpStep::need_more;
      error_code ec;
      begin += parser->put(boost::asio::buffer(waiting()), ec);
      if (ec == http::error::need_more) {
        // Only a chunk's size line or the trailers wait for more.
        if (waiting().size() > limits.header_bytes) return refuse(431);
        return HttpStep::need_more;
      }
      if (ec) return refuse(ec == http::error::body_limit ? 413 : 400);
    }
    phase = Phase::done;
    return HttpStep::complete;
  }

  HttpStep refuse(int why) {
    status = why;
    phase = Phase::failed;
    return HttpStep::refused;
  }

  int check(std::string_view head) const {
    if constexpr (is_request) return check_request_head(head, limits.header_count);
    return check_response_head(head, limits.header_count) ? 0 : 400;
  }

  void feed(std::string_view bytes) {
    pending.erase(0, std::exchange(begin, 0));
    pending += bytes;
  }

  // The bytes that no step has used yet.
  std::string_view waiting() const { return std::string_view(pending).substr(begin); }

  HttpLimits limits;
  std::string pending;
  std::size_t begin = 0;    // of what waits in `pending`
  std::size_t scanned = 0;  // how much of that was searched for the end of the head
  Phase phase = Phase::head;
  bool skip_body = false;
  int status = 0;  // of the refusal
  std::optional<Parser> parser;
  HttpHeaders headers;
  // Beast keeps a reference to it.
  std::function<void(std::uint64_t, boost::beast::string_view, error_code&)> on_chunk =
      refuse_extensions;
};

}  // namespace

struct HttpRequestReader::State : MessageReader<true> {
  using MessageReader::MessageReader;
  bool continue_asked = false;

  // After a head: 417 for an expectation that is not "100-continue".
  HttpStep check_expectation() {
    const auto expect = find_header(headers, "expect");
    continue_asked = false;
    if (!expect) return HttpStep::complete;
    if (!equal_ignoring_case(*expect, "100-continue")) return refuse(417);
    // Somebody who has begun to send the body waits for nothing.
    continue_asked = parser->get().version() == 11 && !parser->is_done() && waiting().empty();
    return HttpStep::complete;
  }
};

HttpRequestReader::HttpRequestReader(HttpLimits limits) : state_(std::make_unique<State>(limits)) {}
HttpRequestReader::HttpRequestReader(HttpRequestReader&&) noexcept = default;
HttpRequestReader::~HttpRequestReader() = default;

void HttpRequestReader::feed(std::string_view bytes) { state_->feed(bytes); }

HttpStep HttpRequestReader::step() {
  State& s = *state_;
  if (s.phase == State::Phase::failed) return HttpStep::refused;
  if (s.phase == State::Phase::done) s.phase = State::Phase::head;
  if (s.phase == State::Phase::head) {
    if (const HttpStep head = s.read_head(); head != HttpStep::complete) return head;
    if (s.check_expectation() == HttpStep::refused) return HttpStep::refused;
  }
  if (std::exchange(s.continue_asked, false)) return HttpStep::send_continue;
  return s.read_body();
}

HttpRequest HttpRequestReader::take() {
  State& s = *state_;
  ASSERT(s.phase == State::Phase::done);
  auto& message = s.parser->get();
  return {std::string(message.method_string()), std::string(message.target()), std::move(s.headers),
          std::move(message.body())};
}

bool HttpRequestReader::keep_alive() const {
  return state_->parser && state_->parser->keep_alive();
}
int HttpRequestReader::refusal() const { return state_->status; }
bool HttpRequestReader::idle() const {
  return state_->phase != State::Phase::body && state_->waiting().empty();
}
bool HttpRequestReader::in_body() const { return state_->phase == State::Phase::body; }

struct HttpResponseReader::State : MessageReader<false> {
  using MessageReader::MessageReader;
  // Interim answers are few; a server that sends more is at fault.
  static constexpr int kMaxInterim = 8;
  int interim = 0;
  bool truncated = false;

  bool is_interim() const {
    const unsigned code = parser->get().result_int();
    return code >= 100 && code < 200;
  }
};

HttpResponseReader::HttpResponseReader(HttpLimits limits, bool to_head)
    : state_(std::make_unique<State>(limits)) {
  state_->skip_body = to_head;
}
HttpResponseReader::HttpResponseReader(HttpResponseReader&&) noexcept = default;
HttpResponseReader::~HttpResponseReader() = default;

void HttpResponseReader::feed(std::string_view bytes) { state_->feed(bytes); }

HttpStep HttpResponseReader::step() {
  State& s = *state_;
  if (s.phase == State::Phase::failed) return HttpStep::refused;
  while (s.phase == State::Phase::head) {
    if (const HttpStep head = s.read_head(); head != HttpStep::complete) return head;
    if (!s.is_interim()) break;
    // 101 would change the protocol, which we never ask for.
    if (s.parser->get().result_int() == 101 || ++s.interim > State::kMaxInterim)
      return s.refuse(400);
    s.phase = State::Phase::head;
  }
  return s.read_body();
}

HttpStep HttpResponseReader::end() {
  State& s = *state_;
  if (s.phase == State::Phase::done) return HttpStep::complete;
  s.truncated = s.phase != State::Phase::failed;
  if (s.phase != State::Phase::body) return s.refuse(400);
  error_code ec;
  s.parser->put_eof(ec);
  if (ec) return s.refuse(400);
  s.truncated = false;
  s.phase = State::Phase::done;
  return HttpStep::complete;
}

HttpResponse HttpResponseReader::take() {
  State& s = *state_;
  ASSERT(s.phase == State::Phase::done);
  auto& message = s.parser->get();
  return {static_cast<int>(message.result_int()), std::move(s.headers), std::move(message.body())};
}

error_code HttpResponseReader::error() const {
  if (state_->truncated) return Errc::truncated;
  return state_->status == 413 || state_->status == 431 ? Errc::limit_exceeded : Errc::malformed;
}

}  // namespace oc::net
