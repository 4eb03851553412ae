#include "store/sessions.hpp"

#include <soci/soci.h>

namespace oc::store {
namespace {

FixedBytes<32> hash_from_hex(const std::string& hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 32) throw std::runtime_error("a session is damaged");
  FixedBytes<32> fixed{};
  std::copy(bytes->begin(), bytes->end(), fixed.begin());
  return fixed;
}

void insert_session(soci::session& sql, const SessionRow& session) {
  const std::string hash = to_hex(session.token_hash);
  const long long created = to_stored(session.created);
  const long long expires = to_stored(session.expires);
  sql << "INSERT INTO sessions (token_hash, role, user_name, created, expires, address)"
         " VALUES (:hash, :role, :user, :created, :expires, :address)",
      soci::use(hash, "hash"), soci::use(session.role, "role"), soci::use(session.user, "user"),
      soci::use(created, "created"), soci::use(expires, "expires"),
      soci::use(session.address, "address");
}

void end_oldest_beyond_bound(soci::session& sql, const SessionRow& session) {
  const int keep = Sessions::kMaxPerUser;
  sql << "DELETE FROM sessions WHERE role = :role AND user_name = :user AND token_hash NOT IN"
         " (SELECT token_hash FROM sessions WHERE role = :role2 AND user_name = :user2"
         "  ORDER BY created DESC, token_hash LIMIT :keep)",
      soci::use(session.role, "role"), soci::use(session.user, "user"),
      soci::use(session.role, "role2"), soci::use(session.user, "user2"), soci::use(keep, "keep");
}

}  // namespace

awaitable<Outcome<bool>> Sessions::open(SessionRow session) {
  auto job = [session = std::move(session)](soci::session& sql) {
    const long long now = to_stored(session.created);
    sql << "DELETE FROM sessions WHERE expires <= :now", soci::use(now, "now");
    insert_session(sql, session);
    end_oldest_beyond_bound(sql, session);
    return true;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<std::optional<SessionRow>>> Sessions::find(FixedBytes<32> token_hash,
                                                             WallTime now) {
  auto job = [token_hash, now](soci::session& sql) -> std::optional<SessionRow> {
    SessionRow session;
    const std::string hash = to_hex(token_hash);
    const long long limit = to_stored(now);
    long long created = 0, expires = 0;
    sql << "SELECT role, user_name, created, expires, address FROM sessions"
           " WHERE token_hash = :hash AND expires > :now",
        soci::use(hash, "hash"), soci::use(limit, "now"), soci::into(session.role),
        soci::into(session.user), soci::into(created), soci::into(expires),
        soci::into(session.address);
    if (!sql.got_data()) return std::nullopt;
    session.token_hash = token_hash;
    session.created = from_stored(created);
    session.expires = from_stored(expires);
    return session;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<std::vector<SessionRow>>> Sessions::list(WallTime now) {
  auto job = [now](soci::session& sql) {
    std::vector<SessionRow> sessions;
    SessionRow session;
    std::string hash;
    const long long limit = to_stored(now);
    long long created = 0, expires = 0;
    soci::statement statement =
        (sql.prepare
             << "SELECT token_hash, role, user_name, created, expires, address FROM sessions"
                " WHERE expires > :now ORDER BY created DESC, token_hash",
         soci::use(limit, "now"), soci::into(hash), soci::into(session.role),
         soci::into(session.user), soci::into(created), soci::into(expires),
         soci::into(session.address));
    statement.execute();
    while (statement.fetch()) {
      session.token_hash = hash_from_hex(hash);
      session.created = from_stored(created);
      session.expires = from_stored(expires);
      sessions.push_back(session);
    }
    return sessions;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Sessions::end(FixedBytes<32> token_hash) {
  auto job = [token_hash](soci::session& sql) {
    const std::string hash = to_hex(token_hash);
    soci::statement statement =
        (sql.prepare << "DELETE FROM sessions WHERE token_hash = :hash", soci::use(hash, "hash"));
    statement.execute(true);
    return statement.get_affected_rows() > 0;
  };
  co_return co_await database_.run(job);
}

}  // namespace oc::store
