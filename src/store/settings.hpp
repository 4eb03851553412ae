// Settings: single values by name (the node's private key, name, ports, record sequence number, …).
#pragma once

#include <map>

#include "base/bytes.hpp"
#include "store/database.hpp"

namespace oc::store {

using SettingsMap = std::map<std::string, std::string>;

// Lifetime: the database must outlive it and every call.
class Settings {
 public:
  explicit Settings(Database& database) : database_(database) {}

  awaitable<Outcome<std::optional<std::string>>> get(std::string name);
  awaitable<Outcome<bool>> put(std::string name, std::string value);
  // All of them, or none.
  awaitable<Outcome<bool>> put_all(SettingsMap values);
  // Whether it was there.
  awaitable<Outcome<bool>> erase(std::string name);
  awaitable<Outcome<SettingsMap>> all();

  static SettingsMap read_all(soci::session& sql);

 private:
  Database& database_;
};

}  // namespace oc::store
