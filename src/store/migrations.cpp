#include "store/migrations.hpp"

#include <soci/soci.h>

#include <array>
#include <span>

namespace oc::store {
namespace {

// 1: everything the first release keeps.
constexpr std::array kFirst = {
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE networks (name TEXT PRIMARY KEY, secret TEXT NOT NULL, created BIGINT NOT NULL)",
    "CREATE TABLE members ("
    " peer_id TEXT NOT NULL,"
    " network TEXT NOT NULL REFERENCES networks (name) ON DELETE CASCADE,"
    " record TEXT NOT NULL, seq BIGINT NOT NULL, last_contact BIGINT NOT NULL,"
    " addresses TEXT NOT NULL,"
    " PRIMARY KEY (peer_id, network))",
    "CREATE TABLE rules ("
    " id TEXT PRIMARY KEY, network TEXT NOT NULL, direction TEXT NOT NULL, kind TEXT NOT NULL,"
    " origin TEXT NOT NULL, target TEXT NOT NULL, bind TEXT NOT NULL, port INTEGER NOT NULL,"
    " destination TEXT NOT NULL, key_prefix TEXT NOT NULL, tags TEXT NOT NULL,"
    " enabled INTEGER NOT NULL, expires BIGINT NOT NULL, created BIGINT NOT NULL)",
    "CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL)",
    "CREATE TABLE sessions ("
    " token_hash TEXT PRIMARY KEY, role TEXT NOT NULL, user_name TEXT NOT NULL,"
    " created BIGINT NOT NULL, expires BIGINT NOT NULL, address TEXT NOT NULL)",
    "CREATE TABLE audit ("
    " id BIGINT PRIMARY KEY, happened BIGINT NOT NULL, user_name TEXT NOT NULL, role TEXT NOT NULL,"
    " address TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL, result TEXT NOT NULL)",
};

// In order; the first is version 1.
constexpr std::array kSteps = {std::span<const char* const>(kFirst)};

}  // namespace

int newest_schema() { return static_cast<int>(kSteps.size()); }

std::optional<Fault> migrate(soci::session& sql, WallTime now) {
  soci::transaction transaction(sql);
  sql << "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, applied BIGINT "
         "NOT NULL)";
  int version = 0;
  sql << "SELECT COALESCE(MAX(version), 0) FROM schema_versions", soci::into(version);
  if (version > newest_schema()) {
    return Fault(FaultCode::store_too_new,
                 fmt::format("the store has schema {}, and this version knows {}", version,
                             newest_schema()));
  }
  const long long applied = unix_milliseconds(now);
  while (version < newest_schema()) {
    for (const char* statement : kSteps[static_cast<std::size_t>(version)]) sql << statement;
    ++version;
    sql << "INSERT INTO schema_versions (version, applied) VALUES (:version, :applied)",
        soci::use(version, "version"), soci::use(applied, "applied");
  }
  transaction.commit();
  return std::nullopt;
}

}  // namespace oc::store
