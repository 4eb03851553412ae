#include "store/rules.hpp"

#include <soci/soci.h>

namespace oc::store {
namespace {

// Every column but id; a rule that is put again is replaced as a whole.
constexpr const char* kPut =
    "INSERT INTO rules (id, network, direction, kind, origin, target, bind, port, destination,"
    " key_prefix, tags, enabled, expires, created)"
    " VALUES (:id, :network, :direction, :kind, :origin, :target, :bind, :port, :destination,"
    " :key_prefix, :tags, :enabled, :expires, :created)"
    " ON CONFLICT (id) DO UPDATE SET network = excluded.network, direction = excluded.direction,"
    " kind = excluded.kind, origin = excluded.origin, target = excluded.target,"
    " bind = excluded.bind, port = excluded.port, destination = excluded.destination,"
    " key_prefix = excluded.key_prefix, tags = excluded.tags, enabled = excluded.enabled,"
    " expires = excluded.expires, created = excluded.created";

void put_rule(soci::session& sql, const RuleRow& rule) {
  const int port = rule.port;
  const int enabled = rule.enabled ? 1 : 0;
  const std::string tags = to_stored(rule.tags);
  const long long expires = to_stored(rule.expires);
  const long long created = to_stored(rule.created);
  sql << kPut, soci::use(rule.id, "id"), soci::use(rule.network, "network"),
      soci::use(rule.direction, "direction"), soci::use(rule.kind, "kind"),
      soci::use(rule.origin, "origin"), soci::use(rule.target, "target"),
      soci::use(rule.bind, "bind"), soci::use(port, "port"), soci::use(rule.to, "destination"),
      soci::use(rule.key_prefix, "key_prefix"), soci::use(tags, "tags"),
      soci::use(enabled, "enabled"), soci::use(expires, "expires"), soci::use(created, "created");
}

}  // namespace

awaitable<Outcome<std::vector<RuleRow>>> Rules::list() {
  auto job = [](soci::session& sql) { return read_all(sql); };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Rules::put(RuleRow rule) {
  auto job = [rule = std::move(rule)](soci::session& sql) {
    put_rule(sql, rule);
    return true;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Rules::remove(std::string id) {
  auto job = [id = std::move(id)](soci::session& sql) {
    soci::statement statement =
        (sql.prepare << "DELETE FROM rules WHERE id = :id", soci::use(id, "id"));
    statement.execute(true);
    return statement.get_affected_rows() > 0;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Rules::set_enabled(std::string id, bool enabled) {
  auto job = [id = std::move(id), enabled](soci::session& sql) {
    const int value = enabled ? 1 : 0;
    soci::statement statement =
        (sql.prepare << "UPDATE rules SET enabled = :enabled WHERE id = :id",
         soci::use(value, "enabled"), soci::use(id, "id"));
    statement.execute(true);
    return statement.get_affected_rows() > 0;
  };
  co_return co_await database_.run(job);
}

std::vector<RuleRow> Rules::read_all(soci::session& sql) {
  std::vector<RuleRow> rules;
  RuleRow rule;
  std::string tags;
  int port = 0, enabled = 0;
  long long expires = 0, created = 0;
  soci::statement statement =
      (sql.prepare
           << "SELECT id, network, direction, kind, origin, target, bind, port, destination,"
              " key_prefix, tags, enabled, expires, created FROM rules ORDER BY created, id",
       soci::into(rule.id), soci::into(rule.network), soci::into(rule.direction),
       soci::into(rule.kind), soci::into(rule.origin), soci::into(rule.target),
       soci::into(rule.bind), soci::into(port), soci::into(rule.to), soci::into(rule.key_prefix),
       soci::into(tags), soci::into(enabled), soci::into(expires), soci::into(created));
  statement.execute();
  while (statement.fetch()) {
    rule.port = static_cast<std::uint16_t>(port);
    rule.tags = list_from_stored(tags);
    rule.enabled = enabled != 0;
    rule.expires = optional_from_stored(expires);
    rule.created = from_stored(created);
    rules.push_back(rule);
  }
  return rules;
}

}  // namespace oc::store
