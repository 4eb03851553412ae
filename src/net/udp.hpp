// UDP sockets, and groups of multicast on one network interface.
#pragma once

#include <boost/asio/ip/udp.hpp>

#include "base/async.hpp"
#include "base/bytes.hpp"

namespace oc::net {

using UdpAddress = asio::ip::udp::endpoint;  // an IP address and a port

// Thread: the executor's.
class UdpSocket {
 public:
  // Port 0 takes a free one; an IPv6 address takes IPv6 only. Errors are the kernel's.
  static Result<UdpSocket> open(const Executor& executor, const UdpAddress& at);
  // A member of a group of multicast on one interface: hears what is sent to the group there, also
  // by this machine, and nothing else. What it sends to a group leaves there; all that it sends has
  // a TTL of 255. The port is shared with other programs' members. Errors are the kernel's, such as
  // those of an interface without IPv6.
  static Result<UdpSocket> join(const Executor& executor, const UdpAddress& group,
                                unsigned interface);

  struct Received {
    std::size_t size;
    UdpAddress from;
  };
  // Waits for a datagram. Those that do not fit are dropped. Errors: Errc::closed, Errc::cancelled,
  // the kernel's. A cancelled call has lost nothing. One call at a time.
  awaitable<Result<Received>> receive(MutableBytes into);
  // Hands a datagram to the kernel; whether it arrives, nobody says. `bytes` must live until it is
  // done. Errors as above.
  awaitable<Result<void>> send(BytesView bytes, UdpAddress to);

  UdpAddress local() const;
  void close();

 private:
  explicit UdpSocket(asio::ip::udp::socket socket) : socket_(std::move(socket)) {}
  error_code reason(const error_code& error) const;

  asio::ip::udp::socket socket_;
};

}  // namespace oc::net
