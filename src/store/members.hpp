// Members: the newest record of each member of each network, and the addresses at which it was
// reached, so that a restarted node finds its peers again.
#pragma once

#include "base/bytes.hpp"
#include "store/database.hpp"

namespace oc::store {

struct MemberRow {
  std::string peer_id;   // as text
  std::string network;   // must be in Networks
  Bytes record;          // the signed envelope
  std::int64_t seq = 0;  // of the record
  std::optional<WallTime> last_contact;
  std::vector<std::string> addresses;  // multiaddrs that worked, the last one first
};

// Lifetime: the database must outlive it and every call.
class Members {
 public:
  // Addresses kept for a member: what a laptop sees in a day or two.
  static constexpr std::size_t kMaxAddresses = 16;

  explicit Members(Database& database) : database_(database) {}

  awaitable<Outcome<std::vector<MemberRow>>> list();
  // Stores each record that is new or has a higher seq than the stored one, all in one transaction;
  // what was known of contact and addresses stays. Gives how many were stored.
  awaitable<Outcome<std::size_t>> put_newer(std::vector<MemberRow> members);
  // The member was reached: at `when`, and at `address` if it is not empty. Whether it is known.
  awaitable<Outcome<bool>> touch(std::string peer_id, std::string network, WallTime when,
                                 std::string address);
  awaitable<Outcome<bool>> remove(std::string peer_id, std::string network);

  static std::vector<MemberRow> read_all(soci::session& sql);

 private:
  Database& database_;
};

}  // namespace oc::store
