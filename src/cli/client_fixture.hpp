// Runs client commands against a node that is only a script: what it was asked is recorded, what it
// answers is given by the test.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/client.hpp"
#include "cli/temporary_folder.hpp"
#include "net/fake_stream.hpp"
#include "net/http.hpp"

namespace oc::cli {

class ClientTest : public ::testing::Test {
 protected:
  struct Run {
    int status;
    std::string out;
    std::string err;
  };

  // Each request takes the next answer; the last one is given until there is a new one.
  void answer(int status, std::string body) {
    if (last_is_used_) answers_.pop_front();
    last_is_used_ = false;
    answers_.push_back({status, {{"Content-Type", "application/json"}}, std::move(body)});
  }
  // The answer of a far node, as the near one wraps it.
  void answer_wrapped(int status, const std::string& body) {
    answer(200, nlohmann::json{{"status", status},
                               {"headers", {{"content-type", "application/json"}}},
                               {"body", body},
                               {"body_encoding", "text"}}
                    .dump());
  }

  Run run(const std::vector<std::string>& args) {
    std::ostringstream out, err;
    const Surroundings world{
        [this](const std::string& name) { return find(environment_, name); },
        [this](std::string host, std::uint16_t port) { return connect(std::move(host), port); },
        [this](const std::string& prompt, bool echo) { return ask(prompt, echo); },
        interactive_,
        out,
        err};
    const int status = run_client(args, world);
    return {status, out.str(), err.str()};
  }

  const net::HttpRequest& request(std::size_t i) const { return requests_.at(i); }
  std::string header(std::size_t i, std::string_view name) const {
    return std::string(net::find_header(requests_.at(i).headers, name).value_or(""));
  }
  nlohmann::json body(std::size_t i) const { return nlohmann::json::parse(requests_.at(i).body); }

  TemporaryFolder home_;
  std::map<std::string, std::string> environment_{{"HOME", home_.path()}};
  std::vector<net::HttpRequest> requests_;
  std::vector<std::string> connections_;  // "host:port"
  error_code connect_error_;              // what connecting gives, if set
  bool interactive_ = false;
  std::deque<std::string> typed_;     // what a person types, in order
  std::vector<std::string> prompts_;  // with " (hidden)" where the answer is not shown

 private:
  static std::optional<std::string> find(const std::map<std::string, std::string>& map,
                                         const std::string& name) {
    const auto found = map.find(name);
    return found == map.end() ? std::nullopt : std::optional(found->second);
  }

  std::optional<std::string> ask(const std::string& prompt, bool echo) {
    prompts_.push_back(prompt + (echo ? "" : "(hidden)"));
    if (typed_.empty()) return std::nullopt;
    std::string line = std::move(typed_.front());
    typed_.pop_front();
    return line;
  }

  awaitable<net::HttpResponse> respond(net::HttpRequest request) {
    requests_.push_back(std::move(request));
    if (answers_.empty()) {
      net::HttpResponse none{500, {}, "the test has no answer"};
      co_return none;
    }
    net::HttpResponse response = answers_.front();
    if (answers_.size() > 1) {
      answers_.pop_front();
    } else {
      last_is_used_ = true;
    }
    co_return response;
  }

  awaitable<void> serve(std::unique_ptr<net::Stream> stream) {
    net::HttpHandler handler = [this](net::HttpRequest r) { return respond(std::move(r)); };
    co_await net::serve_http(*stream, clock_, std::move(handler));
  }

  awaitable<Result<std::unique_ptr<net::Stream>>> connect(std::string host, std::uint16_t port) {
    connections_.push_back(host + ":" + std::to_string(port));
    if (connect_error_) co_return connect_error_;
    auto [near, far] = net::make_fake_stream_pair();
    asio::co_spawn(co_await asio::this_coro::executor, serve(std::move(far)),
                   [](std::exception_ptr thrown) {
                     if (thrown) std::rethrow_exception(thrown);
                   });
    co_return std::move(near);
  }

  std::deque<net::HttpResponse> answers_;
  bool last_is_used_ = false;
  FakeClock clock_;
};

}  // namespace oc::cli
