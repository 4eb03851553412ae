// ASSERT: for bugs, never for input. On failure it prints where and aborts, in every build.
#pragma once

namespace oc {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}

#define ASSERT(condition)                       \
  (__builtin_expect(!!(condition), 1) ? void(0) \
                                      : ::oc::assertion_failed(#condition, __FILE__, __LINE__))
