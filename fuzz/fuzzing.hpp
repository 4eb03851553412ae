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

using StreamPtr = std::unique_ptr<net::Stream>;

// What must hold for every input.
inline void require(bool condition) {
  if (!condition) std::abort();
}

// The input, read from its front; zeros when it is used up.
class Input {
 public:
  Input(const Byte* data, std::size_t size) : left_(data, size) {}
  explicit Input(BytesView bytes) : left_(bytes) {}

  bool empty() const { return left_.empty(); }
  Byte byte() {
    if (left_.empty()) return 0;
    const Byte first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  std::size_t two_bytes() {
    const std::size_t high = byte();
    return high << 8 | byte();
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

// How bytes arrive, by the lower five bits of a byte: 0 whole, up to 15 in pieces of that size,
// above in pieces whose sizes the bytes themselves say, so that every way to cut them has an input.
class Cuts {
 public:
  explicit Cuts(Byte how) : how_(how % 32) {}

  // The size of the next piece of what is left, which is not empty.
  std::size_t next(BytesView left) const {
    if (how_ == 0) return left.size();
    const std::size_t size = how_ < 16 ? how_ : 1 + (left.front() ^ how_) % 64u;
    return std::min(size, left.size());
  }

 private:
  std::size_t how_;
};

// A stream that gives these bytes, cut so, and then ends; what is written to it is lost. Borrows
// the bytes.
class GivenStream final : public net::Stream {
 public:
  GivenStream(BytesView bytes, Cuts cuts) : left_(bytes), cuts_(cuts) {}

  awaitable<Result<void>> readable() override { co_return success(); }
  awaitable<Result<std::size_t>> read_some(MutableBytes into) override {
    if (reset_) co_return Errc::closed;
    if (left_.empty()) co_return Errc::eof;
    const std::size_t n = std::min(into.size(), cuts_.next(left_));
    std::copy_n(left_.begin(), n, into.begin());
    left_ = left_.subspan(n);
    co_return n;
  }
  awaitable<Result<BufferChain>> read_chain() override {
    Buffer buffer = Buffer::pooled();
    CO_TRY(const std::size_t n, co_await read_some(buffer.spare().first(Buffer::kMaxPayload)));
    buffer.extend(n);
    co_return BufferChain(std::move(buffer));
  }
  awaitable<Result<void>> write(BytesView) override { co_return written(); }
  awaitable<Result<void>> write_chain(BufferChain) override { co_return written(); }
  awaitable<Result<void>> close_write() override {
    const auto state = written();
    ended_ = true;
    co_return state;
  }
  void reset() override { reset_ = true; }

 private:
  Result<void> written() const {
    if (reset_ || ended_) return Errc::closed;
    return success();
  }

  BytesView left_;
  Cuts cuts_;
  bool ended_ = false;
  bool reset_ = false;
};

// Coroutines of which all must have ended when this is destroyed, none having waited for time.
class Run {
 public:
  ~Run() { require(running_ == 0); }

  void start(awaitable<void> task) {
    ++running_;
    asio::co_spawn(io_, std::move(task), [this](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
      --running_;
    });
  }
  // Goes on until nothing happens any more.
  void settle() {
    io_.restart();
    io_.poll();
  }

 private:
  asio::io_context io_;
  int running_ = 0;
};

// Runs a coroutine to its end.
template <class Make>
void run_to_end(Make make) {
  Run run;
  run.start(make());
  run.settle();
}

// Forwards bytes, some of them changed: the input says how many to leave, and what to flip in the
// next one; nothing to flip ends the stream there. A used-up input changes nothing.
inline awaitable<void> forward(net::Stream& from, net::Stream& to, Input changes) {
  FixedBytes<512> bytes;
  std::size_t leave = changes.byte();
  for (;;) {
    const bool changing = !changes.empty();
    const MutableBytes room = MutableBytes(bytes).first(
        changing ? std::clamp<std::size_t>(leave, 1, bytes.size()) : bytes.size());
    auto n = co_await from.read_some(room);
    if (!n) {
      (void)co_await to.close_write();
      co_return;
    }
    if (changing && leave == 0) {
      const Byte flip = changes.byte();
      if (flip == 0) {
        (void)co_await to.close_write();
        co_return;
      }
      bytes[0] ^= flip;
      leave = changes.byte();
    } else if (changing) {
      leave -= *n;
    }
    if (auto sent = co_await to.write(BytesView(bytes).first(*n)); !sent) co_return;
  }
}

// Lets two parties talk through somebody who changes what the first one says. Each is a function
// from its stream to its coroutine. A party that waits for what never comes is cut off at the end.
template <class First, class Second>
void run_tampered(First first, Second second, Input changes) {
  auto [a, from_a] = net::make_fake_stream_pair();
  auto [b, from_b] = net::make_fake_stream_pair();
  Run run;
  run.start(first(std::move(a)));
  run.start(second(std::move(b)));
  run.start(forward(*from_a, *from_b, changes));
  run.start(forward(*from_b, *from_a, Input(BytesView())));
  run.settle();
  from_a->reset();
  from_b->reset();
  run.settle();
}

}  // namespace oc::fuzz
