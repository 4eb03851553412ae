// The cost of sealing and opening a frame, by its size: 65519 is the largest of Noise.
#include "crypto/chacha20_poly1305.hpp"

#include <benchmark/benchmark.h>

namespace oc::crypto {
namespace {

void seal(benchmark::State& state) {
  ChaCha20Poly1305 cipher{Secret<32>()};
  const auto size = static_cast<std::size_t>(state.range(0));
  Bytes frame(size + ChaCha20Poly1305::kTagSize);
  std::uint64_t nonce = 0;
  for (auto _ : state) {
    cipher.seal_in_place(nonce++, {}, frame.data(), size, &frame[size]);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}

// Decrypting destroys the ciphertext, so each round seals first: compare with `seal`.
void seal_and_open(benchmark::State& state) {
  ChaCha20Poly1305 sender{Secret<32>()};
  ChaCha20Poly1305 receiver{Secret<32>()};
  const auto size = static_cast<std::size_t>(state.range(0));
  Bytes frame(size + ChaCha20Poly1305::kTagSize);
  std::uint64_t nonce = 0;
  for (auto _ : state) {
    sender.seal_in_place(nonce, {}, frame.data(), size, &frame[size]);
    const auto opened = receiver.open_in_place(nonce++, {}, frame.data(), size, &frame[size]);
    if (!opened) state.SkipWithError("a sealed frame did not open");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}

BENCHMARK(seal)->Arg(16)->Arg(64)->Arg(1400)->Arg(16384)->Arg(65519);
BENCHMARK(seal_and_open)->Arg(16)->Arg(64)->Arg(1400)->Arg(16384)->Arg(65519);

}  // namespace
}  // namespace oc::crypto
