#include "crypto/proof_cache.hpp"

#include "codec/varint.hpp"
#include "crypto/sha.hpp"

namespace oc::crypto {
namespace {

// Lengths in front, so that no two rows of parts hash to the same.
FixedBytes<32> digest_of(std::string_view kind, std::initializer_list<BytesView> parts) {
  Bytes text;
  codec::put_length_prefixed(text, as_bytes(kind));
  for (const BytesView part : parts) codec::put_length_prefixed(text, part);
  return sha256({text});
}

}  // namespace

bool ProofCache::verify(const PublicKey& key, BytesView message, BytesView signature) {
  return holds("signature", {key.marshal(), message, signature},
               [&] { return key.verify(message, signature); });
}

bool ProofCache::holds(std::string_view kind, std::initializer_list<BytesView> parts,
                       const std::function<bool()>& check) {
  const FixedBytes<32> digest = digest_of(kind, parts);
  if (!knows(digest)) {
    if (!check()) return false;
    remember(digest);
  }
  return true;
}

bool ProofCache::knows(const FixedBytes<32>& digest) {
  if (young_.contains(digest)) return true;
  if (old_.erase(digest) == 0) return false;
  remember(digest);
  return true;
}

void ProofCache::remember(const FixedBytes<32>& digest) {
  if (young_.size() == kMaxProofs / 2) old_ = std::exchange(young_, {});
  young_.insert(digest);
}

}  // namespace oc::crypto
