// Noise: bytes where a handshake should be, a handshake with an odd payload, one between honest
// peers with somebody between them, and frames.
#include "crypto/noise_xx.hpp"
#include "fuzzing.hpp"
#include "p2p/upgrade/noise.hpp"
#include "p2p/upgrade/noise_stream.hpp"

using namespace oc;

namespace {

using fuzz::StreamPtr;

const crypto::PrivateKey& identity(bool initiator) {
  static const auto ours = crypto::PrivateKey::from_seed(Bytes(32, 7));
  static const auto theirs = crypto::PrivateKey::from_seed(Bytes(32, 8));
  return initiator ? ours : theirs;
}

struct Proven {
  crypto::PublicKey key;
  Bytes binding;
};

awaitable<void> honest_side(StreamPtr stream, bool initiator, std::optional<Proven>& proven) {
  FakeRandom random(initiator ? 1 : 2);
  p2p::SecurityOptions options;
  p2p::NoiseContext context(identity(initiator), random);
  auto channel = co_await context.secure(std::move(stream), initiator, std::move(options));
  if (!channel) co_return;
  proven = Proven{channel->remote_key, channel->binding};
  (void)co_await channel->stream->close_write();  // or its last message may be lost
}

awaitable<void> garbage_for_a_handshake(BytesView bytes, fuzz::Cuts cuts, bool initiator) {
  StreamPtr stream = std::make_unique<fuzz::GivenStream>(bytes, cuts);
  std::optional<Proven> proven;
  co_await honest_side(std::move(stream), initiator, proven);
  fuzz::require(!proven);
}

Bytes framed(BytesView message) {
  Bytes out(2);
  put_be16(out.data(), static_cast<std::uint16_t>(message.size()));
  append(out, message);
  return out;
}

// The peer keeps to Noise, but its payload is the input: never a proof of identity.
awaitable<void> odd_payload(BytesView payload) {
  auto [honest, peer] = net::make_fake_stream_pair();
  FakeRandom random(2);
  crypto::NoiseXX noise(crypto::NoiseRole::initiator, crypto::X25519KeyPair::generate(random),
                        random);
  TaskScope scope(co_await asio::this_coro::executor);
  std::optional<Proven> proven;
  scope.spawn("honest", honest_side(std::move(honest), false, proven));
  auto first = noise.write_message({});
  fuzz::require((co_await peer->write(framed(*first))).has_value());
  FixedBytes<2> length;
  fuzz::require((co_await net::read_exactly(*peer, length)).has_value());
  Bytes second(get_be16(length.data()));
  fuzz::require((co_await net::read_exactly(*peer, second)).has_value());
  fuzz::require(noise.read_message(second).has_value());
  auto third = noise.write_message(payload);
  if (third) (void)co_await peer->write(framed(*third));
  peer->reset();
  co_await scope.close();
  fuzz::require(!proven);
}

// Whoever is content knows the other one; when both are, nothing was changed that matters.
void tampered(fuzz::Input input, bool at_the_initiator) {
  std::optional<Proven> first, second;
  fuzz::run_tampered(
      [&](StreamPtr stream) { return honest_side(std::move(stream), at_the_initiator, first); },
      [&](StreamPtr stream) { return honest_side(std::move(stream), !at_the_initiator, second); },
      input);
  if (first) fuzz::require(first->key == identity(!at_the_initiator).public_key());
  if (second) fuzz::require(second->key == identity(at_the_initiator).public_key());
  if (first && second) fuzz::require(first->binding == second->binding);
  if (input.empty()) fuzz::require(first && second);
}

crypto::CipherState cipher(Byte seed) {
  crypto::Secret<32> secret;
  std::ranges::fill(secret.mutable_view(), seed);
  return crypto::CipherState(secret);
}

// Frames cut from the input, each sealed well, but one perhaps changed; then the input itself.
awaitable<void> frames(fuzz::Input input, fuzz::Cuts cuts) {
  crypto::CipherState seal = cipher(1);
  Bytes wire, plain;
  bool changed = false;
  while (!input.empty()) {
    const Byte choice = input.byte();
    const BytesView text = input.bytes(choice % 64);
    Bytes frame(text.size() + 16);
    std::ranges::copy(text, frame.begin());
    fuzz::require(
        seal.seal_in_place({}, frame.data(), text.size(), frame.data() + text.size()).has_value());
    if (choice >= 250) {
      frame[choice % frame.size()] ^= 1;
      changed = true;
    }
    if (!changed) append(plain, text);
    append(wire, framed(frame));
  }
  StreamPtr below = std::make_unique<fuzz::GivenStream>(wire, cuts);
  p2p::NoiseStream stream(std::move(below), cipher(2), cipher(1));
  Bytes got;
  FixedBytes<50> into;
  for (;;) {
    auto n = co_await stream.read_some(into);
    if (!n) {
      fuzz::require(n.error() == (changed ? make_error_code(p2p::P2pErrc::decrypt_failed)
                                          : make_error_code(Errc::eof)));
      break;
    }
    append(got, BytesView(into).first(*n));
  }
  // Of frames in front of a bad one some may be lost, but nothing is made up.
  fuzz::require(got.size() <= plain.size() && std::equal(got.begin(), got.end(), plain.begin()));
  fuzz::require(changed || got.size() == plain.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, std::min<std::size_t>(size, 8000));
  const Byte choice = input.byte();
  const fuzz::Cuts cuts(choice);
  switch (choice / 32) {
    case 0:
    case 1:
      fuzz::run_to_end([&] { return garbage_for_a_handshake(input.rest(), cuts, true); });
      break;
    case 2:
    case 3:
      fuzz::run_to_end([&] { return garbage_for_a_handshake(input.rest(), cuts, false); });
      break;
    case 4: fuzz::run_to_end([&] { return odd_payload(input.rest()); }); break;
    case 5: tampered(input, choice % 2 == 0); break;
    default: fuzz::run_to_end([&] { return frames(input, cuts); }); break;
  }
  return 0;
}
