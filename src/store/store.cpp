#include "store/store.hpp"

namespace oc::store {

Store::Store(std::unique_ptr<Database> opened)
    : database(std::move(opened)),
      settings(*database),
      networks(*database),
      members(*database),
      rules(*database),
      users(*database),
      sessions(*database),
      audit(*database) {}

Outcome<StartState> Store::load() {
  return database->run_blocking([](soci::session& sql) {
    return StartState{Settings::read_all(sql), Networks::read_all(sql), Members::read_all(sql),
                      Rules::read_all(sql), Users::read_root(sql)};
  });
}

}  // namespace oc::store
