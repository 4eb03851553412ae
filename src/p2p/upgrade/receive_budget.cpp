#include "p2p/upgrade/receive_budget.hpp"

#include "base/assert.hpp"

namespace oc::p2p {

ReceiveBudget::~ReceiveBudget() { move_into(nullptr); }

bool ReceiveBudget::take(std::size_t bytes) {
  if (taken_ > most_ || bytes > most_ - taken_) {
    if (on_refused) on_refused();
    return false;
  }
  if (wider_ != nullptr && !wider_->take(bytes)) return false;
  taken_ += bytes;
  return true;
}

void ReceiveBudget::give_back(std::size_t bytes) {
  ASSERT(bytes <= taken_);
  taken_ -= bytes;
  if (wider_ != nullptr) wider_->give_back(bytes);
}

void ReceiveBudget::move_into(ReceiveBudget* wider) {
  for (ReceiveBudget* left = wider_; left != nullptr; left = left->wider_) left->taken_ -= taken_;
  wider_ = wider;
  for (ReceiveBudget* joined = wider_; joined != nullptr; joined = joined->wider_) {
    joined->taken_ += taken_;
  }
}

}  // namespace oc::p2p
