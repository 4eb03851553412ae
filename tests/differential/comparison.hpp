// What came of comparing: how often both sides agreed, and where they did not.
#pragma once

#include <map>
#include <string>

namespace oc::differential {

class Comparison {
 public:
  explicit Comparison(std::string what) : what_(std::move(what)) {}

  void agreed(bool taken) {
    ++inputs_;
    taken_ += taken ? 1 : 0;
  }
  // They differ for a reason that is known and meant.
  void differed_as_meant(const std::string& reason) {
    ++inputs_;
    ++meant_[reason];
  }
  // They differ, and should not: prints the first few of these.
  void disagreed(const std::string& description);

  // Prints a summary; false when they disagreed.
  bool report() const;

 private:
  std::string what_;
  std::size_t inputs_ = 0;
  std::size_t taken_ = 0;  // by both
  std::size_t disagreements_ = 0;
  std::map<std::string, std::size_t> meant_;
};

}  // namespace oc::differential
