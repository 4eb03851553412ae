// The data phase of Noise: a stream of sealed frames over another stream.
#pragma once

#include <memory>

#include "crypto/noise_symmetric.hpp"
#include "p2p/upgrade/sealed_stream.hpp"

namespace oc::p2p {

// Writes: one buffer is one frame, sealed in place when it has the room of base/buffer.hpp, and all
// frames of a chain leave in one gather write. Reads: whole frames are gathered in a block, opened
// in place and handed out as slices of it.
//
// An end without close_write() of the peer cannot be told from a cut: whoever needs to know has an
// end of its own (yamux).
class NoiseStream final : public SealedStream {
 public:
  NoiseStream(std::unique_ptr<net::Stream> below, crypto::CipherState send,
              crypto::CipherState receive);

  awaitable<Result<void>> write(BytesView bytes) override;
  awaitable<Result<void>> write_chain(BufferChain chain) override;
  awaitable<Result<void>> close_write() override;

 private:
  std::size_t frame_size(const Byte* header) const override;
  Result<BufferChain> open_frames() override;
  error_code end_of_below() const override;
  Result<void> seal(Buffer& frame);

  crypto::CipherState send_;
  crypto::CipherState receive_;
};

}  // namespace oc::p2p
