// Signed envelope: a payload with its type, signed by a peer's key for one domain of use.
//
// Source: libp2p/specs RFC 0002. Protobuf fields: 1 public_key, 2 payload_type, 3 payload,
// 5 signature. Signed are, each with its uvarint length before it: domain, payload_type, payload.
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "crypto/keys.hpp"
#include "crypto/proof_cache.hpp"

namespace oc::crypto {

// An envelope travels inside an Identify message, which is at most this long.
inline constexpr std::size_t kMaxEnvelopeSize = 8192;

Bytes seal_envelope(const PrivateKey& key, std::string_view domain, BytesView payload_type,
                    BytesView payload);

// An envelope whose signature was good. What the payload says is still to be judged: above all
// whether `key` may say it.
struct OpenedEnvelope {
  PublicKey key;
  Bytes payload_type;
  Bytes payload;
};

// Errc::limit_exceeded above kMaxEnvelopeSize, errors of PublicKey::unmarshal,
// Errc::malformed, CryptoErrc::bad_signature (also for an envelope sealed for another domain). A
// signature that is among the `known` ones, if there are such, is not verified again.
Result<OpenedEnvelope> open_envelope(BytesView bytes, std::string_view domain,
                                     ProofCache* known = nullptr);

}  // namespace oc::crypto
