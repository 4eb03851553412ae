// ReceiveBudget: a bound on bytes that were received and nobody has read yet, within a wider one.
//
//   a session's ──▶ its peer's ──▶ the whole program's
#pragma once

#include <cstddef>
#include <functional>

namespace oc::p2p {

class ReceiveBudget {
 public:
  explicit ReceiveBudget(std::size_t most) : most_(most) {}
  ~ReceiveBudget();
  ReceiveBudget(const ReceiveBudget&) = delete;
  ReceiveBudget& operator=(const ReceiveBudget&) = delete;

  // Takes bytes from this budget and every wider one, or, when one of them has not so many left,
  // from none.
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes);

  // For what is taken from now on; what is taken stays, though it be more.
  void set_most(std::size_t most) { most_ = most; }
  // Moves into a wider budget, with what is taken, whether or not that fits; null: into none. The
  // wider one must not go before it is left.
  void move_into(ReceiveBudget* wider);

  std::size_t taken() const { return taken_; }
  std::size_t most() const { return most_; }

  // Called when it is this budget that has not enough left.
  std::function<void()> on_refused;

 private:
  std::size_t most_;
  std::size_t taken_ = 0;
  ReceiveBudget* wider_ = nullptr;
};

}  // namespace oc::p2p
