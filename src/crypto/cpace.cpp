#include "crypto/cpace.hpp"

#include <sodium.h>

#include <algorithm>
#include <string_view>

#include "base/assert.hpp"
#include "codec/varint.hpp"
#include "crypto/error.hpp"
#include "crypto/sha.hpp"
#include "crypto/sodium.hpp"

namespace oc::crypto {
namespace {

constexpr std::string_view kDomain = "CPaceRistretto255";
constexpr std::string_view kKeyDomain = "CPaceRistretto255_ISK";
constexpr std::string_view kMacDomain = "CPaceMac";
constexpr std::size_t kHashBlock = 128;  // of SHA-512

// The share and the data of one party, as they enter the transcript and the tags.
Bytes contribution(BytesView share, BytesView data) {
  Bytes out;
  codec::put_length_prefixed(out, share);
  codec::put_length_prefixed(out, data);
  return out;
}

// 252 uniform bits: the sampling that the draft recommends for this group.
Secret<32> sample_scalar(Random& random) {
  Secret<32> scalar;
  random.fill(scalar.mutable_view());
  scalar.data()[31] &= 0x0f;
  return scalar;
}

}  // namespace

CPaceShare cpace_generator(const CPaceInputs& inputs) {
  init_sodium();
  Bytes text;
  text.reserve(inputs.password.size() + inputs.channel_identifier.size() +
               inputs.session_id.size() + 2 * kHashBlock);
  codec::put_length_prefixed(text, as_bytes(kDomain));
  codec::put_length_prefixed(text, inputs.password);
  // Zeros fill the first block, so that the password is hashed away before public data comes.
  const std::size_t used = text.size() + 1;
  codec::put_length_prefixed(text, Bytes(kHashBlock - std::min(used, kHashBlock)));
  codec::put_length_prefixed(text, inputs.channel_identifier);
  codec::put_length_prefixed(text, inputs.session_id);
  const SecretBytes secret_text(std::move(text));
  const Secret<64> hash(sha512({secret_text.view()}));
  CPaceShare generator;
  crypto_core_ristretto255_from_hash(generator.data(), hash.data());
  return generator;
}

Result<CPaceShare> cpace_scalar_mult(const Secret<32>& scalar, BytesView element) {
  init_sodium();
  if (element.size() != kCPaceShareSize ||
      crypto_core_ristretto255_is_valid_point(element.data()) != 1) {
    return Errc::malformed;
  }
  CPaceShare product;
  // Fails only when the product is the identity.
  if (crypto_scalarmult_ristretto255(product.data(), scalar.data(), element.data()) != 0) {
    return CryptoErrc::weak_point;
  }
  return product;
}

bool CPaceSession::confirms(BytesView peer_tag) const {
  return constant_time_equal(peer_tag_, peer_tag);
}

CPace::CPace(CPaceRole role, const CPaceInputs& inputs, BytesView own_data, Random& random)
    : role_(role), session_id_(to_bytes(inputs.session_id)), own_data_(to_bytes(own_data)) {
  const Secret<32> generator(cpace_generator(inputs));
  for (;;) {
    scalar_ = sample_scalar(random);
    const Result<CPaceShare> share = cpace_scalar_mult(scalar_, generator.view());
    if (!share) continue;  // the scalar was zero
    share_ = *share;
    return;
  }
}

Result<CPaceSession> CPace::finish(BytesView peer_share, BytesView peer_data) {
  ASSERT(!finished_);
  finished_ = true;
  // Our own share coming back would let our own tag pass as the other side's.
  if (equal(peer_share, share_)) return Errc::protocol_violation;
  TRY(CPaceShare product, cpace_scalar_mult(scalar_, peer_share));
  scalar_ = Secret<32>();
  const Secret<32> shared(product);
  wipe(product);

  const Bytes own = contribution(share_, own_data_);
  const Bytes peer = contribution(peer_share, peer_data);
  const bool initiator = role_ == CPaceRole::initiator;
  Bytes prefix;
  prefix.reserve(session_id_.size() + kHashBlock);
  codec::put_length_prefixed(prefix, as_bytes(kKeyDomain));
  codec::put_length_prefixed(prefix, session_id_);
  codec::put_length_prefixed(prefix, shared.view());
  const SecretBytes secret_prefix(std::move(prefix));

  CPaceSession session;
  session.key_ =
      Secret<64>(sha512({secret_prefix.view(), initiator ? own : peer, initiator ? peer : own}));
  const Secret<64> mac_key(sha512({as_bytes(kMacDomain), session_id_, session.key_.view()}));
  session.own_tag_ = hmac_sha512(mac_key.view(), {own});
  session.peer_tag_ = hmac_sha512(mac_key.view(), {peer});
  return session;
}

}  // namespace oc::crypto
