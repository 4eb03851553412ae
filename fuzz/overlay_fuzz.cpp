// The other side's part of a network handshake and of a tunnel's opening, and a handshake between
// honest members with somebody between them.
#include "fuzzing.hpp"
#include "overlay/handshake.hpp"
#include "tunnel/tunnel_protocol.hpp"

using namespace oc;

namespace {

using fuzz::StreamPtr;

overlay::HandshakeParties parties(bool initiator) {
  static const auto a = crypto::PrivateKey::from_seed(Bytes(32, 7)).peer_id();
  static const auto b = crypto::PrivateKey::from_seed(Bytes(32, 8)).peer_id();
  overlay::HandshakeParties out;
  out.self = initiator ? a : b;
  out.remote = initiator ? b : a;
  out.binding = Bytes(32, 9);
  return out;
}

awaitable<void> prove(StreamPtr stream, bool& proved) {
  FakeRandom random(3);
  overlay::Network network{};
  auto done =
      co_await overlay::prove_membership(*stream, parties(true), std::move(network), random);
  proved = done.has_value();
}

// Knows every second network, and lets every second one prove itself; `verified` is what it told.
awaitable<void> verify(StreamPtr stream, bool& verified) {
  FakeRandom random(4);
  const overlay::Network network{};
  overlay::Verifier verifier;
  verifier.find = [&network](const overlay::NetworkId& id) {
    return id[0] % 2 == 0 ? &network : nullptr;
  };
  verifier.allowed = [](const overlay::NetworkId& id) { return id[1] % 2 == 0; };
  verifier.proved = [&verified](const overlay::NetworkId&) { verified = true; };
  verifier.failed = [](const overlay::NetworkId&) {};
  auto done =
      co_await overlay::verify_membership(*stream, parties(false), std::move(verifier), random);
  fuzz::require(!done || verified);
}

awaitable<void> garbage_for_a_handshake(BytesView bytes, fuzz::Cuts cuts, bool initiator) {
  StreamPtr stream = std::make_unique<fuzz::GivenStream>(bytes, cuts);
  bool content = false;
  if (initiator) {
    co_await prove(std::move(stream), content);
  } else {
    co_await verify(std::move(stream), content);
  }
  fuzz::require(!content);
}

// The initiator is content only when the responder is: nobody between them makes that up.
void tampered(fuzz::Input input, bool at_the_initiator) {
  bool proved = false, verified = false;
  const auto first = [&](StreamPtr stream) { return prove(std::move(stream), proved); };
  const auto second = [&](StreamPtr stream) { return verify(std::move(stream), verified); };
  if (at_the_initiator) {
    fuzz::run_tampered(first, second, input);
  } else {
    fuzz::run_tampered(second, first, input);
  }
  fuzz::require(!proved || verified);
  if (input.empty()) fuzz::require(proved);
}

awaitable<void> tunnel_opening(BytesView bytes, fuzz::Cuts cuts) {
  fuzz::GivenStream opened(bytes, cuts);
  auto header = co_await tunnel::receive_header(opened);
  fuzz::require(!header || header->target_port.value() != 0);
  fuzz::GivenStream answered(bytes, cuts);
  (void)co_await tunnel::receive_answer(answered);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
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
    case 4:
    case 5: fuzz::run_to_end([&] { return tunnel_opening(input.rest(), cuts); }); break;
    default: tampered(input, choice % 2 == 0); break;
  }
  return 0;
}
