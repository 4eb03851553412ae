// A crew: many jobs of one kind, some of them at once.
#pragma once

#include <functional>

#include "base/async.hpp"
#include "verdict.hpp"

namespace oc::interop {

// Runs job(0) … job(count - 1), at most `at_once` at a time. The first failure ends what runs and
// is given back. Whatever happens, no job is left when this returns, so that jobs may refer to what
// the caller holds.
awaitable<Verdict<void>> run_all(std::size_t count, std::size_t at_once,
                                 std::function<awaitable<Verdict<void>>(std::size_t)> job);

}  // namespace oc::interop
