#include "cli/arguments.hpp"

#include <gtest/gtest.h>

namespace oc::cli {
namespace {

class ExpandSingleDash : public ::testing::Test {
 protected:
  ExpandSingleDash() {
    app_.add_option("--host", text_);
    CLI::App* nodes = app_.add_subcommand("nodes");
    nodes->add_flag("--ls", flag_);
    CLI::App* identity = app_.add_subcommand("identity");
    identity->add_flag("--b64", flag_);
    CLI::App* add = app_.add_subcommand("register");
    add->add_option("--b64", text_);
    add->add_option("-d,--data", text_);
  }
  std::vector<std::string> expand(std::vector<std::string> args) {
    return expand_single_dash(args, app_);
  }
  using Args = std::vector<std::string>;

 private:
  CLI::App app_;
  std::string text_;
  bool flag_ = false;
};

TEST_F(ExpandSingleDash, long_names_of_every_command_work_with_one_dash) {
  EXPECT_EQ(expand({"nodes", "-ls"}), (Args{"nodes", "--ls"}));
  EXPECT_EQ(expand({"identity", "-b64"}), (Args{"identity", "--b64"}));
  EXPECT_EQ(expand({"-host", "x", "nodes"}), (Args{"--host", "x", "nodes"}));
  EXPECT_EQ(expand({"-host=x", "nodes"}), (Args{"--host=x", "nodes"}));
}

TEST_F(ExpandSingleDash, short_flags_and_unknown_names_stay) {
  const Args args = {"register", "-d", "x", "-dx", "-lsx", "-", "--ls", "ls"};
  EXPECT_EQ(expand(args), args);
}

TEST_F(ExpandSingleDash, the_value_of_a_flag_stays) {
  EXPECT_EQ(expand({"register", "-d", "-ls"}), (Args{"register", "-d", "-ls"}));
  EXPECT_EQ(expand({"register", "--data", "-ls", "-ls"}),
            (Args{"register", "--data", "-ls", "--ls"}));
  EXPECT_EQ(expand({"-host", "--", "-ls"}), (Args{"--host", "--", "--ls"}));
}

TEST_F(ExpandSingleDash, nothing_changes_behind_two_dashes) {
  EXPECT_EQ(expand({"nodes", "-ls", "--", "-ls"}), (Args{"nodes", "--ls", "--", "-ls"}));
}

}  // namespace
}  // namespace oc::cli
