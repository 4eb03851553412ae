// What the fuzz targets share: reading decisions from the input, and running coroutines over it.
#pragma once

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/async.hpp"
#include "base/bytes.hpp"
#include "net/fake_stream.hpp"

namespace oc::fuzz {

// What must hold for every input.
inline void require(bool condition) {
  if (!condition) std::abort();
}

// The input, read from its front; zeros when it is used up.
class Input {
 public:
  Input(const Byte* data, std::size_t size) : left_(data, size) {}

  bool empty() const { return left_.empty(); }
  Byte byte() {
    if (left_.empty()) return 0;
    const Byte first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  BytesView bytes(std::size_t most) {
    const BytesView taken = left_.first(std::min(most, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  BytesView rest() { return bytes(left_.size()); }

 private:
  BytesView left_;
};

// Runs a coroutine that must end without time passing.
template <class Make>
void run_to_end(Make make) {
  asio::io_context io;
  bool done = false;
  asio::co_spawn(io, make(), [&done](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
    done = true;
  });
  io.poll();
  require(done);
}

// A stream that gives these bytes, at most `piece` a read (0: no bound), and then ends. Keep the
// other end while it is read.
using StreamEnds = std::pair<std::unique_ptr<net::Stream>, std::unique_ptr<net::Stream>>;
inline awaitable<StreamEnds> stream_of(BytesView bytes, std::size_t piece) {
  auto ends =
      net::make_fake_stream_pair({.capacity = bytes.size() + 64 * 1024, .largest_read = piece});
  require((co_await ends.second->write(bytes)).has_value());
  require((co_await ends.second->close_write()).has_value());
  co_return ends;
}

}  // namespace oc::fuzz
