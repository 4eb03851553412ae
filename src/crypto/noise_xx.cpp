#include "crypto/noise_xx.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace oc::crypto {
namespace {

constexpr std::size_t kKeySize = 32;

// Takes n bytes off the front.
Result<BytesView> take(BytesView& in, std::size_t n) {
  if (in.size() < n) return Errc::truncated;
  const BytesView taken = in.first(n);
  in = in.subspan(n);
  return taken;
}

X25519PublicKey as_key(BytesView bytes) {
  X25519PublicKey key;
  std::copy_n(bytes.begin(), kKeySize, key.begin());
  return key;
}

}  // namespace

NoiseXX::NoiseXX(NoiseRole role, X25519KeyPair local_static, Random& random, BytesView prologue)
    : role_(role),
      local_static_(std::move(local_static)),
      local_ephemeral_(X25519KeyPair::generate(random)),
      symmetric_("Noise_XX_25519_ChaChaPoly_SHA256") {
  symmetric_.mix_hash(prologue);
}

bool NoiseXX::my_turn() const {
  return !done() && (next_message_ % 2 == 0) == (role_ == NoiseRole::initiator);
}

Result<Bytes> NoiseXX::write_message(BytesView payload) {
  ASSERT(my_turn());
  Bytes message;
  if (next_message_ < 2) {
    append(message, local_ephemeral_.public_key());
    symmetric_.mix_hash(local_ephemeral_.public_key());
  }
  if (next_message_ == 1) {
    CHECK(mix_dh(local_ephemeral_, remote_ephemeral_));
    CHECK(write_static(message));
    CHECK(mix_dh(local_static_, remote_ephemeral_));
  } else if (next_message_ == 2) {
    CHECK(write_static(message));
    CHECK(mix_dh(local_static_, remote_ephemeral_));
  }
  TRY(const Bytes sealed, symmetric_.encrypt_and_hash(payload));
  append(message, sealed);
  if (message.size() > kMaxNoiseMessage) return Errc::limit_exceeded;
  ++next_message_;
  return message;
}

Result<Bytes> NoiseXX::read_message(BytesView message) {
  ASSERT(!done() && !my_turn());
  if (message.size() > kMaxNoiseMessage) return Errc::limit_exceeded;
  if (next_message_ < 2) {
    TRY(const BytesView ephemeral, take(message, kKeySize));
    remote_ephemeral_ = as_key(ephemeral);
    symmetric_.mix_hash(ephemeral);
  }
  if (next_message_ == 1) {
    CHECK(mix_dh(local_ephemeral_, remote_ephemeral_));
    CHECK(read_static(message));
    CHECK(mix_dh(local_ephemeral_, *remote_static_));
  } else if (next_message_ == 2) {
    CHECK(read_static(message));
    CHECK(mix_dh(local_ephemeral_, *remote_static_));
  }
  TRY(Bytes payload, symmetric_.decrypt_and_hash(message));
  ++next_message_;
  return payload;
}

const FixedBytes<32>& NoiseXX::handshake_hash() const {
  ASSERT(done());
  return symmetric_.handshake_hash();
}

NoiseChannel NoiseXX::split() const {
  ASSERT(done());
  auto [from_initiator, from_responder] = symmetric_.split();
  if (role_ == NoiseRole::initiator) {
    return {std::move(from_initiator), std::move(from_responder)};
  }
  return {std::move(from_responder), std::move(from_initiator)};
}

Result<void> NoiseXX::mix_dh(const X25519KeyPair& ours, const X25519PublicKey& theirs) {
  TRY(const Secret<32> shared, ours.shared_secret(theirs));
  symmetric_.mix_key(shared.view());
  return success();
}

Result<void> NoiseXX::write_static(Bytes& message) {
  TRY(const Bytes sealed, symmetric_.encrypt_and_hash(local_static_.public_key()));
  append(message, sealed);
  return success();
}

Result<void> NoiseXX::read_static(BytesView& message) {
  TRY(const BytesView sealed, take(message, kKeySize + kNoiseTagSize));
  TRY(const Bytes key, symmetric_.decrypt_and_hash(sealed));
  remote_static_ = as_key(key);
  return success();
}

}  // namespace oc::crypto
