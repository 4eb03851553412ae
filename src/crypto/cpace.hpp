// CPace: two parties who know the same password agree on a key; anyone else learns nothing that
// would let them test guesses without talking to one of the two.
//
//     initiator                               responder
//        Ya, ADa                      ->
//                                     <-      Yb, ADb            each can now compute ISK
//        Ta                           ->      checks Ta
//        checks Tb                    <-      Tb                 (the tags may cross or be merged)
//
// Source: draft-irtf-cfrg-cpace (version 21), cipher suite CPACE-RISTR255-SHA512,
// initiator-responder setting, with the explicit key confirmation of its section on that: HMAC of
// each side's own share and data.
#pragma once

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "crypto/secret.hpp"

namespace oc::crypto {

inline constexpr std::size_t kCPaceShareSize = 32;
using CPaceShare = FixedBytes<kCPaceShareSize>;
using CPaceTag = FixedBytes<64>;

enum class CPaceRole { initiator, responder };

// What both sides must agree on; borrowed during the call.
struct CPaceInputs {
  BytesView password;            // PRS: from the password, already hard to guess or stretched
  BytesView channel_identifier;  // CI: names of the parties and of the use; may be empty
  BytesView session_id;          // sid: unique to the session (a channel binding); may be empty
};

// What an exchange ends in. The key is only to be used after the peer's tag was checked: until
// then nobody has proved anything.
class CPaceSession {
 public:
  // ISK: 64 bytes known to both parties, to be fed to a KDF.
  const Secret<64>& key() const { return key_; }
  // To be sent to the other side.
  const CPaceTag& own_tag() const { return own_tag_; }
  // Whether the other side knows the key; in constant time.
  [[nodiscard]] bool confirms(BytesView peer_tag) const;

 private:
  friend class CPace;
  CPaceSession() = default;

  Secret<64> key_;
  CPaceTag own_tag_{};
  CPaceTag peer_tag_{};
};

// One run of the protocol by one party. Without I/O. Moves only, as a copy would be a second guess.
class CPace {
 public:
  // Draws this side's secret scalar; neither `inputs` nor `random` is kept. `own_data` is ADa or
  // ADb: public data of this party that the key depends on (its identity), sent or known.
  CPace(CPaceRole role, const CPaceInputs& inputs, BytesView own_data, Random& random);
  CPace(CPace&&) = default;
  CPace& operator=(CPace&&) = default;

  // Ya or Yb, to be sent.
  const CPaceShare& share() const { return share_; }

  // Takes the other side's share and associated data. Errc::malformed when the share has the wrong
  // size or is no ristretto255 element, CryptoErrc::weak_point when it is the identity,
  // Errc::protocol_violation when it is this side's own (reflection): the exchange must then be
  // aborted. May be called once only (asserted): a second share would be a
  // second guess.
  Result<CPaceSession> finish(BytesView peer_share, BytesView peer_data);

 private:
  CPaceRole role_;
  Bytes session_id_;
  Bytes own_data_;
  Secret<32> scalar_;
  CPaceShare share_{};
  bool finished_ = false;
};

// The steps of the draft by themselves, for its test vectors.
CPaceShare cpace_generator(const CPaceInputs& inputs);
Result<CPaceShare> cpace_scalar_mult(const Secret<32>& scalar, BytesView element);

}  // namespace oc::crypto
