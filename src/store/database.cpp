#include "store/database.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <nlohmann/json.hpp>

#include "store/file_lock.hpp"
#include "store/migrations.hpp"

namespace oc::store {
namespace {

// Nobody else has the store, but a backup tool may look at it.
constexpr const char* kPragmas[] = {
    "PRAGMA busy_timeout = 5000", "PRAGMA journal_mode = WAL",   "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",   "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = ON",  // secrets that were removed are overwritten
};

Fault unavailable(const std::filesystem::path& file, const std::string& why) {
  return Fault(FaultCode::store_unavailable, "the store " + file.string() + " failed: " + why);
}

// SOCI's what() also tells the values of the parameters, and those may be secrets.
std::string describe(const std::exception& failure) {
  if (const auto* error = dynamic_cast<const soci::soci_error*>(&failure))
    return error->get_error_message();
  return failure.what();
}

std::optional<Fault> set_up(soci::session& sql, const std::filesystem::path& file, WallTime now) {
  for (const char* pragma : kPragmas) sql << pragma;
  std::string verdict;
  sql << "PRAGMA quick_check(1)", soci::into(verdict);
  if (verdict != "ok") return unavailable(file, "it is damaged: " + verdict);
  return migrate(sql, now);
}

}  // namespace

Database::Database(std::filesystem::path file, std::unique_ptr<FileLock> lock,
                   std::unique_ptr<soci::session> session)
    : path_(std::move(file)), lock_(std::move(lock)), session_(std::move(session)) {}

Database::~Database() = default;

Outcome<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, WallTime now) {
  if (file.string().find('"') != std::string::npos ||
      file.string().find('\0') != std::string::npos) {
    return unavailable(file, "its name must have no quotation mark");  // SOCI's connection string
  }
  auto lock = FileLock::take(file);
  if (!lock) return lock.error();
  if (auto prepared = prepare_private_file(file); !prepared) return prepared.error();
  try {
    auto session = std::make_unique<soci::session>(soci::sqlite3, "db=\"" + file.string() + "\"");
    if (auto fault = set_up(*session, file, now)) return *std::move(fault);
    return std::unique_ptr<Database>(new Database(file, *std::move(lock), std::move(session)));
  } catch (const soci::soci_error& failure) {
    return unavailable(file, describe(failure));
  }
}

std::optional<Fault> Database::in_transaction(const std::function<void(soci::session&)>& fn) {
  try {
    soci::transaction transaction(*session_);
    fn(*session_);
    transaction.commit();
    return std::nullopt;
  } catch (const std::exception& failure) {
    return unavailable(path_, describe(failure));
  }
}

Fault Database::refused(const error_code& why) const {
  if (why == Errc::limit_exceeded) return unavailable(path_, "too many calls wait for it");
  return unavailable(path_, why.message());
}

long long to_stored(WallTime time) { return unix_milliseconds(time); }
long long to_stored(const std::optional<WallTime>& time) {
  return time ? unix_milliseconds(*time) : 0;
}
WallTime from_stored(long long milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}
std::optional<WallTime> optional_from_stored(long long milliseconds) {
  if (milliseconds == 0) return std::nullopt;
  return from_stored(milliseconds);
}

std::string to_stored(const std::vector<std::string>& list) {
  return nlohmann::json(list).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> list_from_stored(const std::string& json) {
  std::vector<std::string> list;
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_array()) return list;
  for (const auto& item : parsed) {
    if (item.is_string()) list.push_back(item.get<std::string>());
  }
  return list;
}

}  // namespace oc::store
