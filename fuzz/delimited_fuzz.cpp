// Length-delimited messages: none beyond the limit, none made up, and the same in any pieces.
#include "codec/varint.hpp"
#include "fuzzing.hpp"
#include "net/stream.hpp"

using namespace oc;

namespace {

awaitable<void> read_all(BytesView bytes, std::size_t limit, fuzz::Cuts cuts) {
  fuzz::GivenStream stream(bytes, cuts);
  BytesView left = bytes;
  for (;;) {
    auto message = co_await net::read_delimited(stream, limit);
    if (!message) {
      fuzz::require((message.error() == Errc::eof) == left.empty());
      co_return;
    }
    fuzz::require(message->size() <= limit);
    const auto expected = codec::take_length_prefixed(left);
    fuzz::require(expected && equal(*expected, *message));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const fuzz::Cuts cuts(input.byte());
  const std::size_t limit = input.byte() * 16u;
  const BytesView bytes = input.rest();
  fuzz::run_to_end([=] { return read_all(bytes, limit, cuts); });
  return 0;
}
