// Runs a coroutine to its end on an io_context of its own. For unit tests.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>

#include "base/async.hpp"

namespace oc::test {

// Calls make() on the loop's thread and runs the coroutine it returns; fails the test when it does
// not end within `limit` of real time.
template <class Make>
void run_async(asio::io_context& io, Make make,
               std::chrono::seconds limit = std::chrono::seconds(8)) {
  bool done = false;
  std::exception_ptr failure;
  asio::co_spawn(io, make(), [&](std::exception_ptr e) {
    failure = e;
    done = true;
    io.stop();
  });
  io.restart();
  io.run_for(limit);
  if (failure) std::rethrow_exception(failure);
  ASSERT_TRUE(done) << "the coroutine did not end in time";
  // Let cancelled leftovers unwind.
  io.restart();
  io.poll();
}

template <class Make>
void run_async(Make make) {
  asio::io_context io;
  run_async(io, std::move(make));
}

}  // namespace oc::test
