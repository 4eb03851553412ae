#include "net/fake_stream.hpp"

#include <algorithm>
#include <deque>

namespace oc::net {
namespace {

// One direction of the pair.
struct Pipe {
  std::deque<Byte> bytes;
  bool ended = false;
  bool reset_by_writer = false;
  bool reset_by_reader = false;
  Event readable;
  Event writable;

  void abort(bool& by_whom) {
    by_whom = true;
    bytes.clear();
    readable.set();
    writable.set();
  }
};

class FakeStream final : public Stream {
 public:
  FakeStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, FakeStreamOptions options)
      : in_(std::move(in)), out_(std::move(out)), options_(options) {}
  ~FakeStream() override {
    if (!out_->ended)
      reset();
    else if (!in_->ended)
      in_->abort(in_->reset_by_reader);
  }

  awaitable<Result<void>> readable() override {
    while (in_->bytes.empty() && !in_->ended && !in_->reset_by_reader && !in_->reset_by_writer) {
      CO_CHECK(co_await in_->readable.wait());
    }
    co_return success();
  }

  awaitable<Result<std::size_t>> read_some(MutableBytes into) override {
    CO_CHECK(co_await readable());
    if (in_->reset_by_reader) co_return Errc::closed;
    if (in_->reset_by_writer) co_return Errc::reset;
    if (in_->bytes.empty()) co_return Errc::eof;
    std::size_t n = std::min(into.size(), in_->bytes.size());
    if (options_.largest_read != 0) n = std::min(n, options_.largest_read);
    std::copy_n(in_->bytes.begin(), n, into.begin());
    in_->bytes.erase(in_->bytes.begin(), in_->bytes.begin() + static_cast<std::ptrdiff_t>(n));
    in_->writable.set();
    co_return n;
  }

  awaitable<Result<BufferChain>> read_chain() override {
    CO_CHECK(co_await readable());
    Buffer buffer = Buffer::pooled();
    CO_TRY(std::size_t n, co_await read_some(buffer.spare().first(Buffer::kMaxPayload)));
    buffer.extend(n);
    co_return BufferChain(std::move(buffer));
  }

  awaitable<Result<void>> write(BytesView bytes) override {
    while (!bytes.empty()) {
      if (out_->reset_by_writer || out_->ended) co_return Errc::closed;
      if (out_->reset_by_reader) co_return Errc::reset;
      const std::size_t room = options_.capacity - std::min(options_.capacity, out_->bytes.size());
      if (room == 0) {
        CO_CHECK(co_await out_->writable.wait());
        continue;
      }
      const std::size_t n = std::min(room, bytes.size());
      out_->bytes.insert(out_->bytes.end(), bytes.begin(),
                         bytes.begin() + static_cast<std::ptrdiff_t>(n));
      bytes = bytes.subspan(n);
      out_->readable.set();
    }
    co_return success();
  }

  awaitable<Result<void>> write_chain(BufferChain chain) override {
    for (const Buffer& buffer : chain) CO_CHECK(co_await write(buffer.bytes()));
    co_return success();
  }

  awaitable<Result<void>> close_write() override {
    if (out_->reset_by_writer) co_return Errc::closed;
    if (out_->reset_by_reader) co_return Errc::reset;
    out_->ended = true;
    out_->readable.set();
    co_return success();
  }

  void reset() override {
    out_->abort(out_->reset_by_writer);
    in_->abort(in_->reset_by_reader);
  }

 private:
  std::shared_ptr<Pipe> in_;   // shared with the other end
  std::shared_ptr<Pipe> out_;  // shared with the other end
  FakeStreamOptions options_;
};

}  // namespace

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_fake_stream_pair(
    FakeStreamOptions options) {
  auto a_to_b = std::make_shared<Pipe>();
  auto b_to_a = std::make_shared<Pipe>();
  return {std::make_unique<FakeStream>(b_to_a, a_to_b, options),
          std::make_unique<FakeStream>(a_to_b, b_to_a, options)};
}

}  // namespace oc::net
