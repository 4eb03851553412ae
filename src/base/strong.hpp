// Strong types for ids, ports, sequence numbers: values that must not be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <utility>

namespace oc {

// Strong<Tag, T>: a T with a name of its own. Compares, hashes, and converts only explicitly.
template <class Tag, class T>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(std::move(value)) {}
  constexpr const T& value() const { return value_; }
  constexpr auto operator<=>(const Strong&) const = default;

 private:
  T value_{};
};

using Port = Strong<struct PortTag, std::uint16_t>;

}  // namespace oc

template <class Tag, class T>
struct std::hash<oc::Strong<Tag, T>> {
  std::size_t operator()(const oc::Strong<Tag, T>& v) const { return std::hash<T>{}(v.value()); }
};
