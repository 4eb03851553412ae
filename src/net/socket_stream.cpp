#include "net/socket_stream.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <cerrno>

#include "base/assert.hpp"

namespace oc::net {
namespace {

// A read this short is copied out of its 64 KiB block, so that many small messages waiting
// somewhere do not pin a block each.
constexpr std::size_t kCopyBelow = 2048;

using Descriptor = asio::posix::stream_descriptor;

}  // namespace

error_code socket_error(int code) {
  switch (code) {
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
    case ENOTCONN: return Errc::reset;
    case ETIMEDOUT: return Errc::timed_out;
    default: return {code, boost::system::system_category()};
  }
}

SocketStream::SocketStream(Executor executor, int fd) : descriptor_(executor, fd) {}

SocketStream::~SocketStream() {
  // After close_write() the kernel goes on to deliver what was written.
  if (!write_closed_) reset();
}

awaitable<Result<void>> SocketStream::wait(Descriptor::wait_type what) {
  auto [error] = co_await descriptor_.async_wait(what, asio::as_tuple(asio::use_awaitable));
  if (!descriptor_.is_open()) co_return Errc::closed;
  if (error == asio::error::operation_aborted) co_return Errc::cancelled;
  if (error) co_return error;
  co_return success();
}

awaitable<Result<void>> SocketStream::finish_connect() {
  CO_CHECK(co_await wait(Descriptor::wait_write));
  int outcome = 0;
  socklen_t size = sizeof outcome;
  if (::getsockopt(descriptor_.native_handle(), SOL_SOCKET, SO_ERROR, &outcome, &size) != 0) {
    co_return socket_error(errno);
  }
  if (outcome != 0) co_return error_code(outcome, boost::system::system_category());
  co_return success();
}

awaitable<Result<void>> SocketStream::readable() {
  if (!descriptor_.is_open()) co_return Errc::closed;
  if (drained_ && !broken_) {
    CO_CHECK(co_await wait(Descriptor::wait_read));
    drained_ = false;
  }
  co_return success();
}

error_code SocketStream::broken(int code) {
  if (!broken_) broken_ = socket_error(code);
  return broken_;
}

std::optional<Result<std::size_t>> SocketStream::try_read(std::span<iovec> into) {
  std::size_t room = 0;
  for (const iovec& v : into) room += v.iov_len;
  msghdr message{};
  message.msg_iov = into.data();
  message.msg_iovlen = into.size();
  for (;;) {
    if (broken_) return broken_;
    const ssize_t n = ::recvmsg(descriptor_.native_handle(), &message, MSG_DONTWAIT);
    if (n > 0) {
      drained_ = static_cast<std::size_t>(n) < room;
      return static_cast<std::size_t>(n);
    }
    if (n == 0) {
      drained_ = false;
      return Errc::eof;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return broken(errno);
    drained_ = true;
    return std::nullopt;
  }
}

awaitable<Result<std::size_t>> SocketStream::read_vectors(std::span<iovec> into) {
  for (;;) {
    CO_CHECK(co_await readable());
    if (auto n = try_read(into)) co_return *n;
  }
}

awaitable<Result<void>> SocketStream::write_vectors(std::span<iovec> from) {
  while (!from.empty()) {
    if (!descriptor_.is_open() || write_closed_) co_return Errc::closed;
    if (broken_) co_return broken_;
    msghdr message{};
    message.msg_iov = from.data();
    message.msg_iovlen = from.size();
    ssize_t n = ::sendmsg(descriptor_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return broken(errno);
      CO_CHECK(co_await wait(Descriptor::wait_write));
      continue;
    }
    while (!from.empty() && static_cast<std::size_t>(n) >= from.front().iov_len) {
      n -= static_cast<ssize_t>(from.front().iov_len);
      from = from.subspan(1);
    }
    if (n > 0) {
      from.front().iov_base = static_cast<Byte*>(from.front().iov_base) + n;
      from.front().iov_len -= static_cast<std::size_t>(n);
    }
  }
  co_return success();
}

awaitable<Result<std::size_t>> SocketStream::read_some(MutableBytes into) {
  std::array<iovec, 1> vectors{iovec{into.data(), into.size()}};
  co_return co_await read_vectors(vectors);
}

awaitable<Result<BufferChain>> SocketStream::read_chain() {
  for (;;) {
    CO_CHECK(co_await readable());
    // The blocks go back at once when nothing is there: an idle stream holds none.
    BufferChain chain;
    std::array<iovec, BufferChain::kMax> vectors;
    for (iovec& v : vectors) {
      Buffer block = Buffer::pooled();
      v = {block.spare().data(), Buffer::kMaxPayload};
      chain.push(std::move(block));
    }
    const auto n = try_read(vectors);
    if (!n) continue;
    if (!*n) co_return n->error();
    std::size_t left = **n;
    if (left <= kCopyBelow) {
      co_return BufferChain(Buffer::copy_of({static_cast<Byte*>(vectors[0].iov_base), left}));
    }
    BufferChain filled;
    for (Buffer& block : chain) {
      if (left == 0) break;
      const std::size_t here = std::min(left, Buffer::kMaxPayload);
      block.extend(here);
      left -= here;
      filled.push(std::move(block));
    }
    co_return filled;
  }
}

awaitable<Result<void>> SocketStream::write(BytesView bytes) {
  std::array<iovec, 1> vectors{iovec{const_cast<Byte*>(bytes.data()), bytes.size()}};
  if (bytes.empty()) co_return success();
  co_return co_await write_vectors(vectors);
}

awaitable<Result<void>> SocketStream::write_chain(BufferChain chain) {
  std::array<iovec, BufferChain::kMax> vectors;
  std::size_t count = 0;
  for (Buffer& buffer : chain) {
    if (!buffer.empty()) vectors[count++] = {buffer.data(), buffer.size()};
  }
  co_return co_await write_vectors(std::span(vectors).first(count));
}

awaitable<Result<void>> SocketStream::close_write() {
  if (!descriptor_.is_open()) co_return Errc::closed;
  if (broken_) co_return broken_;
  if (std::exchange(write_closed_, true)) co_return success();
  if (::shutdown(descriptor_.native_handle(), SHUT_WR) != 0) co_return broken(errno);
  co_return success();
}

void SocketStream::reset() {
  if (!descriptor_.is_open()) return;
  const linger abort{.l_onoff = 1, .l_linger = 0};  // close() then sends RST
  (void)::setsockopt(descriptor_.native_handle(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  error_code ignored;
  descriptor_.close(ignored);
}

}  // namespace oc::net
