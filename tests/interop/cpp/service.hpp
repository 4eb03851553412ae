// Service: the protocols that a listener serves (../README.md).
#pragma once

#include <string>

#include "peer.hpp"
#include "talk.hpp"

namespace oc::interop {

// Registers all of them at a peer. Lifetime: as long as the peer.
class Service {
 public:
  explicit Service(Peer& peer);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

 private:
  // Serves one stream until its end; an error resets it.
  using Follow = awaitable<Result<void>> (Service::*)(p2p::ConnectionPtr, net::Stream&);

  void serve(const std::string& name, Follow follow);
  awaitable<void> run(Follow follow, p2p::ConnectionPtr connection, StreamPtr stream);

  awaitable<Result<void>> echo(p2p::ConnectionPtr, net::Stream& stream);
  awaitable<Result<void>> digest(p2p::ConnectionPtr, net::Stream& stream);
  awaitable<Result<void>> reset(p2p::ConnectionPtr, net::Stream& stream);
  awaitable<Result<void>> fate(p2p::ConnectionPtr, net::Stream& stream);
  awaitable<Result<void>> last_fate(p2p::ConnectionPtr, net::Stream& stream);
  awaitable<Result<void>> push(p2p::ConnectionPtr, net::Stream& stream);
  awaitable<Result<void>> known(p2p::ConnectionPtr connection, net::Stream& stream);

  Peer& peer_;
  std::string last_fate_ = "none";
};

// Gives every byte back as it comes, and then the end.
awaitable<Result<void>> echo(net::Stream& stream);

}  // namespace oc::interop
