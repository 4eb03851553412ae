// Store: the database with everything that is kept in it.
#pragma once

#include "store/audit_log.hpp"
#include "store/database.hpp"
#include "store/members.hpp"
#include "store/networks.hpp"
#include "store/rules.hpp"
#include "store/sessions.hpp"
#include "store/settings.hpp"
#include "store/users.hpp"

namespace oc::store {

// What a node needs of its store before it runs.
struct StartState {
  SettingsMap settings;
  std::vector<NetworkRow> networks;
  std::vector<MemberRow> members;
  std::vector<RuleRow> rules;
  std::optional<RootUserRow> root;
};

struct Store {
  explicit Store(std::unique_ptr<Database> opened);

  // Blocks: for start-up, before the loop runs.
  Outcome<StartState> load();

  std::unique_ptr<Database> database;
  Settings settings;
  Networks networks;
  Members members;
  Rules rules;
  Users users;
  Sessions sessions;
  AuditLog audit;
};

}  // namespace oc::store
