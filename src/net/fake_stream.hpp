// A pair of connected in-memory streams, for tests and for the simulation.
#pragma once

#include <memory>
#include <utility>

#include "net/stream.hpp"

namespace oc::net {

struct FakeStreamOptions {
  std::size_t capacity = 256 * 1024;  // bytes in flight each way before a write waits
  std::size_t largest_read = 0;       // deliver at most this many bytes a read; 0 = no limit
};

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_fake_stream_pair(
    FakeStreamOptions options = {});

}  // namespace oc::net
