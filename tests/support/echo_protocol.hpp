// A protocol that gives back what it is sent, to the end of the stream.
#pragma once

#include <memory>

#include "p2p/swarm/swarm.hpp"

namespace oc::test {

inline constexpr const char* kEcho = "/echo/1.0.0";

inline awaitable<void> echo(p2p::ConnectionPtr, std::unique_ptr<net::Stream> stream) {
  for (;;) {
    auto chain = co_await stream->read_chain();
    if (!chain) break;
    if (auto written = co_await stream->write_chain(*std::move(chain)); !written) co_return;
  }
  (void)co_await stream->close_write();
}

}  // namespace oc::test
