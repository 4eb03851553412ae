#include "comparison.hpp"

#include <fmt/format.h>

namespace oc::differential {
namespace {

constexpr std::size_t kShown = 20;

}  // namespace

void Comparison::disagreed(const std::string& description) {
  ++inputs_;
  if (++disagreements_ <= kShown) fmt::print("{}: {}\n", what_, description);
}

bool Comparison::report() const {
  fmt::print("{}: {} inputs, {} taken by both, {} disagreements\n", what_, inputs_, taken_,
             disagreements_);
  for (const auto& [reason, times] : meant_) fmt::print("  {:6} as meant: {}\n", times, reason);
  return disagreements_ == 0;
}

}  // namespace oc::differential
