#include "pattern.hpp"

#include <openssl/evp.h>

#include <new>

#include "base/assert.hpp"

namespace oc::interop {

void Digest::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Digest::Digest() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) throw std::bad_alloc();
  ASSERT(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

Digest::~Digest() = default;

void Digest::add(BytesView bytes) {
  ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

FixedBytes<32> Digest::finish() {
  FixedBytes<32> out;
  ASSERT(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1);
  return out;
}

Buffer Pattern::next(std::size_t size) {
  Buffer block = Buffer::pooled();
  random_.fill(block.spare().first(size));
  block.extend(size);
  return block;
}

}  // namespace oc::interop
