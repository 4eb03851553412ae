// Signatures that were found good, so that a peer which comes back costs none of them again.
//
// A signature over bytes that do not change stays good: what a peer's certificate, its Noise key
// and its peer record rest on is the same in every connection of a process. What does change
// (whether a certificate is valid now, that the peer holds its key now, who is expected) is no
// business of this cache and is to be checked each time.
#pragma once

#include <functional>
#include <set>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/keys.hpp"

namespace oc::crypto {

// A value. Thread: one. Only what was verified is kept, as the SHA-256 of all the bytes it rests
// on: one altered byte is another proof. Bounds: kMaxProofs digests; a stranger who makes proofs to
// crowd others out makes us verify those anew, no more. It can be told from the time an answer
// takes whether a proof was seen lately.
class ProofCache {
 public:
  // More peers than a node talks to at a time; some 100 KiB when full.
  static constexpr std::size_t kMaxProofs = 1024;

  // As key.verify(message, signature).
  bool verify(const PublicKey& key, BytesView message, BytesView signature);

  // What `check` says, without asking it when it said yes before. `parts` are all that its answer
  // rests on; `kind` keeps proofs of one kind apart from those of another.
  bool holds(std::string_view kind, std::initializer_list<BytesView> parts,
             const std::function<bool()>& check);

  std::size_t size() const { return young_.size() + old_.size(); }

 private:
  using Digests = std::set<FixedBytes<32>>;

  bool knows(const FixedBytes<32>& digest);
  void remember(const FixedBytes<32>& digest);

  // What was used since the last change of generations, and in the one before; when the young ones
  // are half of kMaxProofs, the old ones are forgotten.
  Digests young_;
  Digests old_;
};

}  // namespace oc::crypto
