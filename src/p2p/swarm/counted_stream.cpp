#include "p2p/swarm/counted_stream.hpp"

namespace oc::p2p {
namespace {

class CountedStream final : public net::Stream {
 public:
  CountedStream(std::unique_ptr<net::Stream> below, ResourceLedger::StreamSlot slot)
      : slot_(std::move(slot)), below_(std::move(below)) {}

  awaitable<Result<void>> readable() override { return below_->readable(); }
  awaitable<Result<std::size_t>> read_some(MutableBytes into) override {
    return below_->read_some(into);
  }
  awaitable<Result<BufferChain>> read_chain() override { return below_->read_chain(); }
  awaitable<Result<void>> write(BytesView bytes) override { return below_->write(bytes); }
  awaitable<Result<void>> write_chain(BufferChain chain) override {
    return below_->write_chain(std::move(chain));
  }
  awaitable<Result<void>> close_write() override { return below_->close_write(); }
  void reset() override { below_->reset(); }

 private:
  ResourceLedger::StreamSlot slot_;
  std::unique_ptr<net::Stream> below_;
};

}  // namespace

std::unique_ptr<net::Stream> with_slot(std::unique_ptr<net::Stream> stream,
                                       ResourceLedger::StreamSlot slot) {
  return std::make_unique<CountedStream>(std::move(stream), std::move(slot));
}

}  // namespace oc::p2p
