#include "crypto/keys.hpp"

#include <sodium.h>

#include <algorithm>

#include "base/assert.hpp"
#include "codec/varint.hpp"
#include "crypto/error.hpp"
#include "crypto/evp_key.hpp"
#include "crypto/keys.pb.h"
#include "crypto/sodium.hpp"

namespace oc::crypto {
namespace {

constexpr std::size_t kEd25519KeySize = crypto_sign_PUBLICKEYBYTES;
constexpr std::size_t kEd25519SignatureSize = crypto_sign_BYTES;
// Seed and public key, the public key possibly twice.
constexpr std::size_t kEd25519PrivateSize = crypto_sign_SECRETKEYBYTES;
constexpr std::size_t kEd25519LegacySize = kEd25519PrivateSize + kEd25519KeySize;
constexpr std::size_t kMaxPrivateKeySize = 256;

// {1: type, 2: data}, in the one order and form that peer ids are made of.
Bytes marshal_key(KeyType type, BytesView data) {
  Bytes out;
  out.reserve(data.size() + 8);
  out.push_back(0x08);
  out.push_back(static_cast<Byte>(type));
  out.push_back(0x12);
  codec::put_length_prefixed(out, data);
  return out;
}

Result<KeyType> key_type(const pb::Key& key) {
  if (!key.has_type() || !key.has_data()) return Errc::malformed;
  if (key.type() > static_cast<std::uint32_t>(KeyType::ecdsa)) return Errc::unsupported;
  return static_cast<KeyType>(key.type());
}

bool parse_key(BytesView protobuf, pb::Key& key) {
  return key.ParseFromArray(protobuf.data(), static_cast<int>(protobuf.size()));
}

bool verify_ed25519(BytesView key, BytesView message, BytesView signature) {
  init_sodium();
  return signature.size() == kEd25519SignatureSize &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

// The key of a type that OpenSSL verifies.
Result<EvpKey> load(KeyType type, BytesView data) {
  if (type == KeyType::rsa) return load_rsa_key(data);
  return type == KeyType::ecdsa ? load_ecdsa_key(data) : load_secp256k1_key(data);
}

Result<PrivateKey> private_key_from(BytesView data) {
  if (data.size() != kEd25519PrivateSize && data.size() != kEd25519LegacySize) {
    return Errc::malformed;
  }
  PrivateKey key = PrivateKey::from_seed(data.first(crypto_sign_SEEDBYTES));
  const Bytes expected = key.public_key().raw();
  for (BytesView rest = data.subspan(crypto_sign_SEEDBYTES); !rest.empty();
       rest = rest.subspan(kEd25519KeySize)) {
    if (!equal(rest.first(kEd25519KeySize), expected)) return Errc::malformed;
  }
  return key;
}

}  // namespace

Result<PublicKey> PublicKey::unmarshal(BytesView protobuf) {
  if (protobuf.size() > kMaxPublicKeySize) return Errc::limit_exceeded;
  pb::Key key;
  if (!parse_key(protobuf, key)) return Errc::malformed;
  TRY(const KeyType type, key_type(key));
  return from_raw(type, as_bytes(key.data()));
}

Result<PublicKey> PublicKey::from_raw(KeyType type, BytesView data) {
  if (data.size() > kMaxPublicKeySize) return Errc::limit_exceeded;
  if (type == KeyType::ed25519) {
    if (data.size() != kEd25519KeySize) return Errc::malformed;
  } else {
    TRY(const EvpKey checked, load(type, data));
  }
  return PublicKey(type, to_bytes(data));
}

Bytes PublicKey::marshal() const { return marshal_key(type_, data_); }

codec::PeerId PublicKey::peer_id() const { return codec::PeerId::of_public_key(marshal()); }

bool PublicKey::verify(BytesView message, BytesView signature) const {
  if (type_ == KeyType::ed25519) return verify_ed25519(data_, message, signature);
  const Result<EvpKey> key = load(type_, data_);
  ASSERT(key.has_value());
  return verify_sha256(key->get(), message, signature);
}

Result<PublicKey> public_key_of(const codec::PeerId& peer) {
  const BytesView marshalled = peer.inline_public_key();
  if (marshalled.empty()) return Errc::not_found;
  return PublicKey::unmarshal(marshalled);
}

PrivateKey PrivateKey::generate(Random& random) {
  Secret<crypto_sign_SEEDBYTES> seed;
  random.fill(seed.mutable_view());
  return from_seed(seed.view());
}

PrivateKey PrivateKey::from_seed(BytesView seed) {
  ASSERT(seed.size() == crypto_sign_SEEDBYTES);
  init_sodium();
  Secret<64> key;
  FixedBytes<kEd25519KeySize> public_key;
  crypto_sign_seed_keypair(public_key.data(), key.data(), seed.data());
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::unmarshal(BytesView protobuf) {
  if (protobuf.size() > kMaxPrivateKeySize) return Errc::limit_exceeded;
  pb::Key key;
  if (!parse_key(protobuf, key)) return Errc::malformed;
  TRY(const KeyType type, key_type(key));
  if (type != KeyType::ed25519) return Errc::unsupported;
  Result<PrivateKey> result = private_key_from(as_bytes(key.data()));
  std::string& parsed = *key.mutable_data();
  wipe({reinterpret_cast<Byte*>(parsed.data()), parsed.size()});
  return result;
}

SecretBytes PrivateKey::marshal() const {
  return SecretBytes(marshal_key(KeyType::ed25519, key_.view()));
}

Bytes PrivateKey::sign(BytesView message) const {
  Bytes signature(kEd25519SignatureSize);
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), key_.data());
  return signature;
}

PublicKey PrivateKey::public_key() const {
  const BytesView key = key_.view().subspan(crypto_sign_SEEDBYTES);
  return *PublicKey::from_raw(KeyType::ed25519, key);
}

}  // namespace oc::crypto
