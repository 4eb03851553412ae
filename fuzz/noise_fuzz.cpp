// Noise: bytes where a handshake should be, a handshake with an odd payload, and frames.
#include "crypto/noise_xx.hpp"
#include "fuzzing.hpp"
#include "p2p/upgrade/noise.hpp"
#include "p2p/upgrade/noise_stream.hpp"

using namespace oc;

namespace {

using StreamPtr = std::unique_ptr<net::Stream>;

awaitable<void> honest_side(StreamPtr stream, bool initiator, bool& proven) {
  static const auto identity = crypto::PrivateKey::from_seed(Bytes(32, 7));
  FakeRandom random(1);
  p2p::SecurityOptions options;
  auto channel = co_await p2p::secure_noise(std::move(stream), initiator, identity, random,
                                            std::move(options));
  proven = channel.has_value();
}

awaitable<void> garbage_for_a_handshake(BytesView bytes, std::size_t piece, bool initiator) {
  auto [stream, peer] = co_await fuzz::stream_of(bytes, piece);
  bool proven = false;
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
  bool proven = false;
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

crypto::CipherState cipher(Byte seed) {
  crypto::Secret<32> secret;
  std::ranges::fill(secret.mutable_view(), seed);
  return crypto::CipherState(secret);
}

// Frames cut from the input, each sealed well, but one perhaps changed; then the input itself.
awaitable<void> frames(fuzz::Input input, std::size_t piece) {
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
  auto [below, peer] = co_await fuzz::stream_of(wire, piece);
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
  const std::size_t piece = choice % 32;
  switch (choice / 64) {
    case 0:
      fuzz::run_to_end([&] { return garbage_for_a_handshake(input.rest(), piece, true); });
      break;
    case 1:
      fuzz::run_to_end([&] { return garbage_for_a_handshake(input.rest(), piece, false); });
      break;
    case 2: fuzz::run_to_end([&] { return odd_payload(input.rest()); }); break;
    default: fuzz::run_to_end([&] { return frames(input, piece); }); break;
  }
  return 0;
}
