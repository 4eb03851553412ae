#include "net/http.hpp"
#include "net/http_head.hpp"
#include "net/http_reader.hpp"

namespace oc::net {
namespace {

bool is_sendable(const HttpRequest& request, std::string_view host) {
  if (!is_token(request.method) || !is_origin_form(request.target) || !is_field_value(host))
    return false;
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_field_value(value) || equal_ignoring_case(name, "host"))
      return false;
  }
  return true;
}

}  // namespace

awaitable<Result<HttpResponse>> http_call(Stream& stream, HttpRequest request, std::string host,
                                          HttpLimits limits) {
  if (!is_sendable(request, host)) co_return Errc::malformed;
  std::string message = request_head(request, host);
  message += request.body;
  // A server may answer, and end, before it took the whole request; its answer tells why.
  const auto written = co_await stream.write(as_bytes(message));
  if (!written && written.error() == Errc::cancelled) co_return written.error();

  HttpResponseReader reader(limits, request.method == "HEAD");
  for (;;) {
    HttpStep step = reader.step();
    if (step == HttpStep::need_more) {
      auto chain = co_await stream.read_chain();
      if (chain) {
        for (const Buffer& buffer : *chain) reader.feed(as_text(buffer.bytes()));
        continue;
      }
      if (chain.error() != Errc::eof) co_return chain.error();
      step = reader.end();
    }
    if (step == HttpStep::complete) co_return reader.take();
    co_return reader.error();
  }
}

}  // namespace oc::net
