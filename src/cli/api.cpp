#include "cli/api.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/deadline.hpp"

namespace oc::cli {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using nlohmann::json;

constexpr std::string_view kPrefix = "/api/v1/";

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Discarded when it is no JSON. What nests deeper than any answer of ours is left out, since
// printing it would take stack for each level.
json parse(const std::string& text) {
  constexpr int kDeepest = 64;
  const auto shallow = [](int depth, json::parse_event_t, json&) { return depth < kDeepest; };
  return json::parse(text, shallow, /*allow_exceptions=*/false);
}

Fault unexpected(const Target& target, const std::string& what) {
  const std::string who = target.node.empty() ? target.server.url() : "node " + target.node;
  return {FaultCode::unexpected_answer, who + " answered " + what};
}

awaitable<Result<HttpResponse>> connect_and_call(const Connect& connect, ServerAddress server,
                                                 HttpRequest request) {
  CO_TRY(const std::unique_ptr<net::Stream> stream, co_await connect(server.host, server.port));
  net::HttpLimits limits;
  limits.body_bytes = kMaxAnswer;
  co_return co_await net::http_call(*stream, std::move(request), server.authority(), limits);
}

// Runs the request on a loop of its own.
Result<HttpResponse> run(const Connect& connect, const ServerAddress& server, HttpRequest request) {
  asio::io_context io;
  SystemClock clock(io.get_executor());
  Result<HttpResponse> result = Errc::cancelled;
  bool done = false;
  std::exception_ptr failure;
  asio::co_spawn(
      io, with_deadline(clock, kRequestTime, connect_and_call(connect, server, std::move(request))),
      [&](std::exception_ptr thrown, Result<HttpResponse> answer) {
        failure = thrown;
        result = std::move(answer);
        done = true;
      });
  while (!done) io.run_one();  // run() would wait for the clock's timer, too
  io.poll();                   // what the end of the stream woke unwinds
  if (failure) std::rethrow_exception(failure);
  return result;
}

std::string field(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<int> fault_number(const std::string& code) {
  int number = 0;
  const char* end = code.data() + code.size();
  if (!code.starts_with("OC-")) return std::nullopt;
  const auto [stop, error] = std::from_chars(code.data() + 3, end, number);
  if (error != std::errc() || stop != end || number < 1000 || number > 9999) return std::nullopt;
  return number;
}

Outcome<json> object_of(const HttpResponse& response, const Target& target) {
  if (response.status < 200 || response.status > 299) return fault_of(response, target);
  json object = parse(response.body);
  if (!object.is_object()) return unexpected(target, "something that is not JSON");
  return object;
}

Outcome<HttpResponse> unwrap(const json& envelope, const Target& target) {
  const auto status = envelope.find("status");
  const auto headers = envelope.find("headers");
  const auto body = envelope.find("body");
  if (status == envelope.end() || !status->is_number_unsigned() || body == envelope.end() ||
      !body->is_string() || headers == envelope.end() || !headers->is_object()) {
    return unexpected(target, "without the other node's answer in it");
  }
  HttpResponse response;
  response.status = static_cast<int>(std::min(status->get<std::uint64_t>(), std::uint64_t{999}));
  for (const auto& [name, value] : headers->items()) {
    if (value.is_string()) response.headers.emplace_back(name, value.get<std::string>());
  }
  response.body = body->get<std::string>();
  if (field(envelope, "body_encoding") == "hex") {
    const Result<Bytes> bytes = from_hex(response.body);
    if (!bytes) return unexpected(target, "with a body that is not the hexadecimal it should be");
    response.body = as_text(*bytes);
  }
  return response;
}

}  // namespace

Fault fault_of(const HttpResponse& response, const Target& target) {
  const json answer = parse(response.body);
  const json error = answer.is_object() ? answer.value("error", json()) : json();
  const auto number = error.is_object() ? fault_number(field(error, "code")) : std::nullopt;
  if (!number) return unexpected(target, "with status " + std::to_string(response.status));
  Fault fault(static_cast<FaultCode>(*number), field(error, "message"), field(error, "hint"));
  const bool wants_login =
      fault.code == FaultCode::not_logged_in || fault.code == FaultCode::forbidden;
  if (wants_login && !target.node.empty()) {
    fault.hint =
        "run `open-chat client login --node " + target.node + "` with its root credentials";
  }
  return fault;
}

std::string percent_encoded(const std::string& text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (unreserved) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

void Api::use_session(std::string id) {
  (target_.node.empty() ? target_.session_id : target_.node_session_id) = std::move(id);
}

Outcome<HttpResponse> Api::send(HttpRequest request) {
  if (!target_.session_id.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + target_.session_id);
  }
  Result<HttpResponse> response = run(connect_, target_.server, std::move(request));
  if (response) return *std::move(response);
  const std::string url = target_.server.url();
  const error_code error = response.error();
  if (error == Errc::timed_out) {
    return Fault(FaultCode::api_unreachable,
                 url + " did not answer within " + std::to_string(kRequestTime.count()) + " s");
  }
  if (error == Errc::malformed || error == Errc::limit_exceeded) {
    return Fault(FaultCode::unexpected_answer,
                 url + " gave an answer that cannot be read: " + error.message());
  }
  return Fault(FaultCode::api_unreachable, "no node answers at " + url + ": " + error.message());
}

Outcome<HttpResponse> Api::send_through(const std::string& method, const std::string& target,
                                        const std::optional<std::string>& body) {
  json envelope = {{"method", method}, {"path", target}};
  if (body) envelope["body"] = *body;
  if (!target_.node_session_id.empty()) envelope["session_id"] = target_.node_session_id;
  const std::string path =
      std::string(kPrefix) + "federation/nodes/peer/" + percent_encoded(target_.node) + "/request";
  const auto answer = send({"POST", path, {{"Content-Type", "application/json"}}, dump(envelope)});
  if (!answer) return answer.error();
  Target server = target_;
  server.node.clear();
  const auto wrapped = object_of(*answer, server);
  if (!wrapped) return wrapped.error();
  return unwrap(*wrapped, server);
}

Outcome<HttpResponse> Api::exchange(const std::string& method, const std::string& target,
                                    const std::optional<std::string>& body) {
  if (!target_.node.empty()) return send_through(method, target, body);
  HttpRequest request{method, target, {}, body.value_or("")};
  if (body) request.headers.emplace_back("Content-Type", "application/json");
  return send(std::move(request));
}

Outcome<json> Api::call(const std::string& method, const std::string& path) {
  const auto response = exchange(method, std::string(kPrefix) + path, std::nullopt);
  if (!response) return response.error();
  return object_of(*response, target_);
}

Outcome<json> Api::get(const std::string& path) { return call("GET", path); }

Outcome<json> Api::post(const std::string& path, const json& body) {
  const auto response = exchange("POST", std::string(kPrefix) + path, dump(body));
  if (!response) return response.error();
  return object_of(*response, target_);
}

Outcome<json> Api::list(const std::string& path, std::size_t limit) {
  json rows = json::array();
  const std::size_t page_size = limit == 0 ? kPageSize : std::min<std::size_t>(limit, kPageSize);
  for (unsigned page = 1; page <= kMaxPages; ++page) {
    const auto answer =
        get(path + "?page=" + std::to_string(page) + "&limit=" + std::to_string(page_size));
    if (!answer) return answer.error();
    const auto found = answer->find("rows");
    if (found == answer->end() || !found->is_array()) return unexpected(target_, "without rows");
    for (const json& row : *found) {
      if (!row.is_object()) return unexpected(target_, "with rows that are no objects");
      if (limit == 0 || rows.size() < limit) rows.push_back(row);
    }
    if (found->size() < page_size || rows.size() == limit) break;
  }
  return rows;
}

}  // namespace oc::cli
