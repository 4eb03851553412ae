// Rules: the routing rules of this node, as they were asked for.
#pragma once

#include "store/database.hpp"

namespace oc::store {

struct RuleRow {
  std::string id;
  std::string network, direction, kind, origin, target, bind;
  std::uint16_t port = 0;
  std::string to;
  std::string key_prefix;
  std::vector<std::string> tags;
  bool enabled = true;
  std::optional<WallTime> expires;
  WallTime created{};

  bool operator==(const RuleRow&) const = default;
};

// Lifetime: the database must outlive it and every call.
class Rules {
 public:
  explicit Rules(Database& database) : database_(database) {}

  // The oldest first.
  awaitable<Outcome<std::vector<RuleRow>>> list();
  // Adds it, or replaces the one with its id.
  awaitable<Outcome<bool>> put(RuleRow rule);
  // These give whether there is such a rule.
  awaitable<Outcome<bool>> remove(std::string id);
  awaitable<Outcome<bool>> set_enabled(std::string id, bool enabled);

  static std::vector<RuleRow> read_all(soci::session& sql);

 private:
  Database& database_;
};

}  // namespace oc::store
