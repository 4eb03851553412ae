// The bytes that cases send, and the digest by which they know them again.
#pragma once

#include <memory>
#include <string>

#include "base/buffer.hpp"
#include "base/random.hpp"

struct evp_md_ctx_st;

namespace oc::interop {

// SHA-256 of bytes that come piece by piece.
class Digest {
 public:
  Digest();
  ~Digest();

  void add(BytesView bytes);
  FixedBytes<32> finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// Pseudo-random bytes, the same each time.
class Pattern {
 public:
  // The next `size` bytes, at most Buffer::kMaxPayload.
  Buffer next(std::size_t size);

 private:
  FakeRandom random_{1};
};

}  // namespace oc::interop
