#include "noise_channel.hpp"

#include <algorithm>

#include "p2p/noise.pb.h"
#include "p2p/upgrade/noise.hpp"
#include "p2p/upgrade/upgrade.hpp"

namespace oc::hostile {
namespace {

constexpr std::size_t kLengthSize = 2;
// Larger writes are cut into frames of this size.
constexpr std::size_t kFrame = p2p::kMaxNoisePlaintext;

class NoiseChannel final : public Channel {
 public:
  NoiseChannel(PlainChannel below, crypto::NoiseChannel keys, Bytes binding, Bytes remote_key)
      : below_(std::move(below)),
        keys_(std::move(keys)),
        binding_(std::move(binding)),
        remote_key_(std::move(remote_key)) {}

  bool send(BytesView bytes, TimePoint until) override {
    Bytes sealed;
    while (!bytes.empty()) {
      const std::size_t n = std::min(bytes.size(), kFrame);
      const std::size_t at = sealed.size();
      sealed.resize(at + kLengthSize + n + crypto::kNoiseTagSize);
      Byte* frame = sealed.data() + at;
      put_be16(frame, static_cast<std::uint16_t>(n + crypto::kNoiseTagSize));
      std::copy_n(bytes.data(), n, frame + kLengthSize);
      (void)keys_.send.seal_in_place({}, frame + kLengthSize, n, frame + kLengthSize + n);
      bytes = bytes.subspan(n);
    }
    return below_.send(sealed, until);
  }

  Received receive(TimePoint until, std::size_t most) override {
    Received out;
    while (opened_.empty() && out.end == End::open) {
      if (open_frame()) continue;
      Received got = below_.receive(until, 64 * 1024);
      out.end = got.end;
      if (got.bytes.empty()) break;
      append(sealed_, got.bytes);
    }
    const std::size_t n = std::min(most, opened_.size());
    out.bytes.assign(opened_.begin(), opened_.begin() + static_cast<std::ptrdiff_t>(n));
    opened_.erase(opened_.begin(), opened_.begin() + static_cast<std::ptrdiff_t>(n));
    if (!out.bytes.empty()) out.end = End::open;
    return out;
  }

  Socket& socket() override { return below_.socket(); }
  BytesView binding() const override { return binding_; }
  BytesView remote_key() const override { return remote_key_; }

 private:
  // Whether a whole frame was there.
  bool open_frame() {
    if (sealed_.size() < kLengthSize) return false;
    const std::size_t length = get_be16(sealed_.data());
    if (sealed_.size() < kLengthSize + length) return false;
    Byte* frame = sealed_.data() + kLengthSize;
    const std::size_t n = length - crypto::kNoiseTagSize;
    if (length < crypto::kNoiseTagSize || !keys_.receive.open_in_place({}, frame, n, frame + n)) {
      throw std::runtime_error("the node sent a frame that does not open");
    }
    opened_.insert(opened_.end(), frame, frame + n);
    sealed_.erase(sealed_.begin(),
                  sealed_.begin() + static_cast<std::ptrdiff_t>(kLengthSize + length));
    return true;
  }

  PlainChannel below_;
  crypto::NoiseChannel keys_;
  Bytes binding_;
  Bytes remote_key_;
  Bytes sealed_;
  Bytes opened_;
};

}  // namespace

Bytes noise_text_to_sign(BytesView static_key) {
  Bytes text = to_bytes(as_bytes("noise-libp2p-static-key:"));
  append(text, static_key);
  return text;
}

Bytes noise_payload(BytesView public_key, BytesView signature) {
  p2p::pb::NoiseHandshakePayload payload;
  if (!public_key.empty()) payload.set_identity_key(std::string(as_text(public_key)));
  if (!signature.empty()) payload.set_identity_sig(std::string(as_text(signature)));
  payload.mutable_extensions()->add_stream_muxers(p2p::kYamuxId);
  return to_bytes(as_bytes(payload.SerializeAsString()));
}

Bytes honest_payload(const Identity& identity, const crypto::X25519PublicKey& static_key) {
  return noise_payload(identity.public_key, identity.sign(noise_text_to_sign(static_key)));
}

bool send_noise_message(Channel& channel, BytesView message, TimePoint until) {
  Bytes framed(kLengthSize);
  put_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
  append(framed, message);
  return channel.send(framed, until);
}

std::optional<Bytes> receive_noise_message(Channel& channel, TimePoint until) {
  const auto length = read_exactly(channel, kLengthSize, until);
  if (!length) return std::nullopt;
  return read_exactly(channel, get_be16(length->data()), until);
}

std::unique_ptr<Channel> dial_noise(Socket socket, Random& random, const Forgery& payload,
                                    TimePoint until) {
  PlainChannel plain(std::move(socket));
  const auto own = crypto::X25519KeyPair::generate(random);
  crypto::NoiseXX noise(crypto::NoiseRole::initiator, own, random);
  if (!send_noise_message(plain, noise.write_message({}).value(), until)) return nullptr;
  const auto second = receive_noise_message(plain, until);
  if (!second) return nullptr;
  const Bytes theirs = noise.read_message(*second).value();
  p2p::pb::NoiseHandshakePayload said;
  if (!said.ParseFromArray(theirs.data(), static_cast<int>(theirs.size()))) return nullptr;
  const Bytes third = noise.write_message(payload(own.public_key())).value();
  if (!send_noise_message(plain, third, until)) return nullptr;
  return std::make_unique<NoiseChannel>(std::move(plain), noise.split(),
                                        to_bytes(noise.handshake_hash()),
                                        to_bytes(as_bytes(said.identity_key())));
}

}  // namespace oc::hostile
