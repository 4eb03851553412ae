#include "cli/session_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "cli/temporary_folder.hpp"

namespace oc::cli {
namespace {

constexpr const char* kHost = "http://localhost:1984";

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

class SessionFileTest : public ::testing::Test {
 protected:
  std::string folder() const { return temporary_.path() + "/state/open-chat"; }
  std::string id_of(const std::string& host, const std::string& node) const {
    const auto session = file_.find(host, node);
    return session ? session->id : "";
  }

  TemporaryFolder temporary_;
  SessionFile file_{folder()};
};

TEST_F(SessionFileTest, keeps_one_session_for_each_host) {
  EXPECT_FALSE(file_.find(kHost, ""));
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "one"}));
  EXPECT_FALSE(file_.put({"http://other:1984", "", "", "admin", "two"}));
  EXPECT_FALSE(file_.put({kHost, "", "", "home", "three"}));
  EXPECT_EQ(id_of(kHost, ""), "three");
  EXPECT_EQ(id_of("http://other:1984", ""), "two");
  EXPECT_EQ(read_text(file_.path()).find("\"one\""), std::string::npos);
}

TEST_F(SessionFileTest, finds_a_node_by_id_prefix_or_name) {
  EXPECT_FALSE(file_.put({kHost, "12D3KooWAAAA", "nas", "admin", "a"}));
  EXPECT_FALSE(file_.put({kHost, "12D3KooWABBB", "pi", "admin", "b"}));
  EXPECT_EQ(id_of(kHost, "12D3KooWAAAA"), "a");
  EXPECT_EQ(id_of(kHost, "12D3KooWAA"), "a");
  EXPECT_EQ(id_of(kHost, "pi"), "b");
  EXPECT_EQ(id_of(kHost, "12D3KooWA"), "") << "fits both";
  EXPECT_EQ(id_of(kHost, "p"), "");
  EXPECT_EQ(id_of(kHost, ""), "") << "the host itself was not logged in to";
  EXPECT_EQ(id_of("http://other:1984", "nas"), "");
}

TEST_F(SessionFileTest, is_for_its_owner_only) {
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "one"}));
  EXPECT_EQ(mode_of(folder()), 0700u);
  EXPECT_EQ(mode_of(file_.path()), 0600u);
  ASSERT_EQ(::chmod(folder().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(file_.path().c_str(), 0644), 0);
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "two"}));
  EXPECT_EQ(mode_of(folder()), 0700u);
  EXPECT_EQ(mode_of(file_.path()), 0600u);
}

TEST_F(SessionFileTest, is_replaced_never_rewritten) {
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "one"}));
  std::ifstream before(file_.path());
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "two"}));
  const std::string seen{std::istreambuf_iterator<char>(before), {}};
  EXPECT_NE(seen.find("\"one\""), std::string::npos)
      << "who has the old file open reads the old one";
  EXPECT_EQ(seen.find("\"two\""), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file_.path() + ".new"));
}

TEST_F(SessionFileTest, what_a_crash_left_behind_is_no_obstacle) {
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "one"}));
  std::ofstream(file_.path() + ".new") << "half";
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "two"}));
  EXPECT_EQ(id_of(kHost, ""), "two");
}

TEST_F(SessionFileTest, forgets_one_and_keeps_the_others) {
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "own"}));
  EXPECT_FALSE(file_.put({kHost, "12D3KooWAAAA", "nas", "admin", "far"}));
  EXPECT_FALSE(file_.remove(kHost, "nas"));
  EXPECT_EQ(id_of(kHost, "nas"), "");
  EXPECT_EQ(id_of(kHost, ""), "own");
  EXPECT_FALSE(file_.remove(kHost, "nas")) << "removing what is not there is done";
}

TEST_F(SessionFileTest, a_file_that_is_not_ours_holds_no_session) {
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "one"}));
  for (const char* text : {"", "{", "[]", R"({"sessions":7})", R"({"sessions":[7,{"host":1}]})"}) {
    std::ofstream(file_.path()) << text;
    EXPECT_FALSE(file_.find(kHost, "")) << text;
  }
  EXPECT_FALSE(file_.put({kHost, "", "", "admin", "two"}));
  EXPECT_EQ(id_of(kHost, ""), "two");
}

TEST_F(SessionFileTest, logins_at_the_same_time_are_all_kept) {
  std::vector<std::thread> logins;
  for (int i = 0; i < 8; ++i) {
    logins.emplace_back([this, i] {
      EXPECT_FALSE(file_.put({"http://h" + std::to_string(i) + ":1", "", "", "admin", "s"}));
    });
  }
  for (std::thread& login : logins) login.join();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(id_of("http://h" + std::to_string(i) + ":1", ""), "s");
}

TEST_F(SessionFileTest, says_why_it_cannot_keep_a_session) {
  std::ofstream(temporary_.path() + "/state") << "a file where the folder should be";
  const auto fault = file_.put({kHost, "", "", "admin", "secret-session"});
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->code, FaultCode::store_unavailable);
  EXPECT_NE(fault->message.find(folder()), std::string::npos);
  EXPECT_EQ(fault->to_string().find("secret-session"), std::string::npos);
  EXPECT_TRUE(SessionFile("").put({kHost, "", "", "admin", "s"})) << "no HOME";
}

}  // namespace
}  // namespace oc::cli
