// A peer's side of a multistream negotiation, for a listener, a dialer and a lazy dialer.
#include "fuzzing.hpp"
#include "p2p/upgrade/multistream.hpp"

using namespace oc;

namespace {

awaitable<void> negotiate(BytesView bytes, std::size_t piece) {
  {
    auto [stream, peer] = co_await fuzz::stream_of(bytes, piece);
    auto agreed =
        co_await p2p::select_as_listener(*stream, [](std::string_view p) { return p == "/a"; });
    fuzz::require(!agreed || *agreed == "/a");
  }
  {
    auto [stream, peer] = co_await fuzz::stream_of(bytes, piece);
    const std::vector<std::string> offers{"/a", "/b"};
    auto agreed = co_await p2p::select_as_dialer(*stream, offers);
    fuzz::require(!agreed || *agreed == "/a" || *agreed == "/b");
  }
  auto [stream, peer] = co_await fuzz::stream_of(bytes, piece);
  auto lazy = co_await p2p::select_lazily(std::move(stream), "/a");
  fuzz::require(lazy.has_value());
  FixedBytes<16> into;
  while (co_await (*lazy)->read_some(into)) continue;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = input.byte() % 32;
  const BytesView bytes = input.rest();
  fuzz::run_to_end([bytes, piece] { return negotiate(bytes, piece); });
  return 0;
}
