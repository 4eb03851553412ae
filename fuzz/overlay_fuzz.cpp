// The other side's part of a network handshake and of a tunnel's opening.
#include "fuzzing.hpp"
#include "overlay/handshake.hpp"
#include "tunnel/tunnel_protocol.hpp"

using namespace oc;

namespace {

overlay::HandshakeParties parties() {
  static const auto self = crypto::PrivateKey::from_seed(Bytes(32, 7)).peer_id();
  static const auto remote = crypto::PrivateKey::from_seed(Bytes(32, 8)).peer_id();
  overlay::HandshakeParties out;
  out.self = self;
  out.remote = remote;
  out.binding = Bytes(32, 9);
  return out;
}

awaitable<void> handshake(BytesView bytes, std::size_t piece, bool prove) {
  auto [stream, peer] = co_await fuzz::stream_of(bytes, piece);
  FakeRandom random(3);
  overlay::Network network;
  if (prove) {
    fuzz::require(
        !(co_await overlay::prove_membership(*stream, parties(), network, random)).has_value());
    co_return;
  }
  bool proved = false;
  overlay::Verifier verifier;
  verifier.find = [&network](const overlay::NetworkId& id) {
    return id[0] % 2 == 0 ? &network : nullptr;
  };
  verifier.allowed = [](const overlay::NetworkId& id) { return id[1] % 2 == 0; };
  verifier.proved = [&proved](const overlay::NetworkId&) { proved = true; };
  verifier.failed = [](const overlay::NetworkId&) {};
  auto verified =
      co_await overlay::verify_membership(*stream, parties(), std::move(verifier), random);
  fuzz::require(!verified && !proved);
}

awaitable<void> tunnel_opening(BytesView bytes, std::size_t piece) {
  {
    auto [stream, peer] = co_await fuzz::stream_of(bytes, piece);
    auto header = co_await tunnel::receive_header(*stream);
    fuzz::require(!header || header->target_port.value() != 0);
  }
  auto [stream, peer] = co_await fuzz::stream_of(bytes, piece);
  (void)co_await tunnel::receive_answer(*stream);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const Byte choice = input.byte();
  const std::size_t piece = choice % 16;
  const BytesView bytes = input.rest();
  switch (choice / 64) {
    case 0: fuzz::run_to_end([=] { return handshake(bytes, piece, true); }); break;
    case 1: fuzz::run_to_end([=] { return handshake(bytes, piece, false); }); break;
    default: fuzz::run_to_end([=] { return tunnel_opening(bytes, piece); }); break;
  }
  return 0;
}
