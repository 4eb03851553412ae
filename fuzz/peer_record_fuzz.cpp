// Peer records, signed well: what is taken can be signed again, and says the same.
#include "crypto/peer_record.hpp"

#include "crypto/signed_envelope.hpp"
#include "fuzzing.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto key = crypto::PrivateKey::from_seed(Bytes(32, 7));
  static constexpr FixedBytes<2> kType{3, 1};
  const Bytes envelope = crypto::seal_envelope(key, "libp2p-peer-record", kType, {data, size});
  const auto record = crypto::open_peer_record(envelope);
  if (!record) return 0;
  fuzz::require(record->peer == key.peer_id());
  fuzz::require(record->addresses.size() <= crypto::kMaxPeerRecordAddresses);
  const auto again = crypto::open_peer_record(crypto::seal_peer_record(key, *record));
  fuzz::require(again && again->seq == record->seq);
  // Addresses that do not fit are left out at the end.
  fuzz::require(again->addresses.size() <= record->addresses.size());
  fuzz::require(std::ranges::equal(
      again->addresses.begin(), again->addresses.end(), record->addresses.begin(),
      record->addresses.begin() + static_cast<std::ptrdiff_t>(again->addresses.size())));
  return 0;
}
