// Peer: a libp2p host with a fresh key and one security protocol, and the loop that it runs on.
// What our apps for the harnesses of libp2p share.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <string>

#include "p2p/host.hpp"

namespace oc::harness {

// Nothing happens but in run() and in the destructor, which closes all connections.
class Peer {
 public:
  explicit Peer(std::string security);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  Clock& clock() { return clock_; }
  p2p::Ping& ping() { return host_.ping(); }
  p2p::RelayClient& relay_client() { return host_.relay_client(); }
  p2p::Swarm& swarm() { return host_.swarm(); }

  // Runs the loop until `work` has ended, and gives its result.
  template <class T>
  T run(awaitable<T> work) {
    auto done = asio::co_spawn(io_, std::move(work), asio::use_future);
    while (done.wait_for(Duration::zero()) != std::future_status::ready) io_.run_one();
    return done.get();
  }

 private:
  p2p::IdentifyOptions identify_options();

  asio::io_context io_{1};
  SystemClock clock_{io_.get_executor()};
  SystemRandom random_;
  p2p::Host host_;
};

}  // namespace oc::harness
