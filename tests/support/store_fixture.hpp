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

  // Runs a coroutine to its end on the loop that all of the test's calls share.
  template <class Make>
  void run(Make make) {
    oc::test::run_async(io, std::move(make));
  }

  static constexpr WallTime kNow{std::chrono::hours(24 * 365 * 55)};
  asio::io_context io;  // outlives every store
  std::filesystem::path directory;
};

}  // namespace oc::store::test
