#include "crypto/signed_envelope.hpp"

#include "base/assert.hpp"
#include "codec/varint.hpp"
#include "crypto/envelope.pb.h"
#include "crypto/error.hpp"

namespace oc::crypto {
namespace {

Bytes signed_bytes(std::string_view domain, BytesView payload_type, BytesView payload) {
  Bytes out;
  out.reserve(domain.size() + payload_type.size() + payload.size() + 3 * codec::kMaxUvarintSize);
  codec::put_length_prefixed(out, as_bytes(domain));
  codec::put_length_prefixed(out, payload_type);
  codec::put_length_prefixed(out, payload);
  return out;
}

}  // namespace

Bytes seal_envelope(const PrivateKey& key, std::string_view domain, BytesView payload_type,
                    BytesView payload) {
  const Bytes public_key = key.public_key().marshal();
  const Bytes signature = key.sign(signed_bytes(domain, payload_type, payload));
  pb::Envelope envelope;
  envelope.set_public_key(std::string(as_text(public_key)));
  envelope.set_payload_type(std::string(as_text(payload_type)));
  envelope.set_payload(std::string(as_text(payload)));
  envelope.set_signature(std::string(as_text(signature)));
  Bytes out(envelope.ByteSizeLong());
  const bool written = envelope.SerializeToArray(out.data(), static_cast<int>(out.size()));
  ASSERT(written && out.size() <= kMaxEnvelopeSize);
  return out;
}

Result<OpenedEnvelope> open_envelope(BytesView bytes, std::string_view domain, ProofCache* known) {
  if (bytes.size() > kMaxEnvelopeSize) return Errc::limit_exceeded;
  pb::Envelope envelope;
  if (!envelope.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Errc::malformed;
  }
  TRY(PublicKey key, PublicKey::unmarshal(as_bytes(envelope.public_key())));
  const BytesView payload_type = as_bytes(envelope.payload_type());
  const BytesView payload = as_bytes(envelope.payload());
  const Bytes text = signed_bytes(domain, payload_type, payload);
  const BytesView signature = as_bytes(envelope.signature());
  const bool good =
      known != nullptr ? known->verify(key, text, signature) : key.verify(text, signature);
  if (!good) return CryptoErrc::bad_signature;
  return OpenedEnvelope{std::move(key), to_bytes(payload_type), to_bytes(payload)};
}

}  // namespace oc::crypto
