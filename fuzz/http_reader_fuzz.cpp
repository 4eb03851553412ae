// Feeds arbitrary bytes to both readers, cut as the first byte says. The request reader must read
// the same requests from the bytes whole; it may refuse one sooner in pieces, since a bound on
// unfinished lines is only met by lines that come unfinished.
#include "net/http_reader.hpp"

#include "fuzzing.hpp"

using namespace oc;

namespace {

using net::HttpStep;

net::HttpLimits small_limits() {
  net::HttpLimits limits;
  limits.header_bytes = 512;
  limits.header_count = 8;
  limits.body_bytes = 256;
  return limits;
}

// A text of everything that was read.
std::string read_requests(BytesView left, fuzz::Cuts cuts) {
  net::HttpRequestReader reader(small_limits());
  std::string outcome;
  while (!left.empty()) {
    const std::size_t size = cuts.next(left);
    reader.feed(as_text(left.first(size)));
    left = left.subspan(size);
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

void read_response(BytesView left, fuzz::Cuts cuts, bool to_head) {
  net::HttpResponseReader reader(small_limits(), to_head);
  while (!left.empty()) {
    const std::size_t size = cuts.next(left);
    reader.feed(as_text(left.first(size)));
    left = left.subspan(size);
    if (reader.step() == HttpStep::complete) {
      (void)reader.take();
      return;
    }
  }
  (void)reader.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const Byte choice = input.byte();
  const BytesView bytes = input.rest();
  const fuzz::Cuts cuts(choice);
  fuzz::require(read_requests(bytes, fuzz::Cuts(0)).starts_with(read_requests(bytes, cuts)));
  read_response(bytes, cuts, choice >= 128);
  return 0;
}
