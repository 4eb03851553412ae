#include "p2p/upgrade/noise_stream.hpp"

#include <algorithm>

#include "p2p/upgrade/noise.hpp"

namespace oc::p2p {
namespace {

constexpr std::size_t kLengthSize = 2;
constexpr std::size_t kTagSize = crypto::kNoiseTagSize;

}  // namespace

NoiseStream::NoiseStream(std::unique_ptr<net::Stream> below, crypto::CipherState send,
                         crypto::CipherState receive)
    : SealedStream(std::move(below), Buffer(), kLengthSize),
      send_(std::move(send)),
      receive_(std::move(receive)) {}

std::size_t NoiseStream::frame_size(const Byte* header) const {
  return kLengthSize + get_be16(header);
}

Result<BufferChain> NoiseStream::open_frames() {
  BufferChain chain;
  while (!chain.full()) {
    const std::size_t whole = whole_frame();
    if (whole == 0) break;
    if (whole < kLengthSize + kTagSize) return P2pErrc::decrypt_failed;
    received_.trim_front(kLengthSize);
    Buffer frame = received_.split_front(whole - kLengthSize);
    const std::size_t size = frame.size() - kTagSize;
    if (!receive_.open_in_place({}, frame.data(), size, frame.data() + size)) {
      return P2pErrc::decrypt_failed;
    }
    frame.truncate(size);
    if (size != 0) chain.push(std::move(frame));
  }
  if (received_.empty()) received_ = Buffer();
  return chain;
}

error_code NoiseStream::end_of_below() const {
  return received_.empty() ? Errc::eof : Errc::truncated;
}

Result<void> NoiseStream::seal(Buffer& frame) {
  if (!frame.can_prepend(kLengthSize) || frame.tailroom() < kTagSize) {
    frame = Buffer::copy_of(frame.bytes());
  }
  const std::size_t size = frame.size();
  CHECK(send_.seal_in_place({}, frame.data(), size, frame.data() + size));
  frame.extend(kTagSize);
  put_be16(frame.prepend(kLengthSize), static_cast<std::uint16_t>(size + kTagSize));
  return success();
}

awaitable<Result<void>> NoiseStream::write(BytesView bytes) {
  while (!bytes.empty()) {
    BufferChain chain;
    while (!chain.full() && !bytes.empty()) {
      const std::size_t n = std::min(bytes.size(), kMaxNoisePlaintext);
      chain.push(Buffer::copy_of(bytes.first(n)));
      bytes = bytes.subspan(n);
    }
    CO_CHECK(co_await write_chain(std::move(chain)));
  }
  co_return success();
}

awaitable<Result<void>> NoiseStream::write_chain(BufferChain chain) {
  BufferChain sealed;
  for (Buffer& buffer : chain) {
    if (buffer.empty()) continue;
    if (buffer.size() > kMaxNoisePlaintext) {
      if (!sealed.empty()) CO_CHECK(co_await below_->write_chain(std::move(sealed)));
      sealed.clear();
      CO_CHECK(co_await write(buffer.bytes()));
      continue;
    }
    if (auto done = seal(buffer); !done) {
      below_->reset();
      co_return done.error();
    }
    sealed.push(std::move(buffer));
  }
  if (sealed.empty()) co_return success();
  co_return co_await below_->write_chain(std::move(sealed));
}

awaitable<Result<void>> NoiseStream::close_write() { return below_->close_write(); }

}  // namespace oc::p2p
