// The keys that peers are known by.
//
// Source: libp2p/specs peer-ids/peer-ids.md. Our own keys are Ed25519; keys of other peers may be
// any of the four types.
#pragma once

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "codec/peer_id.hpp"
#include "crypto/secret.hpp"

namespace oc::crypto {

// Numbers of the libp2p protobuf.
enum class KeyType { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };

// No marshalled key that is taken is longer (RSA 8192 needs 1062 bytes).
inline constexpr std::size_t kMaxPublicKeySize = 1200;
inline constexpr std::size_t kMinRsaBits = 2048;
inline constexpr std::size_t kMaxRsaBits = 8192;

// A public key that passed the checks of its type. A value.
class PublicKey {
 public:
  // Reads the libp2p protobuf {Type, Data}. Everything is checked before any arithmetic with the
  // key, so that a hostile key costs no more than its bytes:
  //   Ed25519    32 bytes
  //   secp256k1  33 bytes, a compressed point on the curve
  //   ECDSA      PKIX DER, named curve P-256, P-384 or P-521, an uncompressed point on it
  //   RSA        PKIX DER, odd modulus of 2048 to 8192 bits, odd exponent of 2 to 31 bits
  // Errc::malformed, Errc::limit_exceeded (above kMaxPublicKeySize), Errc::unsupported (another
  // type), CryptoErrc::weak_key (outside the bounds above).
  static Result<PublicKey> unmarshal(BytesView protobuf);
  // The same from the type and the bytes of Data.
  static Result<PublicKey> from_raw(KeyType type, BytesView data);

  KeyType type() const { return type_; }
  const Bytes& raw() const { return data_; }

  // The one encoding that peer ids are made of: 08 <type> 12 <length> <data>.
  Bytes marshal() const;
  codec::PeerId peer_id() const;

  // Whether `signature` is of this key over `message`: Ed25519 pure, RSA PKCS#1 v1.5 and ECDSA in
  // DER, both over SHA-256. Takes up to a millisecond for RSA 8192.
  bool verify(BytesView message, BytesView signature) const;

  bool operator==(const PublicKey&) const = default;

 private:
  PublicKey(KeyType type, Bytes data) : type_(type), data_(std::move(data)) {}

  KeyType type_;
  Bytes data_;
};

// The public key inside a peer id, when it holds one (Ed25519, secp256k1): Errc::not_found when the
// id is a hash; otherwise as PublicKey::unmarshal.
Result<PublicKey> public_key_of(const codec::PeerId& peer);

// An Ed25519 key of our own. Wiped on destruction.
class PrivateKey {
 public:
  static PrivateKey generate(Random& random);
  // From the 32-byte seed of RFC 8032.
  static PrivateKey from_seed(BytesView seed);
  // Reads the libp2p protobuf; Data is seed and public key (64 bytes), or the old form with the
  // public key twice (96 bytes). Errc::malformed also when the public key is not the seed's;
  // Errc::unsupported for another type.
  static Result<PrivateKey> unmarshal(BytesView protobuf);

  // 08 01 12 40 <seed> <public key>. The caller holds a secret.
  SecretBytes marshal() const;
  // 64 bytes (RFC 8032, deterministic).
  Bytes sign(BytesView message) const;
  PublicKey public_key() const;
  codec::PeerId peer_id() const { return public_key().peer_id(); }

 private:
  explicit PrivateKey(Secret<64> key) : key_(std::move(key)) {}

  Secret<64> key_;  // seed, public key
};

}  // namespace oc::crypto
