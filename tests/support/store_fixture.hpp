// A store in a directory of its own that goes away with the test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "store/store.hpp"
#include "support/run_async.hpp"

namespace oc::store::test {

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "oc-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  std::filesystem::path file() const { return directory / "open-chat.db"; }
  Outcome<std::unique_ptr<Database>> open() const { return Database::open(file(), kNow); }
  std::unique_ptr<Store> open_store() const {
    auto database = open();
    EXPECT_TRUE(database) << database.error().to_string();
    return std::make_unique<Store>(*std::move(database));
  }

  static constexpr WallTime kNow{std::chrono::hours(24 * 365 * 55)};
  std::filesystem::path directory;
};

}  // namespace oc::store::test
