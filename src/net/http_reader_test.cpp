#include "net/http_reader.hpp"

#include <gtest/gtest.h>

namespace oc::net {
namespace {

struct Outcome {
  std::vector<HttpRequest> requests;
  int refusal = 0;
  bool operator==(const Outcome& other) const {
    if (refusal != other.refusal || requests.size() != other.requests.size()) return false;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto &a = requests[i], &b = other.requests[i];
      if (a.method != b.method || a.target != b.target || a.body != b.body ||
          a.headers != b.headers) {
        return false;
      }
    }
    return true;
  }
};

void drain(HttpRequestReader& reader, Outcome& outcome) {
  for (;;) {
    switch (reader.step()) {
      case HttpStep::need_more: return;
      case HttpStep::send_continue: break;
      case HttpStep::complete: outcome.requests.push_back(reader.take()); break;
      case HttpStep::refused: outcome.refusal = reader.refusal(); return;
    }
  }
}

Outcome read_in_pieces(std::string_view bytes, std::size_t first, std::size_t then,
                       HttpLimits limits = {}) {
  HttpRequestReader reader(limits);
  Outcome outcome;
  std::size_t piece = first;
  while (!bytes.empty() && outcome.refusal == 0) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    drain(reader, outcome);
    piece = then;
  }
  return outcome;
}

// The outcome of reading the bytes whole; fails when any other chunking reads something else.
Outcome read_requests(const std::string& bytes, HttpLimits limits = {}) {
  const Outcome whole = read_in_pieces(bytes, bytes.size(), bytes.size(), limits);
  EXPECT_TRUE(read_in_pieces(bytes, 1, 1, limits) == whole) << "byte by byte: " << bytes;
  for (std::size_t split = 1; split < bytes.size(); ++split) {
    EXPECT_TRUE(read_in_pieces(bytes, split, bytes.size(), limits) == whole)
        << "split at " << split << ": " << bytes;
  }
  return whole;
}

std::string with_headers(std::string_view headers, std::string_view body = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

TEST(HttpRequestReader, reads_a_request_without_a_body) {
  const Outcome got =
      read_requests("GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-Y:  z \r\nConnection: x\r\n\r\n");
  ASSERT_EQ(got.requests.size(), 1u);
  EXPECT_EQ(got.requests[0].method, "GET");
  EXPECT_EQ(got.requests[0].target, "/a?b=c");
  EXPECT_EQ(got.requests[0].headers, (HttpHeaders{{"Host", "a"}, {"X-Y", "z"}}));
  EXPECT_EQ(got.refusal, 0);
}

TEST(HttpRequestReader, reads_a_body_of_a_given_length_and_what_follows_it) {
  const Outcome got = read_requests(
      with_headers("Content-Length: 5\r\n", "helloGET /2 HTTP/1.1\r\nHost: b\r\n\r\n"));
  ASSERT_EQ(got.requests.size(), 2u);
  EXPECT_EQ(got.requests[0].body, "hello");
  EXPECT_EQ(got.requests[0].headers, (HttpHeaders{{"Host", "a"}}));
  EXPECT_EQ(got.requests[1].target, "/2");
}

TEST(HttpRequestReader, reads_a_chunked_body_and_drops_its_trailers) {
  const Outcome got =
      read_requests(with_headers("Transfer-Encoding: chunked\r\n",
                                 "5\r\nhello\r\nA\r\n, world 12\r\n0\r\nAuthorization: Bearer "
                                 "x\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n"));
  ASSERT_EQ(got.requests.size(), 2u);
  EXPECT_EQ(got.requests[0].body, "hello, world 12");
  EXPECT_FALSE(find_header(got.requests[0].headers, "authorization"));
  EXPECT_FALSE(find_header(got.requests[0].headers, "transfer-encoding"));
}

TEST(HttpRequestReader, says_whether_the_connection_may_go_on) {
  const auto keep_alive = [](std::string bytes) {
    HttpRequestReader reader{HttpLimits{}};
    reader.feed(bytes);
    EXPECT_EQ(reader.step(), HttpStep::complete);
    return reader.keep_alive();
  };
  EXPECT_TRUE(keep_alive("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keep_alive("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(HttpRequestReader, asks_for_continue_only_while_the_body_is_awaited) {
  const std::string head = with_headers("Content-Length: 2\r\nExpect: 100-continue\r\n");
  HttpRequestReader waiting{HttpLimits{}};
  waiting.feed(head);
  EXPECT_EQ(waiting.step(), HttpStep::send_continue);
  EXPECT_EQ(waiting.step(), HttpStep::need_more);
  waiting.feed("hi");
  EXPECT_EQ(waiting.step(), HttpStep::complete);
  EXPECT_EQ(waiting.take().body, "hi");

  HttpRequestReader impatient{HttpLimits{}};
  impatient.feed(head + "hi");
  EXPECT_EQ(impatient.step(), HttpStep::complete);

  EXPECT_EQ(read_requests(with_headers("Content-Length: 2\r\nExpect: miracles\r\n")).refusal, 417);
}

struct Hostile {
  const char* what;
  std::string bytes;
};

std::vector<Hostile> smuggling_attempts() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      {"length and chunked", with_headers("Content-Length: 5\r\n" + chunked, "0\r\n\r\n")},
      {"chunked and length", with_headers(chunked + "Content-Length: 5\r\n", "0\r\n\r\n")},
      {"two lengths", with_headers("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")},
      {"the same length twice",
       with_headers("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")},
      {"signed length", with_headers("Content-Length: +5\r\n", "hello")},
      {"list of lengths", with_headers("Content-Length: 5,5\r\n", "hello")},
      {"hexadecimal length", with_headers("Content-Length: 0x5\r\n", "hello")},
      {"empty length", with_headers("Content-Length: \r\n", "hello")},
      {"length with a space", with_headers("Content-Length: 1 5\r\n", "hello")},
      {"length beyond 64 bits", with_headers("Content-Length: 18446744073709551621\r\n", "hello")},
      {"two encodings", with_headers(chunked + chunked, "0\r\n\r\n")},
      {"two encodings in one",
       with_headers("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {"chunked not last", with_headers("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {"gzip and chunked", with_headers("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {"identity", with_headers("Transfer-Encoding: identity\r\n", "hello")},
      {"empty encoding", with_headers("Transfer-Encoding:\r\n", "0\r\n\r\n")},
      {"tab before chunked", with_headers("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n")},
      {"vertical tab before chunked",
       with_headers("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n")},
      {"quoted chunked", with_headers("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
      {"space before the colon", with_headers("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")},
      {"space before a name", with_headers(" Transfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"folded header", with_headers("X: a\r\n b\r\n")},
      {"header folded with a tab", with_headers("X: a\r\n\tContent-Length: 5\r\n")},
      {"no colon", with_headers("Transfer-Encoding chunked\r\n")},
      {"empty name", with_headers(": a\r\n")},
      {"bare LF after a header", with_headers("X: a\nContent-Length: 5\r\n", "hello")},
      {"bare CR in a header", with_headers("X: a\rContent-Length: 5\r\n", "hello")},
      {"bare CR before the line's end", with_headers("X: a\r\r\n")},
      {"NUL in a header", with_headers(std::string("X: a\0b\r\n", 8))},
      {"NUL in a name", with_headers(std::string("X\0: a\r\n", 7))},
      {"only LFs", "GET / HTTP/1.1\nHost: a\n\n"},
      {"LF LF as the end", "GET / HTTP/1.1\r\nHost: a\n\n"},
      {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"bare LF in a chunk's line", with_headers(chunked, "5\nhello\r\n0\r\n\r\n")},
      {"bare CR in a chunk's line", with_headers(chunked, "5\rhello\r\n0\r\n\r\n")},
      {"bare LF after a chunk", with_headers(chunked, "5\r\nhello\n0\r\n\r\n")},
      {"nothing after a chunk", with_headers(chunked, "5\r\nhello0\r\n\r\n")},
      {"chunk extension", with_headers(chunked, "5;a=b\r\nhello\r\n0\r\n\r\n")},
      {"LF in a chunk extension", with_headers(chunked, "5;a\nb\r\nhello\r\n0\r\n\r\n")},
      {"extension of the last chunk", with_headers(chunked, "0;a\r\n\r\n")},
      {"space after a chunk's size", with_headers(chunked, "5 \r\nhello\r\n0\r\n\r\n")},
      {"negative chunk", with_headers(chunked, "-5\r\nhello\r\n0\r\n\r\n")},
      {"signed chunk", with_headers(chunked, "+5\r\nhello\r\n0\r\n\r\n")},
      {"0x chunk", with_headers(chunked, "0x5\r\nhello\r\n0\r\n\r\n")},
      {"empty chunk line", with_headers(chunked, "\r\nhello\r\n0\r\n\r\n")},
      {"chunk size of 17 digits", with_headers(chunked, "10000000000000005\r\nhello\r\n0\r\n\r\n")},
      {"length in a trailer", with_headers(chunked, "0\r\nContent-Length: 5\r\n\r\n")},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\n" + chunked + "\r\n0\r\n\r\n"},
      {"no Host", "GET / HTTP/1.1\r\n\r\n"},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"authority form", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"no slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"high byte in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 29)},
      {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"no version", "GET /\r\nHost: a\r\n\r\n"},
      {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15)},
  };
}

TEST(HttpRequestReader, refuses_what_two_parsers_could_read_differently) {
  for (const auto& [what, bytes] : smuggling_attempts()) {
    const Outcome got = read_requests(bytes);
    EXPECT_EQ(got.refusal, 400) << what;
    EXPECT_TRUE(got.requests.empty()) << what << ": something was let through";
  }
}

TEST(HttpRequestReader, refuses_other_versions) {
  EXPECT_EQ(read_requests("GET / HTTP/2.0\r\nHost: a\r\n\r\n").refusal, 505);
  EXPECT_EQ(read_requests("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refusal, 400);
}

TEST(HttpRequestReader, stays_refused) {
  HttpRequestReader reader{HttpLimits{}};
  reader.feed("nonsense\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(reader.step(), HttpStep::refused);
  reader.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(reader.step(), HttpStep::refused);
}

TEST(HttpRequestReader, bounds_heads_bodies_and_counts) {
  HttpLimits limits;
  limits.header_bytes = 128;
  limits.header_count = 3;
  limits.body_bytes = 8;
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(read_requests(with_headers("X: " + std::string(200, 'x')), limits).refusal, 431);
  EXPECT_EQ(read_requests(std::string(129, 'A'), limits).refusal, 431);
  EXPECT_EQ(read_requests(with_headers("A: 1\r\nB: 2\r\n"), limits).refusal, 0);
  EXPECT_EQ(read_requests(with_headers("A: 1\r\nB: 2\r\nC: 3\r\n"), limits).refusal, 431);
  EXPECT_EQ(read_requests(with_headers("Content-Length: 8\r\n", "12345678"), limits).refusal, 0);
  EXPECT_EQ(read_requests(with_headers("Content-Length: 9\r\n"), limits).refusal, 413);
  EXPECT_EQ(read_requests(with_headers("Content-Length: 999999999999999999\r\n"), limits).refusal,
            413);
  EXPECT_EQ(read_requests(with_headers(chunked, "5\r\nhello\r\n4\r\n"), limits).refusal, 413);
  EXPECT_EQ(read_requests(with_headers(chunked, "FFFFFFFFFFFFFFFF\r\n"), limits).refusal, 413);
  EXPECT_EQ(read_requests(with_headers(chunked, std::string(200, '0')), limits).refusal, 431);
  EXPECT_EQ(
      read_requests(with_headers(chunked, "0\r\nA: " + std::string(200, 'x')), limits).refusal,
      431);
}

TEST(HttpRequestReader, reads_thousands_of_pipelined_requests) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(read_in_pieces(bytes, bytes.size(), bytes.size()).requests.size(), 5000u);
}

struct Answer {
  HttpStep step = HttpStep::need_more;
  HttpResponse response;
  error_code error;
};

Answer read_answer(std::string_view bytes, bool ended = true, bool to_head = false) {
  Answer whole;
  for (const std::size_t piece : {bytes.size(), std::size_t{1}, std::size_t{3}}) {
    HttpResponseReader reader(HttpLimits{}, to_head);
    Answer answer;
    for (std::size_t at = 0; at < bytes.size() && answer.step == HttpStep::need_more; at += piece) {
      reader.feed(bytes.substr(at, piece));
      answer.step = reader.step();
    }
    if (ended && answer.step == HttpStep::need_more) answer.step = reader.end();
    if (answer.step == HttpStep::complete) answer.response = reader.take();
    if (answer.step == HttpStep::refused) answer.error = reader.error();
    if (piece == bytes.size()) {
      whole = answer;
    } else {
      EXPECT_EQ(answer.step, whole.step) << piece << ": " << bytes;
      EXPECT_EQ(answer.response.body, whole.response.body) << piece << ": " << bytes;
    }
  }
  return whole;
}

TEST(HttpResponseReader, reads_each_way_of_ending_a_body) {
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false).response.body,
            "hi");
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                        false)
                .response.body,
            "hi");
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\n\r\nhi there").response.body, "hi there");
  EXPECT_EQ(read_answer("HTTP/1.1 204 \r\n\r\n", false).response.status, 204);
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false, true).step,
            HttpStep::complete);
}

TEST(HttpResponseReader, skips_interim_answers_but_not_for_ever) {
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n";
  const std::string final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  EXPECT_EQ(read_answer(interim + interim + final).response.status, 200);
  std::string many;
  for (int i = 0; i < 9; ++i) many += interim;
  EXPECT_EQ(read_answer(many + final).error, Errc::malformed);
  EXPECT_EQ(read_answer("HTTP/1.1 101 Switching\r\n\r\n" + final).error, Errc::malformed);
}

TEST(HttpResponseReader, tells_a_truncated_answer_from_a_malformed_and_a_large_one) {
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi").error, Errc::truncated);
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n").error,
            Errc::truncated);
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\nConte").error, Errc::truncated);
  EXPECT_EQ(
      read_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nhi").error,
      Errc::malformed);
  EXPECT_EQ(read_answer("SSH-2.0-OpenSSH_9.2\r\n\r\n").error, Errc::malformed);
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nhi").error,
            Errc::limit_exceeded);
}

}  // namespace
}  // namespace oc::net
