#include "net/preamble_stream.hpp"

namespace oc::net {
namespace {

class PreambleStream final : public Stream {
 public:
  PreambleStream(std::unique_ptr<Stream> below, ReadPreamble read_preamble)
      : below_(std::move(below)), read_preamble_(std::move(read_preamble)) {}

  awaitable<Result<void>> readable() override {
    return read_preamble_ == nullptr ? below_->readable() : readable_after();
  }
  awaitable<Result<std::size_t>> read_some(MutableBytes into) override {
    return read_preamble_ == nullptr ? below_->read_some(into) : read_some_after(into);
  }
  awaitable<Result<BufferChain>> read_chain() override {
    return read_preamble_ == nullptr ? below_->read_chain() : read_chain_after();
  }
  awaitable<Result<void>> write(BytesView bytes) override { return below_->write(bytes); }
  awaitable<Result<void>> write_chain(BufferChain chain) override {
    return below_->write_chain(std::move(chain));
  }
  awaitable<Result<void>> close_write() override { return below_->close_write(); }
  void reset() override { below_->reset(); }

 private:
  awaitable<Result<void>> take_preamble() {
    // Half a preamble cannot be taken up again, however the reading of it was given up.
    struct Whole {
      Stream& below;
      bool taken = false;
      ~Whole() {
        if (!taken) below.reset();
      }
    } whole{*below_};
    CO_CHECK(co_await read_preamble_(*below_));
    whole.taken = true;
    read_preamble_ = nullptr;
    co_return success();
  }
  awaitable<Result<void>> readable_after() {
    CO_CHECK(co_await take_preamble());
    co_return co_await below_->readable();
  }
  awaitable<Result<std::size_t>> read_some_after(MutableBytes into) {
    CO_CHECK(co_await take_preamble());
    co_return co_await below_->read_some(into);
  }
  awaitable<Result<BufferChain>> read_chain_after() {
    CO_CHECK(co_await take_preamble());
    co_return co_await below_->read_chain();
  }

  std::unique_ptr<Stream> below_;
  ReadPreamble read_preamble_;  // null once the preamble was read
};

}  // namespace

std::unique_ptr<Stream> with_preamble(std::unique_ptr<Stream> below, ReadPreamble read_preamble) {
  return std::make_unique<PreambleStream>(std::move(below), std::move(read_preamble));
}

}  // namespace oc::net
