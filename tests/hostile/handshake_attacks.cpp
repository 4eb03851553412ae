// Section 1.2: security handshakes, forged and many.
#include <stdexcept>

#include "attack.hpp"

namespace oc::hostile {
namespace {

constexpr std::size_t kMostHandshakes = 1'000'000;

Forgery noise_forgery(const std::string& name, Random& random) {
  const Identity ours = fresh_identity(random), other = fresh_identity(random);
  const auto elsewhere = crypto::X25519KeyPair::generate(random).public_key();
  return [=](const crypto::X25519PublicKey& own) -> Bytes {
    const Bytes text = noise_text_to_sign(own);
    if (name == "no-signature") return noise_payload(ours.public_key, {});
    if (name == "other-static-key") {
      return noise_payload(ours.public_key, ours.sign(noise_text_to_sign(elsewhere)));
    }
    if (name == "no-prefix") return noise_payload(ours.public_key, ours.sign(own));
    if (name == "foreign-signature") return noise_payload(ours.public_key, other.sign(text));
    if (name == "empty") return {};
    if (name == "honest") return noise_payload(ours.public_key, ours.sign(text));
    throw std::invalid_argument("no such payload: " + name);
  };
}

Json noise_payloads(Visit& visit, const Options& options) {
  auto socket = visit.dial();
  if (!socket) return report_of(nullptr);
  auto channel =
      visit.secure_forged(*std::move(socket), noise_forgery(options.text("case"), visit.random()));
  if (channel == nullptr) return report_of(nullptr);
  Session session(std::move(channel));
  return report_of(&session);
}

// Complete handshakes of ever new peers, each closed right behind.
Json handshakes(Visit& visit, const Options& options) {
  const std::size_t count = options.number("count", 1000, kMostHandshakes);
  const TimePoint began = now();
  std::size_t done = 0, refused = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto channel = visit.secure(fresh_identity(visit.random()));
    ++(channel == nullptr ? refused : done);
  }
  const double seconds = std::chrono::duration<double>(now() - began).count();
  return {{"done", done}, {"refused", refused}, {"seconds", seconds}};
}

constexpr Attack kAttacks[] = {
    {"noise-payload", "--case PAYLOAD", noise_payloads},
    {"handshakes", "--count N", handshakes},
};

}  // namespace

std::span<const Attack> handshake_attacks() { return kAttacks; }

}  // namespace oc::hostile
