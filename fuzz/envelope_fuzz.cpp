// Signed envelopes and the records in them: as they come, and with the input sealed by a good key,
// so that the parsers behind the signature are reached.
#include "crypto/peer_record.hpp"
#include "crypto/signed_envelope.hpp"
#include "fuzzing.hpp"
#include "overlay/record.hpp"

using namespace oc;

namespace {

void open_all(BytesView envelope) {
  if (auto record = crypto::open_peer_record(envelope)) {
    fuzz::require(record->addresses.size() <= crypto::kMaxPeerRecordAddresses);
  }
  if (auto sealed = overlay::open_record(envelope)) {
    fuzz::require(sealed->record.addresses.size() <= overlay::kMaxRecordAddresses);
    fuzz::require(sealed->record.name.size() <= overlay::kMaxRecordText);
    (void)overlay::check_record_date(sealed->record, WallTime(std::chrono::hours(24 * 365 * 55)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto key = crypto::PrivateKey::from_seed(Bytes(32, 7));
  static const Bytes peer_record_type{3, 1};
  const BytesView bytes(data, size);
  open_all(bytes);
  open_all(crypto::seal_envelope(key, "libp2p-peer-record", peer_record_type, bytes));
  open_all(crypto::seal_envelope(key, "open-chat-node-record", as_bytes("/open-chat/node-record/1"),
                                 bytes));
  return 0;
}
