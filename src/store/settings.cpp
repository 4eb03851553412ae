#include "store/settings.hpp"

#include <soci/soci.h>

namespace oc::store {
namespace {

void write_setting(soci::session& sql, const std::string& name, const std::string& value) {
  sql << "INSERT INTO settings (name, value) VALUES (:name, :value)"
         " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      soci::use(name, "name"), soci::use(value, "value");
}

}  // namespace

awaitable<Outcome<std::optional<std::string>>> Settings::get(std::string name) {
  auto job = [name = std::move(name)](soci::session& sql) {
    std::string value;
    sql << "SELECT value FROM settings WHERE name = :name", soci::use(name, "name"),
        soci::into(value);
    return sql.got_data() ? std::optional(value) : std::nullopt;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Settings::put(std::string name, std::string value) {
  auto job = [name = std::move(name), value = std::move(value)](soci::session& sql) {
    write_setting(sql, name, value);
    return true;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Settings::put_all(SettingsMap values) {
  auto job = [values = std::move(values)](soci::session& sql) {
    for (const auto& [name, value] : values) write_setting(sql, name, value);
    return true;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Settings::erase(std::string name) {
  auto job = [name = std::move(name)](soci::session& sql) {
    soci::statement statement =
        (sql.prepare << "DELETE FROM settings WHERE name = :name", soci::use(name, "name"));
    statement.execute(true);
    return statement.get_affected_rows() > 0;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<SettingsMap>> Settings::all() {
  auto job = [](soci::session& sql) { return read_all(sql); };
  co_return co_await database_.run(job);
}

SettingsMap Settings::read_all(soci::session& sql) {
  SettingsMap values;
  std::string name, value;
  soci::statement statement =
      (sql.prepare << "SELECT name, value FROM settings", soci::into(name), soci::into(value));
  statement.execute();
  while (statement.fetch()) values[name] = value;
  return values;
}

}  // namespace oc::store
