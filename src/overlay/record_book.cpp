#include "overlay/record_book.hpp"

#include "crypto/sha.hpp"

namespace oc::overlay {

Result<RecordBook::Put> RecordBook::put(SealedRecord record) {
  auto found = records_.find(record.record.peer);
  if (found == records_.end()) {
    if (records_.size() >= kMaxRecords) return Errc::limit_exceeded;
    records_.emplace(record.record.peer, std::move(record));
    return Put::added;
  }
  if (record.record.seq <= found->second.record.seq) return Put::unchanged;
  found->second = std::move(record);
  return Put::updated;
}

const SealedRecord* RecordBook::find(const codec::PeerId& peer) const {
  auto found = records_.find(peer);
  return found == records_.end() ? nullptr : &found->second;
}

Fingerprint RecordBook::fingerprint() const {
  Bytes all;
  for (const auto& [peer, record] : records_) {
    append(all, peer.bytes());
    Byte seq[8];
    put_be32(seq, static_cast<std::uint32_t>(record.record.seq >> 32));
    put_be32(seq + 4, static_cast<std::uint32_t>(record.record.seq));
    append(all, seq);
  }
  return crypto::sha256({BytesView(all)});
}

std::vector<RecordVersion> RecordBook::versions() const {
  std::vector<RecordVersion> out;
  out.reserve(records_.size());
  for (const auto& [peer, record] : records_) out.push_back({peer, record.record.seq});
  return out;
}

RecordBook::Difference RecordBook::compare(const std::vector<RecordVersion>& theirs) const {
  std::map<codec::PeerId, std::uint64_t> have;
  for (const RecordVersion& version : theirs) have.emplace(version.peer, version.seq);
  Difference difference;
  for (const auto& [peer, record] : records_) {
    auto found = have.find(peer);
    if (found == have.end() || found->second < record.record.seq)
      difference.to_send.push_back(peer);
  }
  for (const auto& [peer, seq] : have) {
    const SealedRecord* ours = find(peer);
    if (ours == nullptr || ours->record.seq < seq) difference.to_ask.push_back(peer);
  }
  return difference;
}

void RecordBook::forget_issued_before(WallTime time) {
  std::erase_if(records_, [time](const auto& entry) { return entry.second.record.issued < time; });
}

}  // namespace oc::overlay
