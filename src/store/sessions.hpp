// Sessions: who is logged in. Only the hash of a session's token is stored, so that whoever reads
// the store cannot use it.
#pragma once

#include "base/bytes.hpp"
#include "store/database.hpp"

namespace oc::store {

struct SessionRow {
  FixedBytes<32> token_hash{};  // SHA-256
  std::string role;             // "admin", "reader"
  std::string user;
  WallTime created{};
  WallTime expires{};
  std::string address;  // where it was opened from
};

// Lifetime: the database must outlive it and every call.
class Sessions {
 public:
  // Of one user; opening another ends the oldest. So a reader cannot push the administrator out.
  static constexpr int kMaxPerUser = 64;

  explicit Sessions(Database& database) : database_(database) {}

  // Stores it, and forgets what has expired by session.created.
  awaitable<Outcome<bool>> open(SessionRow session);
  // Nothing when there is none or it has expired by `now`.
  awaitable<Outcome<std::optional<SessionRow>>> find(FixedBytes<32> token_hash, WallTime now);
  // Those that live at `now`, the newest first.
  awaitable<Outcome<std::vector<SessionRow>>> list(WallTime now);
  // Whether it was there.
  awaitable<Outcome<bool>> end(FixedBytes<32> token_hash);

 private:
  Database& database_;
};

}  // namespace oc::store
