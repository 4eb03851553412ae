#include "net/limited_stream.hpp"

#include <algorithm>

namespace oc::net {
namespace {

class LimitedStream final : public Stream {
 public:
  LimitedStream(std::unique_ptr<Stream> below, std::uint64_t bytes)
      : below_(std::move(below)), left_(bytes) {}

  awaitable<Result<void>> readable() override {
    if (left_ == 0) return at_once();
    return below_->readable();
  }
  awaitable<Result<std::size_t>> read_some(MutableBytes into) override {
    if (left_ == 0) co_return Errc::eof;
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
    CO_TRY(const std::size_t n, co_await below_->read_some(into.first(most)));
    left_ -= n;
    co_return n;
  }
  awaitable<Result<BufferChain>> read_chain() override {
    if (left_ == 0) co_return Errc::eof;
    CO_TRY(BufferChain chain, co_await below_->read_chain());
    BufferChain out;
    for (Buffer& buffer : chain) {
      if (left_ == 0) break;
      if (buffer.size() > left_) buffer.truncate(static_cast<std::size_t>(left_));
      left_ -= buffer.size();
      out.push(std::move(buffer));
    }
    co_return out;
  }
  awaitable<Result<void>> write(BytesView bytes) override { return below_->write(bytes); }
  awaitable<Result<void>> write_chain(BufferChain chain) override {
    return below_->write_chain(std::move(chain));
  }
  awaitable<Result<void>> close_write() override { return below_->close_write(); }
  void reset() override { below_->reset(); }

 private:
  static awaitable<Result<void>> at_once() { co_return success(); }

  std::unique_ptr<Stream> below_;
  std::uint64_t left_;
};

}  // namespace

std::unique_ptr<Stream> limit_reads(std::unique_ptr<Stream> below, std::uint64_t bytes) {
  return std::make_unique<LimitedStream>(std::move(below), bytes);
}

}  // namespace oc::net
