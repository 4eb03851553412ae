// Stream: the seam that every byte of the program goes through. A reliable, ordered, two-way
// stream of bytes with half-close and reset: a TCP socket, a Noise channel, a yamux stream, a fake.
#pragma once

#include <string>

#include "base/async.hpp"
#include "base/buffer.hpp"

namespace oc::net {

// Contract of every implementation (tests/conformance/stream_conformance.hpp holds them to it):
//
// - Thread: the network thread. One read and one write may be under way at a time, both at once.
// - Errors are values. Errc::eof: the peer ended its half and all bytes were read. Errc::reset: the
//   stream was aborted by the peer, or the link broke; buffered bytes may be dropped.
//   Errc::closed: this side reset or destroyed it. After any error but eof both halves are dead.
// - Cancellation: a cancelled read has consumed nothing and the stream stays usable. A cancelled
//   write may have sent a part; the stream should then be reset.
// - Destruction without close_write() resets; after it, what was written still arrives. The owner
// must end or cancel pending operations
//   before it destroys the stream.
class Stream {
 public:
  virtual ~Stream() = default;

  // Waits until a read would not wait: bytes, the end, or an error are there. Holds no buffer, so
  // an idle stream costs none. May return early; the read then waits.
  virtual awaitable<Result<void>> readable() = 0;

  // Reads 1 to into.size() bytes; `into` is not empty. Errc::eof at a clean end, as often as asked.
  virtual awaitable<Result<std::size_t>> read_some(MutableBytes into) = 0;

  // Reads what there is without copying: 1 to BufferChain::kMax non-empty buffers. Waits for the
  // first byte without holding memory for it.
  virtual awaitable<Result<BufferChain>> read_chain() = 0;

  // Takes all bytes, or fails. Returns when they are handed to the layer below (not when the peer
  // has them); waits while the queue below is full, which is how backpressure travels.
  virtual awaitable<Result<void>> write(BytesView bytes) = 0;

  // The same without copying where the buffers have room for the headers of the layers below.
  virtual awaitable<Result<void>> write_chain(BufferChain chain) = 0;

  // Ends this side's half after everything written; reading goes on. A second time does nothing.
  virtual awaitable<Result<void>> close_write() = 0;

  // Ends both halves at once; pending operations fail with Errc::closed. Never blocks.
  virtual void reset() = 0;
};

// Reads exactly into.size() bytes; Errc::truncated when the stream ends inside, Errc::eof when it
// ends before the first byte.
awaitable<Result<void>> read_exactly(Stream& stream, MutableBytes into);

// Reads an unsigned-varint length and then that many bytes: the frame of all protobuf protocols.
// Reads no byte beyond. Errc::limit_exceeded when the length is above `limit`, before any of the
// body is read or memory for it taken.
awaitable<Result<Bytes>> read_delimited(Stream& stream, std::size_t limit);

// Writes an unsigned-varint length and the message, in one piece.
awaitable<Result<void>> write_delimited(Stream& stream, BytesView message);

}  // namespace oc::net
