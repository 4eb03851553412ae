// Users: the node's administrator.
#pragma once

#include "store/database.hpp"

namespace oc::store {

struct RootUserRow {
  std::string name;
  std::string password_hash;  // what crypto::verify_password takes
};

// Lifetime: the database must outlive it and every call.
class Users {
 public:
  explicit Users(Database& database) : database_(database) {}

  // Nothing before the first put_root.
  awaitable<Outcome<std::optional<RootUserRow>>> root();
  // Makes this the one administrator. True when name or hash differ from the stored ones; then all
  // administrator sessions end.
  awaitable<Outcome<bool>> put_root(RootUserRow root);

  static std::optional<RootUserRow> read_root(soci::session& sql);

 private:
  Database& database_;
};

}  // namespace oc::store
