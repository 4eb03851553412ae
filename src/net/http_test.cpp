#include "net/http.hpp"

#include "net/fake_stream.hpp"
#include "support/run_async.hpp"

namespace oc::net {
namespace {

using namespace std::chrono_literals;
using test::run_async;

awaitable<HttpResponse> echo(HttpRequest request) {
  HttpResponse response;
  response.headers.emplace_back("Content-Type", "text/plain");
  response.body = request.method + " " + request.target + " " + request.body;
  co_return response;
}

awaitable<HttpResponse> large(HttpRequest) {
  HttpResponse response;
  response.body.assign(1 << 20, 'x');
  co_return response;
}

awaitable<void> turns(int count) {
  auto executor = co_await asio::this_coro::executor;
  for (int i = 0; i < count; ++i) co_await asio::post(executor, asio::use_awaitable);
}

awaitable<void> serve_task(Stream& stream, Clock& clock, HttpHandler handler, HttpLimits limits,
                           bool& ended) {
  co_await serve_http(stream, clock, std::move(handler), limits);
  ended = true;
}

// A server on one end of a pair of fake streams; the test holds the other.
struct Served {
  explicit Served(Executor executor, HttpHandler handler = echo, HttpLimits limits = {},
                  FakeStreamOptions options = {})
      : scope(executor) {
    std::tie(client, server) = make_fake_stream_pair(options);
    scope.spawn("http server", serve_task(*server, clock, std::move(handler), limits, ended));
  }

  awaitable<void> send(std::string bytes) {
    auto sent = co_await client->write(as_bytes(bytes));
    EXPECT_TRUE(sent);
    co_await turns(30);
  }

  // Everything until the server ends.
  awaitable<std::string> rest() {
    std::string text;
    Bytes buffer(4096);
    for (;;) {
      auto n = co_await client->read_some(buffer);
      if (!n) co_return text;
      text += as_text(BytesView(buffer).first(*n));
    }
  }

  FakeClock clock;
  TaskScope scope;
  std::unique_ptr<Stream> client, server;
  bool ended = false;
};

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(ServeHttp, answers_pipelined_requests_in_order_and_ends_with_the_peer) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await served.send(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: "
        "2\r\n\r\nhi"
        "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(co_await served.client->close_write());
    const std::string text = co_await served.rest();
    EXPECT_EQ(count(text, "HTTP/1.1 200 OK\r\n"), 3u);
    EXPECT_LT(text.find("GET /1 "), text.find("POST /2 hi"));
    EXPECT_LT(text.find("POST /2 hi"), text.find("GET /3 "));
    EXPECT_TRUE(served.ended);
    co_await served.scope.close();
  });
}

TEST(ServeHttp, answers_whole_however_the_bytes_are_cut) {
  for (const std::size_t largest : {1u, 2u, 7u, 33u}) {
    run_async([largest]() -> awaitable<void> {
      FakeStreamOptions options;
      options.largest_read = largest;
      Served served(co_await asio::this_coro::executor, echo, {}, options);
      co_await served.send(
          "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
          "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
      EXPECT_TRUE(co_await served.client->close_write());
      EXPECT_NE((co_await served.rest()).find("\r\n\r\nPOST /c abcde"), std::string::npos);
      co_await served.scope.close();
    });
  }
}

TEST(ServeHttp, answers_head_with_the_length_and_without_the_body) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await served.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(co_await served.client->close_write());
    const std::string text = co_await served.rest();
    EXPECT_NE(text.find("Content-Length: 8\r\n"), std::string::npos);
    EXPECT_TRUE(text.ends_with("\r\n\r\n"));
    co_await served.scope.close();
  });
}

TEST(ServeHttp, closes_when_asked_and_answers_nothing_after_it) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await served.send(
        "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: "
        "a\r\n\r\n");
    const std::string text = co_await served.rest();
    EXPECT_EQ(count(text, "HTTP/1.1 "), 1u);
    EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos);
    co_await served.scope.close();
  });
}

TEST(ServeHttp, sends_continue_before_it_waits_for_the_body) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await served.send(
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    Bytes interim(25);
    EXPECT_TRUE(co_await read_exactly(*served.client, interim));
    EXPECT_EQ(as_text(interim), "HTTP/1.1 100 Continue\r\n\r\n");
    co_await served.send("ok");
    EXPECT_TRUE(co_await served.client->close_write());
    EXPECT_NE((co_await served.rest()).find("POST / ok"), std::string::npos);
    co_await served.scope.close();
  });
}

TEST(ServeHttp, refuses_and_closes_without_calling_the_handler) {
  run_async([]() -> awaitable<void> {
    int calls = 0;
    auto handler = [&calls](HttpRequest request) -> awaitable<HttpResponse> {
      ++calls;
      return echo(std::move(request));
    };
    Served served(co_await asio::this_coro::executor, handler);
    co_await served.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(co_await served.client->close_write());
    const std::string text = co_await served.rest();
    EXPECT_TRUE(text.starts_with("HTTP/1.1 400 Bad Request\r\n")) << text;
    EXPECT_EQ(count(text, "HTTP/1.1 "), 1u);
    EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(calls, 0);
    co_await turns(30);
    EXPECT_TRUE(served.ended);
    co_await served.scope.close();
  });
}

TEST(ServeHttp, drops_what_a_refused_peer_goes_on_sending_for_a_while_only) {
  run_async([]() -> awaitable<void> {
    HttpLimits limits;
    limits.body_bytes = 10;
    Served served(co_await asio::this_coro::executor, echo, limits);
    co_await served.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n");
    co_await served.send(std::string(50000, 'x'));
    EXPECT_TRUE((co_await served.rest()).starts_with("HTTP/1.1 413 "));
    EXPECT_FALSE(served.ended);
    served.clock.advance(3s);
    co_await turns(30);
    EXPECT_TRUE(served.ended);
    co_await served.scope.close();
  });
}

TEST(ServeHttp, a_slow_head_is_not_kept_alive_by_single_bytes) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await served.send("GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 9; ++i) {
      co_await served.send("X");
      served.clock.advance(1s);
      co_await turns(30);
    }
    EXPECT_EQ(served.clock.pending(), 1u);
    served.clock.advance(2s);
    co_await turns(30);
    EXPECT_TRUE(co_await served.client->close_write());
    EXPECT_TRUE((co_await served.rest()).starts_with("HTTP/1.1 408 "));
    co_await served.scope.close();
  });
}

TEST(ServeHttp, a_slow_body_is_refused_too) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await served.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx");
    for (int i = 0; i < 16; ++i) {
      served.clock.advance(2s);
      co_await turns(30);
      if (i < 14) co_await served.send("x");
    }
    EXPECT_TRUE(co_await served.client->close_write());
    EXPECT_TRUE((co_await served.rest()).starts_with("HTTP/1.1 408 "));
    co_await served.scope.close();
  });
}

TEST(ServeHttp, an_idle_connection_is_closed_without_a_word) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await turns(10);
    served.clock.advance(59s);
    co_await turns(30);
    EXPECT_FALSE(served.ended);
    served.clock.advance(1s);
    co_await turns(30);
    EXPECT_TRUE(served.ended);
    EXPECT_EQ(co_await served.rest(), "");
    co_await served.scope.close();
  });
}

TEST(ServeHttp, gives_up_on_a_peer_that_never_reads_its_answer) {
  run_async([]() -> awaitable<void> {
    FakeStreamOptions options;
    options.capacity = 1024;
    Served served(co_await asio::this_coro::executor, large, {}, options);
    co_await served.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_FALSE(served.ended);
    served.clock.advance(61s);
    co_await turns(30);
    EXPECT_TRUE(served.ended);
    co_await served.scope.close();
  });
}

TEST(ServeHttp, ends_when_it_is_cancelled) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await served.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx");
    co_await served.scope.close();
    EXPECT_EQ(served.clock.pending(), 0u);
  });
}

awaitable<Result<HttpResponse>> call(Served& served, HttpRequest request) {
  co_return co_await http_call(*served.client, std::move(request), "a");
}

awaitable<void> expect_echo(Served& served, std::string method, std::string sent,
                            std::string body) {
  HttpRequest request;
  request.method = std::move(method);
  request.target = "/x";
  request.headers.emplace_back("X-A", "b");
  request.body = std::move(sent);
  auto response = co_await call(served, std::move(request));
  EXPECT_TRUE(response);
  if (!response) co_return;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, body);
  EXPECT_EQ(find_header(response->headers, "content-type"), "text/plain");
}

TEST(HttpCall, gets_an_answer_and_may_go_on) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    co_await expect_echo(served, "POST", "one", "POST /x one");
    co_await expect_echo(served, "POST", "two", "POST /x two");
    co_await expect_echo(served, "HEAD", "", "");
    co_await served.scope.close();
  });
}

TEST(HttpCall, carries_a_large_answer) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor, large);
    HttpRequest request{"GET", "/", {}, ""};
    auto response = co_await call(served, std::move(request));
    EXPECT_TRUE(response && response->body.size() == 1 << 20);
    co_await served.scope.close();
  });
}

TEST(HttpCall, refuses_to_send_line_breaks) {
  run_async([]() -> awaitable<void> {
    Served served(co_await asio::this_coro::executor);
    const std::vector<HttpRequest> bad = {
        {"GET", "/ HTTP/1.1\r\nX: y", {}, ""},  {"GET\r\n", "/", {}, ""},
        {"GET", "/", {{"X", "y\r\nZ: w"}}, ""}, {"GET", "/", {{"X\r\n", "y"}}, ""},
        {"GET", "/", {{"Host", "evil"}}, ""},   {"GET", "nowhere", {}, ""},
    };
    for (const HttpRequest& request : bad) {
      auto response = co_await call(served, request);
      EXPECT_EQ(response.error(), Errc::malformed) << request.target;
    }
    co_await served.scope.close();
  });
}

TEST(HttpCall, says_how_an_answer_failed) {
  run_async([]() -> awaitable<void> {
    struct Case {
      std::string bytes;
      Errc error;
    };
    const std::vector<Case> cases = {
        {"SMTP ready\r\n\r\n", Errc::malformed},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", Errc::truncated},
        {"", Errc::truncated},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", Errc::limit_exceeded},
    };
    for (const Case& c : cases) {
      auto [client, server] = make_fake_stream_pair();
      EXPECT_TRUE(co_await server->write(as_bytes(c.bytes)));
      EXPECT_TRUE(co_await server->close_write());
      HttpRequest request{"GET", "/", {}, ""};
      auto response = co_await http_call(*client, std::move(request), "a");
      EXPECT_EQ(response.error(), c.error) << c.bytes;
    }
  });
}

TEST(HttpCall, reads_the_answer_of_a_server_that_does_not_take_the_whole_request) {
  run_async([]() -> awaitable<void> {
    HttpLimits limits;
    limits.body_bytes = 10;
    Served served(co_await asio::this_coro::executor, echo, limits);
    HttpRequest request{"POST", "/", {}, std::string(5000, 'x')};
    auto response = co_await call(served, std::move(request));
    EXPECT_TRUE(response && response->status == 413);
    EXPECT_TRUE(response && find_header(response->headers, "connection") == "close");
    co_await served.scope.close();
  });
}

}  // namespace
}  // namespace oc::net
