// Result<T>: how every expected failure travels (docs/style in CONTRIBUTING.md).
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <utility>

namespace oc {

using boost::system::error_code;

// A value or an error_code. Unlike boost's own class it cannot be discarded silently.
// Conversions: from T, from error_code, and from any enum registered as an error code enum.
template <class T>
class [[nodiscard]] Result : public boost::system::result<T> {
 public:
  using boost::system::result<T>::result;
};

template <>
class [[nodiscard]] Result<void> : public boost::system::result<void> {
 public:
  using boost::system::result<void>::result;
};

inline Result<void> success() { return Result<void>(); }

// Errors that belong to no single layer. Each module adds an Errc of its own beside these.
enum class Errc {
  closed = 1,         // the object was closed by this side; no further operation succeeds
  eof,                // the peer ended its half cleanly; nothing more will arrive
  reset,              // the peer (or the link) aborted; bytes may have been lost
  timed_out,          // a deadline passed before the operation ended
  cancelled,          // the owner of the operation cancelled it
  limit_exceeded,     // a named bound would have been exceeded
  malformed,          // input does not follow its format
  truncated,          // input ended in the middle of a value
  not_found,          // nothing by that name or id
  already_exists,     // it is there already
  unsupported,        // well-formed, but of a kind this program does not take
  permission_denied,  // the caller may not do this
  protocol_violation  // the peer broke the rules of the protocol in use
};

const boost::system::error_category& base_category() noexcept;

inline error_code make_error_code(Errc e) noexcept {
  return {static_cast<int>(e), base_category()};
}

}  // namespace oc

template <>
struct boost::system::is_error_code_enum<oc::Errc> : std::true_type {};

#define OC_CAT2(a, b) a##b
#define OC_CAT(a, b) OC_CAT2(a, b)

// TRY(auto x, f()): declares x from a Result, or returns its error. Two statements, because a
// statement expression around co_return crashes GCC 12.
#define OC_TRY_IMPL(ret, tmp, decl, ...) \
  auto tmp = (__VA_ARGS__);              \
  if (!tmp.has_value()) ret tmp.error(); \
  decl = *std::move(tmp)
#define OC_CHECK_IMPL(ret, tmp, ...) \
  if (auto tmp = (__VA_ARGS__); !tmp.has_value()) ret tmp.error()

#define TRY(decl, ...) OC_TRY_IMPL(return, OC_CAT(oc_try_, __LINE__), decl, __VA_ARGS__)
#define CO_TRY(decl, ...) OC_TRY_IMPL(co_return, OC_CAT(oc_try_, __LINE__), decl, __VA_ARGS__)
// CHECK(f()): returns the error of a Result<void>, otherwise goes on.
#define CHECK(...) OC_CHECK_IMPL(return, OC_CAT(oc_try_, __LINE__), __VA_ARGS__)
#define CO_CHECK(...) OC_CHECK_IMPL(co_return, OC_CAT(oc_try_, __LINE__), __VA_ARGS__)
