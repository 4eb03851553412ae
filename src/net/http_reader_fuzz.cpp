// Feeds arbitrary bytes to both readers, in pieces of a size that the first byte says. The request
// reader must read the same requests from the bytes whole; it may refuse one sooner in pieces,
// since a bound on unfinished lines is only met by lines that come unfinished.
#include <cstdlib>

#include "net/http_reader.hpp"

namespace {

using oc::net::HttpLimits;
using oc::net::HttpRequestReader;
using oc::net::HttpResponseReader;
using oc::net::HttpStep;

HttpLimits small_limits() {
  HttpLimits limits;
  limits.header_bytes = 512;
  limits.header_count = 8;
  limits.body_bytes = 256;
  return limits;
}

// A text of everything that was read.
std::string read_requests(std::string_view bytes, std::size_t piece) {
  HttpRequestReader reader(small_limits());
  std::string outcome;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
    for (HttpStep step = reader.step(); step != HttpStep::need_more; step = reader.step()) {
      if (step == HttpStep::refused) return outcome;
      if (step != HttpStep::complete) continue;
      const auto request = reader.take();
      outcome += request.method + " " + request.target + " " + request.body + "\n";
      for (const auto& [name, value] : request.headers) outcome += name + ": " + value + "\n";
    }
  }
  return outcome;
}

void read_response(std::string_view bytes, std::size_t piece, bool to_head) {
  HttpResponseReader reader(small_limits(), to_head);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
    if (reader.step() == HttpStep::complete) {
      (void)reader.take();
      return;
    }
  }
  (void)reader.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = data[0] % 16 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (!read_requests(bytes, bytes.size()).starts_with(read_requests(bytes, piece))) std::abort();
  read_response(bytes, piece, (data[0] & 0x80) != 0);
  return 0;
}
