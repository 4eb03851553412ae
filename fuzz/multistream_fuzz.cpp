// A peer's side of a multistream negotiation, for a listener, a dialer and a lazy dialer.
#include "fuzzing.hpp"
#include "p2p/upgrade/multistream.hpp"

using namespace oc;

namespace {

awaitable<void> negotiate(BytesView bytes, fuzz::Cuts cuts) {
  {
    fuzz::GivenStream stream(bytes, cuts);
    auto agreed =
        co_await p2p::select_as_listener(stream, [](std::string_view p) { return p == "/a"; });
    fuzz::require(!agreed || *agreed == "/a");
  }
  {
    fuzz::GivenStream stream(bytes, cuts);
    const std::vector<std::string> offers{"/a", "/b"};
    auto agreed = co_await p2p::select_as_dialer(stream, offers);
    fuzz::require(!agreed || *agreed == "/a" || *agreed == "/b");
  }
  fuzz::StreamPtr stream = std::make_unique<fuzz::GivenStream>(bytes, cuts);
  auto lazy = co_await p2p::select_lazily(std::move(stream), "/a");
  fuzz::require(lazy.has_value());
  FixedBytes<16> into;
  while (co_await (*lazy)->read_some(into)) continue;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const fuzz::Cuts cuts(input.byte());
  const BytesView bytes = input.rest();
  fuzz::run_to_end([=] { return negotiate(bytes, cuts); });
  return 0;
}
