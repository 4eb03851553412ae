#include "store/members.hpp"

#include <soci/soci.h>

#include <algorithm>

namespace oc::store {
namespace {

bool put_if_newer(soci::session& sql, const MemberRow& member) {
  const std::string record = to_hex(member.record);
  const long long seq = member.seq;
  const long long last_contact = to_stored(member.last_contact);
  const std::string addresses = to_stored(member.addresses);
  soci::statement statement =
      (sql.prepare << "INSERT INTO members (peer_id, network, record, seq, last_contact, addresses)"
                      " VALUES (:peer_id, :network, :record, :seq, :last_contact, :addresses)"
                      " ON CONFLICT (peer_id, network) DO UPDATE"
                      " SET record = excluded.record, seq = excluded.seq"
                      " WHERE excluded.seq > members.seq",
       soci::use(member.peer_id, "peer_id"), soci::use(member.network, "network"),
       soci::use(record, "record"), soci::use(seq, "seq"), soci::use(last_contact, "last_contact"),
       soci::use(addresses, "addresses"));
  statement.execute(true);
  return statement.get_affected_rows() > 0;
}

// The address first, without what stands twice or beyond the bound.
std::vector<std::string> with_address_first(std::vector<std::string> addresses,
                                            const std::string& address) {
  std::erase(addresses, address);
  addresses.insert(addresses.begin(), address);
  addresses.resize(std::min(addresses.size(), Members::kMaxAddresses));
  return addresses;
}

}  // namespace

awaitable<Outcome<std::vector<MemberRow>>> Members::list() {
  auto job = [](soci::session& sql) { return read_all(sql); };
  co_return co_await database_.run(job);
}

awaitable<Outcome<std::size_t>> Members::put_newer(std::vector<MemberRow> members) {
  auto job = [members = std::move(members)](soci::session& sql) {
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(),
                      [&sql](const MemberRow& member) { return put_if_newer(sql, member); }));
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Members::touch(std::string peer_id, std::string network, WallTime when,
                                        std::string address) {
  auto job = [peer_id = std::move(peer_id), network = std::move(network), when,
              address = std::move(address)](soci::session& sql) {
    std::string stored;
    sql << "SELECT addresses FROM members WHERE peer_id = :peer_id AND network = :network",
        soci::use(peer_id, "peer_id"), soci::use(network, "network"), soci::into(stored);
    if (!sql.got_data()) return false;
    if (!address.empty()) stored = to_stored(with_address_first(list_from_stored(stored), address));
    const long long last_contact = to_stored(when);
    sql << "UPDATE members SET last_contact = :last_contact, addresses = :addresses"
           " WHERE peer_id = :peer_id AND network = :network",
        soci::use(last_contact, "last_contact"), soci::use(stored, "addresses"),
        soci::use(peer_id, "peer_id"), soci::use(network, "network");
    return true;
  };
  co_return co_await database_.run(job);
}

awaitable<Outcome<bool>> Members::remove(std::string peer_id, std::string network) {
  auto job = [peer_id = std::move(peer_id), network = std::move(network)](soci::session& sql) {
    soci::statement statement =
        (sql.prepare << "DELETE FROM members WHERE peer_id = :peer_id AND network = :network",
         soci::use(peer_id, "peer_id"), soci::use(network, "network"));
    statement.execute(true);
    return statement.get_affected_rows() > 0;
  };
  co_return co_await database_.run(job);
}

std::vector<MemberRow> Members::read_all(soci::session& sql) {
  std::vector<MemberRow> members;
  std::string peer_id, network, record, addresses;
  long long seq = 0, last_contact = 0;
  soci::statement statement =
      (sql.prepare << "SELECT peer_id, network, record, seq, last_contact, addresses FROM members"
                      " ORDER BY network, peer_id",
       soci::into(peer_id), soci::into(network), soci::into(record), soci::into(seq),
       soci::into(last_contact), soci::into(addresses));
  statement.execute();
  while (statement.fetch()) {
    auto bytes = from_hex(record);
    if (!bytes) throw std::runtime_error("a member's record is damaged");
    members.push_back({peer_id, network, *std::move(bytes), seq, optional_from_stored(last_contact),
                       list_from_stored(addresses)});
  }
  return members;
}

}  // namespace oc::store
