// Signed envelopes: as they come, and a good one of which one byte was changed.
#include "crypto/signed_envelope.hpp"

#include "fuzzing.hpp"

using namespace oc;

namespace {

constexpr std::string_view kDomain = "libp2p-peer-record";

void check_changed(std::size_t at, Byte flip, BytesView payload) {
  static const auto key = crypto::PrivateKey::from_seed(Bytes(32, 7));
  Bytes envelope = crypto::seal_envelope(key, kDomain, as_bytes("type"), payload);
  envelope[at % envelope.size()] ^= flip;
  const auto opened = crypto::open_envelope(envelope, kDomain);
  if (!opened) {
    fuzz::require(flip != 0 || envelope.size() > crypto::kMaxEnvelopeSize);
    return;
  }
  fuzz::require(opened->key == key.public_key() && equal(opened->payload, payload));
  fuzz::require(equal(opened->payload_type, as_bytes("type")));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (auto opened = crypto::open_envelope({data, size}, kDomain)) {
    fuzz::require(!crypto::open_envelope({data, size}, "another domain"));
  }
  fuzz::Input input(data, size);
  const std::size_t at = input.two_bytes();
  const Byte flip = input.byte();
  check_changed(at, flip, input.rest());
  return 0;
}
