// The data phase of Noise: a stream of sealed frames over another stream.
#pragma once

#include <memory>

#include "crypto/noise_symmetric.hpp"
#include "net/stream.hpp"
#include "p2p/error.hpp"

namespace oc::p2p {

// Writes: one buffer is one frame, sealed in place when it has the room of base/buffer.hpp, and all
// frames of a chain leave in one gather write. Reads: whole frames are gathered in a block, opened
// in place and handed out as slices of it.
//
// A frame that cannot be authenticated is P2pErrc::decrypt_failed and resets the stream below. An
// end without close_write() of the peer cannot be told from a cut: whoever needs to know has an end
// of its own (yamux).
class NoiseStream final : public net::Stream {
 public:
  NoiseStream(std::unique_ptr<net::Stream> below, crypto::CipherState send,
              crypto::CipherState receive);

  awaitable<Result<void>> readable() override;
  awaitable<Result<std::size_t>> read_some(MutableBytes into) override;
  awaitable<Result<BufferChain>> read_chain() override;
  awaitable<Result<void>> write(BytesView bytes) override;
  awaitable<Result<void>> write_chain(BufferChain chain) override;
  awaitable<Result<void>> close_write() override;
  void reset() override;

 private:
  // Opens whole frames that have arrived, up to a full chain.
  Result<BufferChain> open_frames();
  // Makes room in the block for the rest of the frame under way and reads into it.
  awaitable<Result<void>> fill();
  Result<void> seal(Buffer& frame);

  std::unique_ptr<net::Stream> below_;
  crypto::CipherState send_;
  crypto::CipherState receive_;
  Buffer sealed_;       // received, not opened
  BufferChain opened_;  // opened, not read, for read_some
};

}  // namespace oc::p2p
