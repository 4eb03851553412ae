// Networks: which networks this node is in, with the secret derived from each one's password. The
// password itself is never stored.
#pragma once

#include "crypto/secret.hpp"
#include "store/database.hpp"

namespace oc::store {

struct NetworkRow {
  std::string name;
  crypto::Secret<32> secret;  // crypto::derive_network_secret
  WallTime created{};         // of the first put
};

// Lifetime: the database must outlive it and every call.
class Networks {
 public:
  explicit Networks(Database& database) : database_(database) {}

  // In the order in which they were joined.
  awaitable<Outcome<std::vector<NetworkRow>>> list();
  awaitable<Outcome<std::optional<NetworkRow>>> get(std::string name);
  // True when the network is new or its secret differs from the stored one. A changed secret ends
  // the sessions that the old password opened.
  awaitable<Outcome<bool>> put(NetworkRow network);
  // With its members and its readers' sessions. Whether it was there.
  awaitable<Outcome<bool>> remove(std::string name);

  static std::vector<NetworkRow> read_all(soci::session& sql);

 private:
  Database& database_;
};

}  // namespace oc::store
