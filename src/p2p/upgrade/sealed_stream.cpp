#include "p2p/upgrade/sealed_stream.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace oc::p2p {

std::size_t SealedStream::whole_frame() const {
  if (received_.size() < header_size_) return 0;
  const std::size_t size = frame_size(received_.data());
  return received_.size() < size ? 0 : size;
}

awaitable<Result<void>> SealedStream::fill() {
  if (turn_ >= kReadTurn) {
    turn_ = 0;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  if (received_.empty()) {
    CO_CHECK(co_await below_->readable());
    received_ = Buffer::pooled_flat();
  }
  const bool has_header = received_.size() >= header_size_;
  const std::size_t needed = has_header ? frame_size(received_.data()) : header_size_;
  if (received_.size() + received_.tailroom() < needed) {
    Buffer fresh = Buffer::pooled_flat();
    fresh.append(received_.bytes());
    received_ = std::move(fresh);
  }
  // Slices handed out earlier lie in front; the spare room is nobody's.
  CO_TRY(const std::size_t n, co_await below_->read_some(received_.spare()));
  received_.extend(n);
  turn_ += n;
  co_return success();
}

awaitable<Result<void>> SealedStream::readable() {
  if (!opened_.empty() || whole_frame() != 0) co_return success();
  co_return co_await below_->readable();
}

awaitable<Result<BufferChain>> SealedStream::read_chain() {
  if (!opened_.empty()) co_return std::move(opened_);
  for (;;) {
    auto chain = open_frames();
    if (!chain) {
      received_ = Buffer();
      if (chain.error() != Errc::eof) below_->reset();
      co_return chain.error();
    }
    if (!chain->empty()) co_return std::move(*chain);
    auto filled = co_await fill();
    if (!filled) co_return filled.error() == Errc::eof ? end_of_below() : filled.error();
  }
}

awaitable<Result<std::size_t>> SealedStream::read_some(MutableBytes into) {
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

}  // namespace oc::p2p
