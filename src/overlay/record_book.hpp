// RecordBook: the newest record of every member of one network. Pure state: no I/O, no clock.
#pragma once

#include <map>
#include <vector>

#include "overlay/record.hpp"

namespace oc::overlay {

// Members of one network whose records are kept; further ones are refused.
inline constexpr std::size_t kMaxRecords = 10'000;

using Fingerprint = FixedBytes<32>;

struct RecordVersion {
  codec::PeerId peer;
  std::uint64_t seq = 0;
};

class RecordBook {
 public:
  enum class Put { added, updated, unchanged };
  // Takes a record that was opened and whose date was checked. unchanged: not newer than what is
  // there. Errc::limit_exceeded: the book is full.
  Result<Put> put(SealedRecord record);

  const SealedRecord* find(const codec::PeerId& peer) const;
  const std::map<codec::PeerId, SealedRecord>& all() const { return records_; }
  std::size_t size() const { return records_.size(); }

  // Equal for books with the same peers at the same seqs, and practically only then.
  Fingerprint fingerprint() const;
  std::vector<RecordVersion> versions() const;
  // Whose records the other side lacks or has older, and whose we lack or have older.
  struct Difference {
    std::vector<codec::PeerId> to_send;
    std::vector<codec::PeerId> to_ask;
  };
  Difference compare(const std::vector<RecordVersion>& theirs) const;
  // Drops records issued before this; their owners are gone.
  void forget_issued_before(WallTime time);

 private:
  std::map<codec::PeerId, SealedRecord> records_;
};

}  // namespace oc::overlay
