#include "crypto/noise_symmetric.hpp"

#include <algorithm>

#include "crypto/error.hpp"
#include "crypto/sha.hpp"

namespace oc::crypto {

Result<void> CipherState::seal_in_place(BytesView ad, Byte* data, std::size_t size, Byte* tag_out) {
  if (nonce_ == kReservedNonce) return CryptoErrc::nonce_exhausted;
  cipher_.seal_in_place(nonce_++, ad, data, size, tag_out);
  return success();
}

Result<void> CipherState::open_in_place(BytesView ad, Byte* data, std::size_t size,
                                        const Byte* tag) {
  if (nonce_ == kReservedNonce) return CryptoErrc::nonce_exhausted;
  CHECK(cipher_.open_in_place(nonce_, ad, data, size, tag));
  ++nonce_;
  return success();
}

SymmetricState::SymmetricState(std::string_view protocol_name) {
  if (protocol_name.size() <= hash_.size()) {
    std::copy(protocol_name.begin(), protocol_name.end(), hash_.begin());
  } else {
    hash_ = sha256({as_bytes(protocol_name)});
  }
  chaining_key_ = Secret<32>(hash_);
}

void SymmetricState::mix_key(BytesView input_key) {
  NoiseKeys keys = noise_hkdf(chaining_key_.view(), input_key);
  chaining_key_ = std::move(keys.first);
  cipher_.emplace(keys.second);
}

void SymmetricState::mix_hash(BytesView data) { hash_ = sha256({hash_, data}); }

Result<Bytes> SymmetricState::encrypt_and_hash(BytesView plaintext) {
  Bytes out = to_bytes(plaintext);
  if (cipher_) {
    out.resize(plaintext.size() + kNoiseTagSize);
    CHECK(cipher_->seal_in_place(hash_, out.data(), plaintext.size(), &out[plaintext.size()]));
  }
  mix_hash(out);
  return out;
}

Result<Bytes> SymmetricState::decrypt_and_hash(BytesView ciphertext) {
  Bytes out = to_bytes(ciphertext);
  if (cipher_) {
    if (ciphertext.size() < kNoiseTagSize) return Errc::truncated;
    const std::size_t size = ciphertext.size() - kNoiseTagSize;
    CHECK(cipher_->open_in_place(hash_, out.data(), size, &out[size]));
    out.resize(size);
  }
  mix_hash(ciphertext);
  return out;
}

std::pair<CipherState, CipherState> SymmetricState::split() const {
  const NoiseKeys keys = noise_hkdf(chaining_key_.view(), {});
  return {CipherState(keys.first), CipherState(keys.second)};
}

}  // namespace oc::crypto
