#include "store/users.hpp"

#include <soci/soci.h>

namespace oc::store {

awaitable<Outcome<std::optional<RootUserRow>>> Users::root() {
  auto job = [](soci::session& sql) { return read_root(sql); };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Users::put_root(RootUserRow root) {
  auto job = [root = std::move(root)](soci::session& sql) {
    const auto stored = read_root(sql);
    if (stored && stored->name == root.name && stored->password_hash == root.password_hash)
      return false;
    sql << "DELETE FROM users WHERE role = 'admin'";
    sql << "DELETE FROM sessions WHERE role = 'admin'";
    sql << "INSERT INTO users (name, role, password_hash) VALUES (:name, 'admin', :hash)",
        soci::use(root.name, "name"), soci::use(root.password_hash, "hash");
    return true;
  };
  co_return co_await database_.run(job);
}

std::optional<RootUserRow> Users::read_root(soci::session& sql) {
  RootUserRow root;
  sql << "SELECT name, password_hash FROM users WHERE role = 'admin'", soci::into(root.name),
      soci::into(root.password_hash);
  return sql.got_data() ? std::optional(root) : std::nullopt;
}

}  // namespace oc::store
