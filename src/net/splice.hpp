// The splice: carries bytes both ways between two streams until both halves have ended.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "net/stream.hpp"

namespace oc::net {

// When one half has ended and nothing moves in the other for this long, both are reset: a far end
// that is gone is not noticed otherwise, since nobody reads from a half that has ended.
inline constexpr Duration kHalfClosedIdle = std::chrono::minutes(5);

// Counted up as the bytes move; must outlive the call.
struct SpliceCounters {
  std::uint64_t& forward;   // bytes from `a` to `b`
  std::uint64_t& backward;  // bytes from `b` to `a`
};

// Buffers move from one stream to the other without being copied. The end of one half is passed on
// as the end of a half; an error on either side resets both (a reset is carried as a reset).
// Backpressure: nothing is read that was not written on. Both streams must outlive the call; both
// are finished or reset when it returns. Cancelling it resets both, also when one half has ended
// already; the calling task does not throw on cancellation from then on.
awaitable<Result<void>> splice(Stream& a, Stream& b, SpliceCounters counters, Clock& clock);

}  // namespace oc::net
