// Records of members, signed well: what is taken keeps to its bounds, and says the same when it is
// signed again.
#include "crypto/signed_envelope.hpp"
#include "fuzzing.hpp"
#include "overlay/record.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto key = crypto::PrivateKey::from_seed(Bytes(32, 7));
  const auto sealed = overlay::open_record(crypto::seal_envelope(
      key, "open-chat-node-record", as_bytes("/open-chat/node-record/1"), {data, size}));
  if (!sealed) return 0;
  const overlay::NodeRecord& record = sealed->record;
  fuzz::require(record.peer == key.peer_id() && record.seq <= overlay::kMaxRecordSeq);
  fuzz::require(record.addresses.size() <= overlay::kMaxRecordAddresses);
  fuzz::require(record.roles.size() <= overlay::kMaxRecordRoles);
  fuzz::require(record.name.size() <= overlay::kMaxRecordText);
  fuzz::require(sealed->envelope.size() <= overlay::kMaxRecordSize);
  (void)overlay::check_record_date(record, FakeClock().wall_now());
  const overlay::SealedRecord again = overlay::seal_record(key, record);
  const auto opened = overlay::open_record(again.envelope);
  fuzz::require(opened && opened->record == again.record);
  return 0;
}
