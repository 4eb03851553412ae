// AuditLog: every state-changing call, with who made it, from where, and what came of it.
#pragma once

#include "store/database.hpp"

namespace oc::store {

struct AuditRow {
  std::int64_t id = 0;  // given by the log, growing
  WallTime when{};
  std::string user;  // or the peer id of a member without a session; "" of nobody
  std::string role;
  std::string address;
  std::string action;  // method and path
  std::string detail;  // never a secret
  std::string result;  // "200", "403 OC-4003"
};

// Lifetime: the database must outlive it and every call.
class AuditLog {
 public:
  // The newest are kept: about three megabytes.
  static constexpr int kMaxRows = 10'000;
  // Longer texts are cut.
  static constexpr std::size_t kMaxText = 512;

  explicit AuditLog(Database& database) : database_(database) {}

  awaitable<Outcome<bool>> add(AuditRow row);
  struct Page {
    std::vector<AuditRow> rows;
    std::size_t total = 0;
  };
  // The newest first, without the first `skip`.
  awaitable<Outcome<Page>> page(std::size_t skip, std::size_t limit);

 private:
  Database& database_;
};

}  // namespace oc::store
