// PeerId: the name of a libp2p peer, a multihash of its public key.
//
// Source: libp2p/specs peer-ids/peer-ids.md. A marshalled key of up to 42 bytes (Ed25519,
// secp256k1) is its own hash (identity); a longer one (RSA, ECDSA) is hashed with SHA2-256.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace oc::codec {

// A value: copy it freely. The empty PeerId (default-constructed) names nobody.
class PeerId {
 public:
  static constexpr std::size_t kMaxInlineKeySize = 42;

  PeerId() = default;

  // Exactly one multihash: identity of 1 to 42 bytes, or sha2-256. Errc::malformed, ::truncated or
  // ::limit_exceeded when it is no multihash, Errc::unsupported for another hash.
  static Result<PeerId> from_bytes(BytesView multihash);

  // base58btc ("12D3Koo…", "16Uiu2…", "Qm…"), or a CIDv1 of codec libp2p-key (0x72) in any
  // multibase ("bafz…", "k51q…").
  static Result<PeerId> parse(std::string_view text);

  // The id of a marshalled public key (the libp2p protobuf; crypto/keys.hpp makes it).
  static PeerId of_public_key(BytesView marshalled);

  const Bytes& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

  // The marshalled public key when the id holds it (identity multihash), else empty. Borrowed.
  BytesView inline_public_key() const&;

  // base58btc; empty for the empty id.
  std::string to_string() const;
  // base32 CIDv1, the form that survives where case does not (host names).
  std::string to_cid() const;
  // The last six characters of to_string(): enough to tell peers apart in a log.
  std::string short_string() const;

  auto operator<=>(const PeerId&) const = default;

 private:
  explicit PeerId(Bytes bytes) : bytes_(std::move(bytes)) {}

  Bytes bytes_;
};

}  // namespace oc::codec

template <>
struct std::hash<oc::codec::PeerId> {
  std::size_t operator()(const oc::codec::PeerId& id) const noexcept {
    return std::hash<std::string_view>{}(oc::as_text(id.bytes()));
  }
};
