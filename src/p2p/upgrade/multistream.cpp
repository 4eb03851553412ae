#include "p2p/upgrade/multistream.hpp"

#include <algorithm>

#include "codec/varint.hpp"

namespace oc::p2p {
namespace {

constexpr std::string_view kNotAvailable = "na";
constexpr std::string_view kList = "ls";

awaitable<Result<std::string>> read_message(net::Stream& stream) {
  auto raw = co_await net::read_delimited(stream, kMaxMultistreamMessage);
  if (!raw) {
    const bool format = raw.error() == Errc::limit_exceeded || raw.error() == Errc::malformed;
    co_return format ? error_code(Errc::protocol_violation) : raw.error();
  }
  if (raw->empty() || raw->back() != '\n') co_return Errc::protocol_violation;
  co_return std::string(as_text(*raw).substr(0, raw->size() - 1));
}

awaitable<Result<void>> expect_header(net::Stream& stream) {
  CO_TRY(const std::string header, co_await read_message(stream));
  if (header != kMultistreamId) co_return Errc::protocol_violation;
  co_return success();
}

// Forwards to the stream below; only the first read differs.
class LazyStream final : public net::Stream {
 public:
  LazyStream(std::unique_ptr<net::Stream> below, std::string protocol)
      : below_(std::move(below)), protocol_(std::move(protocol)) {}

  awaitable<Result<void>> readable() override {
    return agreed_ ? below_->readable() : after_answer<Result<void>>(&LazyStream::below_readable);
  }
  awaitable<Result<std::size_t>> read_some(MutableBytes into) override {
    return agreed_ ? below_->read_some(into) : read_some_after_answer(into);
  }
  awaitable<Result<BufferChain>> read_chain() override {
    return agreed_ ? below_->read_chain() : after_answer<Result<BufferChain>>(&LazyStream::below_chain);
  }
  awaitable<Result<void>> write(BytesView bytes) override { return below_->write(bytes); }
  awaitable<Result<void>> write_chain(BufferChain chain) override {
    return below_->write_chain(std::move(chain));
  }
  awaitable<Result<void>> close_write() override { return below_->close_write(); }
  void reset() override { below_->reset(); }

 private:
  awaitable<Result<void>> below_readable() { return below_->readable(); }
  awaitable<Result<BufferChain>> below_chain() { return below_->read_chain(); }

  template <class R>
  awaitable<R> after_answer(awaitable<R> (LazyStream::*then)()) {
    CO_CHECK(co_await take_answer());
    co_return co_await (this->*then)();
  }
  awaitable<Result<std::size_t>> read_some_after_answer(MutableBytes into) {
    CO_CHECK(co_await take_answer());
    co_return co_await below_->read_some(into);
  }

  awaitable<Result<void>> take_answer() {
    CO_CHECK(co_await expect_header(*below_));
    CO_TRY(const std::string answer, co_await read_message(*below_));
    if (answer != protocol_) {
      below_->reset();
      co_return P2pErrc::negotiation_failed;
    }
    agreed_ = true;
    co_return success();
  }

  std::unique_ptr<net::Stream> below_;
  std::string protocol_;
  bool agreed_ = false;
};

}  // namespace

Bytes encode_multistream(std::string_view text) {
  Bytes out;
  codec::put_uvarint(out, text.size() + 1);
  append(out, as_bytes(text));
  out.push_back('\n');
  return out;
}

awaitable<Result<std::string>> select_as_dialer(net::Stream& stream, std::span<const std::string> offers) {
  if (offers.empty()) co_return P2pErrc::negotiation_failed;
  Bytes opening = encode_multistream(kMultistreamId);
  append(opening, encode_multistream(offers.front()));
  CO_CHECK(co_await stream.write(opening));
  CO_CHECK(co_await expect_header(stream));
  for (std::size_t i = 0;; ++i) {
    CO_TRY(const std::string answer, co_await read_message(stream));
    if (answer == offers[i]) co_return answer;
    if (answer != kNotAvailable) co_return Errc::protocol_violation;
    if (i + 1 == offers.size()) co_return P2pErrc::negotiation_failed;
    const Bytes proposal = encode_multistream(offers[i + 1]);
    CO_CHECK(co_await stream.write(proposal));
  }
}

awaitable<Result<std::string>> select_as_listener(net::Stream& stream,
                                                  std::function<bool(std::string_view)> supports) {
  const Bytes header = encode_multistream(kMultistreamId);
  CO_CHECK(co_await stream.write(header));
  CO_CHECK(co_await expect_header(stream));
  for (int i = 0; i < kMaxProposals; ++i) {
    CO_TRY(const std::string proposal, co_await read_message(stream));
    // `ls` is answered like an unknown protocol, as go does.
    const bool taken = proposal != kList && supports(proposal);
    const Bytes answer = encode_multistream(taken ? std::string_view(proposal) : kNotAvailable);
    CO_CHECK(co_await stream.write(answer));
    if (taken) co_return proposal;
  }
  co_return P2pErrc::negotiation_failed;
}

awaitable<Result<std::unique_ptr<net::Stream>>> select_lazily(std::unique_ptr<net::Stream> stream,
                                                              std::string protocol) {
  Bytes opening = encode_multistream(kMultistreamId);
  append(opening, encode_multistream(protocol));
  CO_CHECK(co_await stream->write(opening));
  co_return std::make_unique<LazyStream>(std::move(stream), std::move(protocol));
}

}  // namespace oc::p2p
