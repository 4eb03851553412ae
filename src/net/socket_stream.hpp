// A connected stream socket of the kernel (TCP or Unix) as a Stream.
#pragma once

#include <sys/uio.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <span>

#include "net/stream.hpp"

namespace oc::net {

// Reads and writes by direct system calls and asks the reactor only when the kernel says "not now",
// so a busy stream costs one call a chunk and an idle one holds no buffer. Unix sockets have no
// reset: their peer sees a clean end, except when it lost bytes.
class SocketStream final : public Stream {
 public:
  // Takes over a non-blocking socket that is connected, or whose connect() is under way.
  SocketStream(Executor executor, int fd);
  // Waits for the end of the connect() under way; its outcome is the kernel's.
  awaitable<Result<void>> finish_connect();
  ~SocketStream() override;

  awaitable<Result<void>> readable() override;
  awaitable<Result<std::size_t>> read_some(MutableBytes into) override;
  awaitable<Result<BufferChain>> read_chain() override;
  awaitable<Result<void>> write(BytesView bytes) override;
  awaitable<Result<void>> write_chain(BufferChain chain) override;
  awaitable<Result<void>> close_write() override;
  void reset() override;

  // Scatter read of at least one byte: what read_some and read_chain are made of.
  awaitable<Result<std::size_t>> read_vectors(std::span<iovec> into);
  // Gather write of all bytes; the vectors are consumed.
  awaitable<Result<void>> write_vectors(std::span<iovec> from);

  int native_handle() { return descriptor_.native_handle(); }

 private:
  awaitable<Result<void>> wait(asio::posix::stream_descriptor::wait_type what);
  // One read without waiting; nothing when there is nothing to read yet.
  std::optional<Result<std::size_t>> try_read(std::span<iovec> into);
  // Keeps the first error: the kernel tells it once and says "end" afterwards.
  error_code broken(int code);

  asio::posix::stream_descriptor descriptor_;
  bool drained_ = true;  // the last read took all there was, so ask the reactor before the next
  bool write_closed_ = false;
  error_code broken_;
};

// errno of a socket call as an error: ECONNRESET, EPIPE and the like become Errc::reset.
error_code socket_error(int code);

}  // namespace oc::net
