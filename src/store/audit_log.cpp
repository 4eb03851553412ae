#include "store/audit_log.hpp"

#include <soci/soci.h>

namespace oc::store {
namespace {

void cut_texts(AuditRow& row) {
  for (std::string* text :
       {&row.user, &row.role, &row.address, &row.action, &row.detail, &row.result}) {
    if (text->size() <= AuditLog::kMaxText) continue;
    std::size_t end = AuditLog::kMaxText;
    // Not inside a UTF-8 character.
    while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xc0) == 0x80) --end;
    text->resize(end);
  }
}

void insert_row(soci::session& sql, const AuditRow& row, long long id) {
  const long long when = to_stored(row.when);
  sql << "INSERT INTO audit (id, happened, user_name, role, address, action, detail, result)"
         " VALUES (:id, :happened, :user, :role, :address, :action, :detail, :result)",
      soci::use(id, "id"), soci::use(when, "happened"), soci::use(row.user, "user"),
      soci::use(row.role, "role"), soci::use(row.address, "address"),
      soci::use(row.action, "action"), soci::use(row.detail, "detail"),
      soci::use(row.result, "result");
}

std::vector<AuditRow> read_rows(soci::session& sql, long long skip, long long limit) {
  std::vector<AuditRow> rows;
  AuditRow row;
  long long id = 0, when = 0;
  soci::statement statement =
      (sql.prepare
           << "SELECT id, happened, user_name, role, address, action, detail, result FROM audit"
              " ORDER BY id DESC LIMIT :limit OFFSET :skip",
       soci::use(limit, "limit"), soci::use(skip, "skip"), soci::into(id), soci::into(when),
       soci::into(row.user), soci::into(row.role), soci::into(row.address), soci::into(row.action),
       soci::into(row.detail), soci::into(row.result));
  statement.execute();
  while (statement.fetch()) {
    row.id = id;
    row.when = from_stored(when);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

awaitable<Outcome<bool>> AuditLog::add(AuditRow row) {
  cut_texts(row);
  auto job = [row = std::move(row)](soci::session& sql) {
    long long id = 0;
    sql << "SELECT COALESCE(MAX(id), 0) + 1 FROM audit", soci::into(id);
    insert_row(sql, row, id);
    const long long oldest = id - kMaxRows;
    sql << "DELETE FROM audit WHERE id <= :oldest", soci::use(oldest, "oldest");
    return true;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<AuditLog::Page>> AuditLog::page(std::size_t skip, std::size_t limit) {
  auto job = [skip, limit](soci::session& sql) {
    Page page;
    long long total = 0;
    sql << "SELECT COUNT(*) FROM audit", soci::into(total);
    page.total = static_cast<std::size_t>(total);
    page.rows = read_rows(sql, static_cast<long long>(skip), static_cast<long long>(limit));
    return page;
  };
  co_return co_await database_.run(job);
}

}  // namespace oc::store
