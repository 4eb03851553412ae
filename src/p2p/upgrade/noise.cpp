#include "p2p/upgrade/noise.hpp"

#include <algorithm>

#include "crypto/noise_xx.hpp"
#include "p2p/noise.pb.h"
#include "p2p/upgrade/noise_stream.hpp"

namespace oc::p2p {
namespace {

// libp2p/specs noise/README.md: what the identity key signs is this and the static public key.
constexpr std::string_view kSignaturePrefix = "noise-libp2p-static-key:";

awaitable<Result<void>> send_message(net::Stream& stream, Bytes message) {
  Bytes framed(2 + message.size());
  put_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
  std::copy(message.begin(), message.end(), framed.begin() + 2);
  co_return co_await stream.write(framed);
}

awaitable<Result<Bytes>> receive_message(net::Stream& stream) {
  FixedBytes<2> length;
  CO_CHECK(co_await net::read_exactly(stream, length));
  const std::size_t size = get_be16(length.data());
  if (size == 0 || size > kMaxNoiseHandshakeMessage) co_return P2pErrc::handshake_failed;
  Bytes message(size);
  CO_CHECK(co_await net::read_exactly(stream, message));
  co_return message;
}

Bytes to_sign(BytesView static_key) {
  Bytes text = to_bytes(as_bytes(kSignaturePrefix));
  append(text, static_key);
  return text;
}

struct RemotePayload {
  crypto::PublicKey key;
  std::vector<std::string> muxers;
};

Result<RemotePayload> check_payload(BytesView bytes, BytesView static_key,
                                    const std::optional<codec::PeerId>& expected,
                                    crypto::ProofCache& proofs) {
  pb::NoiseHandshakePayload payload;
  if (!payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return P2pErrc::handshake_failed;
  }
  auto key = crypto::PublicKey::unmarshal(as_bytes(payload.identity_key()));
  if (!key || !proofs.verify(*key, to_sign(static_key), as_bytes(payload.identity_sig()))) {
    return P2pErrc::handshake_failed;
  }
  if (expected && key->peer_id() != *expected) return P2pErrc::wrong_peer;
  const auto& listed = payload.extensions().stream_muxers();
  if (listed.size() > kMaxEarlyMuxers) return P2pErrc::handshake_failed;
  return RemotePayload{*std::move(key), {listed.begin(), listed.end()}};
}

// The first muxer of the initiator's list that the responder speaks too.
std::optional<std::string> common_muxer(std::span<const std::string> initiators,
                                        std::span<const std::string> responders) {
  for (const std::string& muxer : initiators) {
    if (std::ranges::find(responders, muxer) != responders.end()) return muxer;
  }
  return std::nullopt;
}

awaitable<Result<RemotePayload>> exchange(net::Stream& stream, crypto::NoiseXX& noise,
                                          bool initiator, Bytes payload,
                                          std::optional<codec::PeerId> expected,
                                          crypto::ProofCache& proofs) {
  const auto step = [](auto result) -> Result<Bytes> {
    if (!result) return P2pErrc::handshake_failed;
    return *std::move(result);
  };
  Bytes theirs;
  if (initiator) {
    CO_TRY(Bytes first, step(noise.write_message({})));
    CO_CHECK(co_await send_message(stream, std::move(first)));
    CO_TRY(const Bytes second, co_await receive_message(stream));
    CO_TRY(theirs, step(noise.read_message(second)));
  } else {
    CO_TRY(const Bytes first, co_await receive_message(stream));
    // Message 1 carries no payload; early data would be unauthenticated.
    CO_TRY(const Bytes early, step(noise.read_message(first)));
    if (!early.empty()) co_return P2pErrc::handshake_failed;
    CO_TRY(Bytes second, step(noise.write_message(payload)));
    CO_CHECK(co_await send_message(stream, std::move(second)));
    CO_TRY(const Bytes third, co_await receive_message(stream));
    CO_TRY(theirs, step(noise.read_message(third)));
  }
  CO_TRY(RemotePayload remote, check_payload(theirs, *noise.remote_static(), expected, proofs));
  if (initiator) {
    CO_TRY(Bytes third, step(noise.write_message(payload)));
    CO_CHECK(co_await send_message(stream, std::move(third)));
  }
  co_return remote;
}

}  // namespace

NoiseContext::NoiseContext(const crypto::PrivateKey& identity, Random& random)
    : random_(random),
      static_keys_(crypto::X25519KeyPair::generate(random)),
      identity_key_(identity.public_key().marshal()),
      identity_signature_(identity.sign(to_sign(static_keys_.public_key()))) {}

Bytes NoiseContext::make_payload(std::span<const std::string> muxers) const {
  pb::NoiseHandshakePayload payload;
  payload.set_identity_key(std::string(as_text(identity_key_)));
  payload.set_identity_sig(std::string(as_text(identity_signature_)));
  for (const std::string& muxer : muxers) payload.mutable_extensions()->add_stream_muxers(muxer);
  return to_bytes(as_bytes(payload.SerializeAsString()));
}

awaitable<Result<SecureChannel>> NoiseContext::secure(std::unique_ptr<net::Stream> below,
                                                      bool initiator, SecurityOptions options) {
  const auto role = initiator ? crypto::NoiseRole::initiator : crypto::NoiseRole::responder;
  crypto::NoiseXX noise(role, static_keys_, random_);
  Bytes payload = make_payload(options.muxers);
  auto remote =
      co_await exchange(*below, noise, initiator, std::move(payload), options.expected, proofs_);
  if (!remote) {
    below->reset();
    co_return remote.error();
  }
  auto muxer = initiator ? common_muxer(options.muxers, remote->muxers)
                         : common_muxer(remote->muxers, options.muxers);
  crypto::NoiseChannel channel = noise.split();
  co_return SecureChannel{std::make_unique<NoiseStream>(std::move(below), std::move(channel.send),
                                                        std::move(channel.receive)),
                          std::move(remote->key), to_bytes(noise.handshake_hash()),
                          std::move(muxer), kNoiseId};
}

}  // namespace oc::p2p
