// Verdict<T>: a value, or what was not as it must be, in words for a person.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace oc::interop {

struct Failure {
  std::string what;
};

// Like Result<T>, and with its macros. (boost::system::result cannot tell a text from a Failure.)
template <class T>
class [[nodiscard]] Verdict {
 public:
  Verdict(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Verdict(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& operator*() & { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const Failure& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

template <>
class [[nodiscard]] Verdict<void> {
 public:
  Verdict() = default;
  Verdict(Failure failure) : failure_(std::move(failure)) {}

  bool has_value() const { return !failure_; }
  explicit operator bool() const { return has_value(); }
  const Failure& error() const { return *failure_; }

 private:
  std::optional<Failure> failure_;
};

// The same result, its error in words: "<doing>: <what went wrong>".
template <class T>
Verdict<T> explain(const std::string& doing, Result<T> result) {
  if (!result) return Failure{doing + ": " + result.error().message()};
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

}  // namespace oc::interop
