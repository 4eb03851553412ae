// Peer ids and keys, from text and from bytes.
#include "crypto/keys.hpp"

#include "fuzzing.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(data, size);
  if (auto id = codec::PeerId::from_bytes(bytes)) {
    fuzz::require(equal(id->bytes(), bytes));
    const auto again = codec::PeerId::parse(id->to_string());
    fuzz::require(again && *again == *id);
    const auto cid = codec::PeerId::parse(id->to_cid());
    fuzz::require(cid && *cid == *id);
    (void)crypto::public_key_of(*id);
  }
  if (auto id = codec::PeerId::parse(as_text(bytes))) {
    const auto again = codec::PeerId::from_bytes(id->bytes());
    fuzz::require(again && *again == *id);
  }
  if (auto key = crypto::PublicKey::unmarshal(bytes)) {
    const auto again = crypto::PublicKey::unmarshal(key->marshal());
    fuzz::require(again && *again == *key);
    fuzz::require(!key->verify(as_bytes("message"), bytes));
  }
  if (auto key = crypto::PrivateKey::unmarshal(bytes)) {
    fuzz::require(key->public_key().verify(bytes, key->sign(bytes)));
  }
  return 0;
}
