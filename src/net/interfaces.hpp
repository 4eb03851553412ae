// This machine's network interfaces, and when they change.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <vector>

#include "base/async.hpp"

namespace oc::net {

struct Interface {
  unsigned index = 0;
  // At least one; without IPv6 link-local ones, which mean nothing elsewhere.
  std::vector<asio::ip::address> addresses;

  bool operator==(const Interface&) const = default;
};

// Those that are up, no loopback, carry multicast, and have an address of their own, by index.
std::vector<Interface> multicast_interfaces();

// Whether something can be bound to the address, which is then one of this machine's.
bool is_own_address(const asio::ip::address& address);

// Thread: the executor's.
class InterfaceWatch {
 public:
  // Errors are the kernel's.
  static Result<InterfaceWatch> open(const Executor& executor);
  // Waits until an interface or an address came, went or changed since open() or the last call;
  // many changes may be told as one. Errc::cancelled, and then nothing is lost.
  awaitable<Result<void>> changed();

 private:
  InterfaceWatch(const Executor& executor, int fd) : netlink_(executor, fd) {}

  asio::posix::stream_descriptor netlink_;
};

}  // namespace oc::net
