// What the data phases of Noise and TLS have in common: frames are gathered in a block, opened, and
// handed out as buffers.
#pragma once

#include <memory>

#include "net/stream.hpp"
#include "p2p/error.hpp"

namespace oc::p2p {

// After this many bytes of frames a reader lets the other tasks run: what was received is passed on
// while it is warm in the cache, and a peer whose frames carry little or nothing holds up nobody.
inline constexpr std::size_t kReadTurn = BufferChain::kMax * Buffer::kBlockSize;

// A frame that cannot be authenticated is P2pErrc::decrypt_failed and resets the stream below;
// nothing behind it is looked at.
class SealedStream : public net::Stream {
 public:
  awaitable<Result<void>> readable() override;
  awaitable<Result<std::size_t>> read_some(MutableBytes into) override;
  awaitable<Result<BufferChain>> read_chain() override;
  void reset() override { below_->reset(); }

 protected:
  // `received`: bytes of the first frames that came with the handshake.
  SealedStream(std::unique_ptr<net::Stream> below, Buffer received, std::size_t header_size)
      : below_(std::move(below)), received_(std::move(received)), header_size_(header_size) {}

  // Size of the frame, header included, that begins with this header.
  virtual std::size_t frame_size(const Byte* header) const = 0;
  // Opens whole frames at the front of received_, up to a full chain. An empty chain: more bytes
  // are needed. Errc::eof: the peer ended its half. Other errors are fatal; a header whose size
  // exceeds a block is one.
  virtual Result<BufferChain> open_frames() = 0;
  // What it means that the stream below ended.
  virtual error_code end_of_below() const = 0;

  // Size of the first frame in received_, or nothing while it is not there as a whole.
  std::size_t whole_frame() const;

  std::unique_ptr<net::Stream> below_;
  Buffer received_;  // received, not opened

 private:
  // Makes room in the block for the rest of the frame under way and reads into it.
  awaitable<Result<void>> fill();

  const std::size_t header_size_;
  std::size_t turn_ = 0;  // bytes received since others ran
  BufferChain opened_;    // opened, not read, for read_some
};

}  // namespace oc::p2p
