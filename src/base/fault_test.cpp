#include "base/fault.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>

namespace oc {
namespace {

struct Row {
  int code, status;
  std::string name, summary, hint;
};

// The rows of the document's tables: | OC-1001 | `bad_flag` | 400 | what | hint |
std::vector<Row> documented() {
  std::ifstream file(OC_TEST_DATA "/../../docs/errors.md");
  EXPECT_TRUE(file) << "docs/errors.md is missing";
  const std::regex pattern(R"(\| OC-(\d+) \| `(\w+)` \| (\d+) \| (.*) \| (.*) \|)");
  std::vector<Row> rows;
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (!std::regex_match(line, match, pattern)) {
      EXPECT_FALSE(line.starts_with("| OC-")) << "not understood: " << line;
      continue;
    }
    rows.push_back({std::stoi(match[1]), std::stoi(match[3]), match[2], match[4], match[5]});
  }
  return rows;
}

TEST(Fault, documentation_and_catalogue_list_the_same) {
  const auto rows = documented();
  const auto catalogue = fault_catalogue();
  ASSERT_EQ(rows.size(), catalogue.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(rows[i].name);
    EXPECT_EQ(rows[i].code, static_cast<int>(catalogue[i].code));
    EXPECT_EQ(rows[i].name, catalogue[i].name);
    EXPECT_EQ(rows[i].status, catalogue[i].http_status);
    EXPECT_EQ(rows[i].summary, catalogue[i].summary);
    EXPECT_EQ(rows[i].hint, catalogue[i].hint);
  }
}

TEST(Fault, catalogue_is_in_order_and_each_entry_says_something) {
  int previous = 0;
  for (const FaultEntry& entry : fault_catalogue()) {
    SCOPED_TRACE(entry.name);
    EXPECT_GT(static_cast<int>(entry.code), previous);
    previous = static_cast<int>(entry.code);
    EXPECT_TRUE(entry.summary.ends_with('.'));
    EXPECT_FALSE(entry.hint.empty());
    EXPECT_FALSE(entry.hint.ends_with('.'));
    EXPECT_GE(entry.http_status, 400);
    EXPECT_LT(entry.http_status, 600);
    EXPECT_EQ(find_fault(previous)->name, entry.name);
  }
  EXPECT_FALSE(find_fault(9999));
}

TEST(Fault, reads_as_code_message_and_hint) {
  const Fault fault(FaultCode::target_refused, "nobody listens on 127.0.0.1:8080 of node nas");
  EXPECT_EQ(fault.to_string(),
            "OC-3104: nobody listens on 127.0.0.1:8080 of node nas — "
            "start the service or correct the rule's --to");
  EXPECT_EQ(fault.http_status(), 502);
  EXPECT_EQ(Fault(FaultCode::internal, "x", "").to_string(), "OC-1099: x");
}

TEST(Outcome, holds_a_value_or_a_fault) {
  const Outcome<int> good = 7;
  EXPECT_EQ(*good, 7);
  const Outcome<int> bad = Fault(FaultCode::bad_rule, "no");
  EXPECT_EQ(bad.error().code, FaultCode::bad_rule);
  EXPECT_THROW((void)bad.value(), std::logic_error);
}

}  // namespace
}  // namespace oc
