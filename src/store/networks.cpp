#include "store/networks.hpp"

#include <soci/soci.h>

#include "base/bytes.hpp"

namespace oc::store {
namespace {

crypto::Secret<32> secret_from_hex(const std::string& hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 32) throw std::runtime_error("a network's secret is damaged");
  FixedBytes<32> fixed{};
  std::copy(bytes->begin(), bytes->end(), fixed.begin());
  return crypto::Secret<32>(fixed);
}

std::optional<NetworkRow> find_network(soci::session& sql, const std::string& name) {
  std::string secret;
  long long created = 0;
  sql << "SELECT secret, created FROM networks WHERE name = :name", soci::use(name, "name"),
      soci::into(secret), soci::into(created);
  if (!sql.got_data()) return std::nullopt;
  return NetworkRow{name, secret_from_hex(secret), from_stored(created)};
}

void end_reader_sessions(soci::session& sql, const std::string& network) {
  sql << "DELETE FROM sessions WHERE role = 'reader' AND user_name = :name",
      soci::use(network, "name");
}

}  // namespace

awaitable<Outcome<std::vector<NetworkRow>>> Networks::list() {
  auto job = [](soci::session& sql) { return read_all(sql); };
  co_return co_await database_.run(job);
}

awaitable<Outcome<std::optional<NetworkRow>>> Networks::get(std::string name) {
  auto job = [name = std::move(name)](soci::session& sql) { return find_network(sql, name); };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Networks::put(NetworkRow network) {
  auto job = [network = std::move(network)](soci::session& sql) {
    const auto stored = find_network(sql, network.name);
    if (stored && crypto::constant_time_equal(stored->secret.view(), network.secret.view()))
      return false;
    if (stored) end_reader_sessions(sql, network.name);
    const std::string secret = to_hex(network.secret.view());
    const long long created = to_stored(network.created);
    sql << "INSERT INTO networks (name, secret, created) VALUES (:name, :secret, :created)"
           " ON CONFLICT (name) DO UPDATE SET secret = excluded.secret",
        soci::use(network.name, "name"), soci::use(secret, "secret"), soci::use(created, "created");
    return true;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Networks::remove(std::string name) {
  auto job = [name = std::move(name)](soci::session& sql) {
    end_reader_sessions(sql, name);
    soci::statement statement =
        (sql.prepare << "DELETE FROM networks WHERE name = :name", soci::use(name, "name"));
    statement.execute(true);
    return statement.get_affected_rows() > 0;
  };
  co_return co_await database_.run(job);
}

std::vector<NetworkRow> Networks::read_all(soci::session& sql) {
  std::vector<NetworkRow> networks;
  std::string name, secret;
  long long created = 0;
  soci::statement statement =
      (sql.prepare << "SELECT name, secret, created FROM networks ORDER BY created, name",
       soci::into(name), soci::into(secret), soci::into(created));
  statement.execute();
  while (statement.fetch())
    networks.push_back({name, secret_from_hex(secret), from_stored(created)});
  return networks;
}

}  // namespace oc::store
