#include "store/database.hpp"

#include <fcntl.h>
#include <soci/soci.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "store/migrations.hpp"
#include "support/store_fixture.hpp"

namespace oc::store {
namespace {

using DatabaseTest = test::StoreTest;

unsigned mode_of(const std::filesystem::path& file) {
  struct stat info{};
  EXPECT_EQ(::stat(file.c_str(), &info), 0) << file;
  return info.st_mode & 0777u;
}

std::string pragma(Database& database, const std::string& name) {
  auto value = database.run_blocking([&name](soci::session& sql) {
    std::string text;
    sql << "PRAGMA " + name, soci::into(text);
    return text;
  });
  return value ? *value : value.error().to_string();
}

TEST_F(DatabaseTest, a_new_store_is_made_quickly_with_its_directories) {
  const auto start = std::chrono::steady_clock::now();
  auto database = Database::open(directory / "a" / "b" / "open-chat.db", kNow);
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(database) << database.error().to_string();
  // The aim is 50 ms; the rest is for a machine that does other things.
  EXPECT_LT(took, std::chrono::milliseconds(500));
  EXPECT_EQ(pragma(**database, "journal_mode"), "wal");
  EXPECT_EQ(pragma(**database, "synchronous"), "2");
  EXPECT_EQ(pragma(**database, "foreign_keys"), "1");
}

TEST_F(DatabaseTest, only_the_owner_may_read_the_files) {
  std::ofstream(file()).put('\n').flush();
  std::filesystem::remove(file());
  const mode_t before = ::umask(0);
  std::ofstream(file()).flush();  // an empty file with mode 0666
  auto database = open();
  ::umask(before);
  ASSERT_TRUE(database);
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    EXPECT_EQ(mode_of(entry.path()), 0600u) << entry.path();
  }
}

TEST_F(DatabaseTest, a_second_opener_is_refused_until_the_first_is_gone) {
  {
    auto first = open();
    ASSERT_TRUE(first);
    auto second = open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, FaultCode::store_locked);
    EXPECT_NE(second.error().message.find(file().string()), std::string::npos);
  }
  EXPECT_TRUE(open());
}

TEST_F(DatabaseTest, a_store_of_a_newer_version_is_refused_and_left_alone) {
  {
    auto database = open();
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->run_blocking([](soci::session& sql) {
      sql << "INSERT INTO schema_versions (version, applied) VALUES (9999, 0)";
      return true;
    }));
  }
  auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, FaultCode::store_too_new);
}

TEST_F(DatabaseTest, migrations_are_numbered_and_applied_once) {
  for (int round = 0; round < 2; ++round) {
    auto database = open();
    ASSERT_TRUE(database);
    auto versions = (*database)->run_blocking([](soci::session& sql) {
      int count = 0, newest = 0;
      sql << "SELECT COUNT(*), MAX(version) FROM schema_versions", soci::into(count),
          soci::into(newest);
      return std::pair(count, newest);
    });
    EXPECT_EQ(*versions, std::pair(newest_schema(), newest_schema()));
  }
}

TEST_F(DatabaseTest, a_file_that_is_no_database_is_refused_and_left_alone) {
  const std::string garbage(10000, 'x');
  std::ofstream(file()) << garbage;
  auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, FaultCode::store_unavailable);
  EXPECT_EQ(std::filesystem::file_size(file()), garbage.size());
}

TEST_F(DatabaseTest, a_damaged_database_is_refused) {
  {
    auto store = open_store();
    SettingsMap many;
    for (int i = 0; i < 500; ++i) many["name" + std::to_string(i)] = std::string(200, 'v');
    run([&]() -> awaitable<void> {
      auto put = co_await store->settings.put_all(many);
      EXPECT_TRUE(put);
    });
  }
  {
    std::fstream damage(file(), std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(4096 + 8);
    damage << std::string(20000, '\x5a');
  }
  auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, FaultCode::store_unavailable);
}

TEST_F(DatabaseTest, places_that_cannot_be_written_are_refused) {
  for (const char* place :
       {"/proc/no-such/open-chat.db", "/dev/null/open-chat.db", "/proc/open-chat.db"}) {
    auto refused = Database::open(place, kNow);
    ASSERT_FALSE(refused) << place;
    EXPECT_EQ(refused.error().code, FaultCode::store_unavailable) << place;
    EXPECT_NE(refused.error().message.find("/"), std::string::npos);
  }
  EXPECT_FALSE(Database::open(directory / "a\"b.db", kNow));
  EXPECT_FALSE(Database::open(directory, kNow)) << "a directory";
}

TEST_F(DatabaseTest, names_with_blanks_and_signs_are_taken) {
  for (const char* name : {"a b.db", "a'b.db", "a=b;c.db", "ä.db", "100%.db", "a#b?c.db"}) {
    auto database = Database::open(directory / name, kNow);
    EXPECT_TRUE(database) << name;
    EXPECT_TRUE(std::filesystem::exists(directory / name)) << name;
  }
}

TEST_F(DatabaseTest, a_failed_call_is_rolled_back_and_tells_no_values) {
  auto database = open();
  ASSERT_TRUE(database);
  auto failed = (*database)->run_blocking([](soci::session& sql) {
    const std::string secret = "top-secret";
    sql << "INSERT INTO settings (name, value) VALUES (:n, :v)", soci::use(secret),
        soci::use(secret);
    sql << "INSERT INTO settings (name, value) VALUES (:n, :v)", soci::use(secret),
        soci::use(secret);
    return true;
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, FaultCode::store_unavailable);
  EXPECT_EQ(failed.error().to_string().find("top-secret"), std::string::npos)
      << failed.error().to_string();
  auto count = (*database)->run_blocking([](soci::session& sql) {
    int rows = -1;
    sql << "SELECT COUNT(*) FROM settings", soci::into(rows);
    return rows;
  });
  EXPECT_EQ(*count, 0);
}

awaitable<void> write_slowly(Database& database, std::shared_ptr<int> written) {
  auto job = [written](soci::session& sql) {
    sql << "INSERT INTO settings (name, value) VALUES ('a', 'b')";
    return ++*written;
  };
  (void)co_await database.run(job);
}

TEST_F(DatabaseTest, a_call_whose_caller_was_cancelled_ends_all_the_same) {
  auto written = std::make_shared<int>(0);
  {
    auto database = open();
    ASSERT_TRUE(database);
    run([&]() -> awaitable<void> {
      TaskScope scope(co_await asio::this_coro::executor);
      scope.spawn("write", write_slowly(**database, written));
      co_await asio::post(scope.executor(), asio::use_awaitable);
      co_await scope.close();
      database->reset();  // waits for the call
    });
  }
  EXPECT_EQ(*written, 1);
}

Outcome<bool> write_value(Database& database, std::size_t size) {
  return database.run_blocking([size](soci::session& sql) {
    const std::string value(size, 'v');
    sql << "INSERT INTO settings (name, value) VALUES ('big', :v)"
           " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        soci::use(value, "v");
    return true;
  });
}

// In a process of its own, for which the disk is full at 256 KiB a file: 0 when all is well.
int write_beyond_full_disk(const std::filesystem::path& file) {
  std::signal(SIGXFSZ, SIG_IGN);
  auto database = Database::open(file, WallTime{});
  if (!database || !write_value(**database, 10)) return 1;
  const rlimit full{256 * 1024, RLIM_INFINITY}, roomy{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto refused = write_value(**database, 1024 * 1024);
  if (refused || refused.error().code != FaultCode::store_unavailable) return 2;
  if (!write_value(**database, 20)) return 3;
  ::setrlimit(RLIMIT_FSIZE, &roomy);
  if (!write_value(**database, 1024 * 1024)) return 4;
  return pragma(**database, "integrity_check") == "ok" ? 0 : 5;
}

TEST_F(DatabaseTest, a_full_disk_fails_the_call_and_nothing_else) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(write_beyond_full_disk(file()));
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Writes until it is killed, and says on the pipe which write has been confirmed.
[[noreturn]] void write_until_killed(const std::filesystem::path& file, int pipe) {
  auto database = Database::open(file, WallTime{});
  if (!database) ::_exit(2);
  for (int i = 1;; ++i) {
    auto written = (*database)->run_blocking([i](soci::session& sql) {
      const std::string name = "n" + std::to_string(i), value(300, 'v');
      sql << "INSERT INTO settings (name, value) VALUES (:n, :v) ON CONFLICT (name) DO UPDATE SET "
             "value = :w",
          soci::use(name, "n"), soci::use(value, "v"), soci::use(value, "w");
      sql << "INSERT INTO settings (name, value) VALUES ('count', :c)"
             " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          soci::use(i, "c");
      return true;
    });
    if (!written || ::write(pipe, &i, sizeof i) != sizeof i) ::_exit(3);
  }
}

// The last write that the child confirmed before it was killed.
int kill_during_writes(const std::filesystem::path& file, int after) {
  int pipe[2];
  EXPECT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) write_until_killed(file, pipe[1]);
  ::close(pipe[1]);
  int confirmed = 0, value = 0;
  while (::read(pipe[0], &value, sizeof value) == sizeof value) {
    confirmed = value;
    if (confirmed == after) ::kill(child, SIGKILL);
  }
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
  return confirmed;
}

TEST_F(DatabaseTest, nothing_confirmed_is_lost_when_the_process_is_killed) {
  for (int round = 1; round <= 30; ++round) {
    const int confirmed = kill_during_writes(file(), round);
    auto database = open();
    ASSERT_TRUE(database) << database.error().to_string();
    ASSERT_EQ(pragma(**database, "integrity_check"), "ok");
    auto count = (*database)->run_blocking([](soci::session& sql) {
      int value = 0;
      sql << "SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'count'", soci::into(value);
      return value;
    });
    EXPECT_GE(*count, confirmed);
  }
}

}  // namespace
}  // namespace oc::store
