// Migrations: how the tables came to be, step by step. A step that was released is never changed; a
// new one is added behind it.
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "base/fault.hpp"

namespace soci {
class session;
}

namespace oc::store {

// The version that this program's tables have.
int newest_schema();

// Applies the steps that are missing, all in one transaction. Gives store_too_new when the store
// has steps that this program does not know; throws soci::soci_error when the store fails.
std::optional<Fault> migrate(soci::session& sql, WallTime now);

}  // namespace oc::store
