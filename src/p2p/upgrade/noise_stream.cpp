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
    : below_(std::move(below)), send_(std::move(send)), receive_(std::move(receive)) {}

Result<BufferChain> NoiseStream::open_frames() {
  BufferChain chain;
  while (!chain.full() && sealed_.size() >= kLengthSize) {
    const std::size_t length = get_be16(sealed_.data());
    if (length < kTagSize) return P2pErrc::decrypt_failed;
    if (sealed_.size() < kLengthSize + length) break;
    sealed_.trim_front(kLengthSize);
    Buffer frame = sealed_.split_front(length);
    const std::size_t size = length - kTagSize;
    if (!receive_.open_in_place({}, frame.data(), size, frame.data() + size)) {
      return P2pErrc::decrypt_failed;
    }
    frame.truncate(size);
    if (size != 0) chain.push(std::move(frame));
  }
  if (sealed_.empty()) sealed_ = Buffer();
  return chain;
}

awaitable<Result<void>> NoiseStream::fill() {
  if (sealed_.empty()) {
    CO_CHECK(co_await below_->readable());
    sealed_ = Buffer::pooled_flat();
  }
  const std::size_t whole =
      kLengthSize + (sealed_.size() >= kLengthSize ? get_be16(sealed_.data()) : 0u);
  if (sealed_.size() + sealed_.tailroom() < whole) {
    Buffer fresh = Buffer::pooled_flat();
    fresh.append(sealed_.bytes());
    sealed_ = std::move(fresh);
  }
  // Slices handed out earlier lie in front; the spare room is nobody's.
  CO_TRY(const std::size_t n, co_await below_->read_some(sealed_.spare()));
  sealed_.extend(n);
  co_return success();
}

awaitable<Result<void>> NoiseStream::readable() {
  if (!opened_.empty()) co_return success();
  if (sealed_.size() >= kLengthSize && sealed_.size() >= kLengthSize + get_be16(sealed_.data())) {
    co_return success();
  }
  co_return co_await below_->readable();
}

awaitable<Result<BufferChain>> NoiseStream::read_chain() {
  if (!opened_.empty()) co_return std::move(opened_);
  for (;;) {
    auto chain = open_frames();
    if (!chain) {
      // Nothing behind a bad frame is looked at.
      sealed_ = Buffer();
      below_->reset();
      co_return chain.error();
    }
    if (!chain->empty()) co_return std::move(*chain);
    auto filled = co_await fill();
    if (!filled) {
      const bool cut = filled.error() == Errc::eof && !sealed_.empty();
      co_return cut ? error_code(Errc::truncated) : filled.error();
    }
  }
}

awaitable<Result<std::size_t>> NoiseStream::read_some(MutableBytes into) {
  if (opened_.empty()) {
    CO_TRY(opened_, co_await read_chain());
  }
  std::size_t done = 0;
  for (Buffer& buffer : opened_) {
    const std::size_t n = std::min(buffer.size(), into.size() - done);
    std::memcpy(into.data() + done, buffer.data(), n);
    buffer.trim_front(n);
    done += n;
  }
  BufferChain rest;
  for (Buffer& buffer : opened_) {
    if (!buffer.empty()) rest.push(std::move(buffer));
  }
  opened_ = std::move(rest);
  co_return done;
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

void NoiseStream::reset() { below_->reset(); }

}  // namespace oc::p2p
