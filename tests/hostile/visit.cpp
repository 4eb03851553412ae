#include "visit.hpp"

#include "p2p/upgrade/noise.hpp"
#include "p2p/upgrade/upgrade.hpp"
#include "tls_channel.hpp"

namespace oc::hostile {

const char* Visit::security_id() const {
  return security_ == Security::noise ? p2p::kNoiseId : kTlsProtocol;
}

std::optional<Socket> Visit::dial() {
  DialFrom from;
  if (!sources_.empty()) from.source = sources_[next_source_++ % sources_.size()];
  from.receive_buffer = receive_buffer_;
  return Socket::dial(node_, from, in(kPatience));
}

std::unique_ptr<Channel> Visit::secure_forged(Socket socket, const Forgery& payload) {
  PlainChannel plain(std::move(socket));
  if (propose(plain, p2p::kNoiseId, in(kPatience)) != p2p::kNoiseId) return nullptr;
  return dial_noise(std::move(plain.socket()), random_, payload, in(kPatience));
}

std::unique_ptr<Channel> Visit::secure_on(Socket socket, const Identity& identity) {
  if (security_ == Security::noise) {
    return secure_forged(std::move(socket), [&identity](const crypto::X25519PublicKey& own) {
      return honest_payload(identity, own);
    });
  }
  PlainChannel plain(std::move(socket));
  if (propose(plain, kTlsProtocol, in(kPatience)) != kTlsProtocol) return nullptr;
  auto channel = std::make_unique<TlsChannel>(
      std::move(plain.socket()), make_credentials("honest", identity, random_), TlsWish{});
  if (!channel->shake_hands(in(kPatience))) return nullptr;
  if (channel->application() == p2p::kYamuxId) return channel;
  if (propose(*channel, p2p::kYamuxId, in(kPatience)) != p2p::kYamuxId) return nullptr;
  return channel;
}

std::unique_ptr<Channel> Visit::secure(const Identity& identity) {
  auto socket = dial();
  return socket ? secure_on(*std::move(socket), identity) : nullptr;
}

std::unique_ptr<Session> Visit::session(const Identity& identity) {
  auto channel = secure(identity);
  return channel == nullptr ? nullptr : std::make_unique<Session>(std::move(channel));
}

}  // namespace oc::hostile
