#include "net/udp.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/unicast.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace oc::net {
namespace {

using Socket = asio::ip::udp::socket;
namespace multicast = asio::ip::multicast;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// Shows a receiver that a datagram comes from its own link (RFC 6762, section 11).
constexpr int kHops = 255;

template <class Value>
Result<void> set(Socket& socket, int level, int name, const Value& value) {
  if (::setsockopt(socket.native_handle(), level, name, &value, sizeof value) == 0)
    return success();
  return error_code(errno, boost::system::system_category());
}

template <class Option>
Result<void> set(Socket& socket, const Option& option) {
  error_code error;
  socket.set_option(option, error);
  if (error) return error;
  return success();
}

Result<Socket> make(const Executor& executor, const UdpAddress& at) {
  Socket socket(executor);
  error_code error;
  socket.open(at.protocol(), error);
  if (error) return error;
  socket.non_blocking(true, error);
  if (error) return error;
  if (at.address().is_v6()) CHECK(set(socket, asio::ip::v6_only(true)));
  return socket;
}

Result<void> bind(Socket& socket, const UdpAddress& at) {
  error_code error;
  socket.bind(at, error);
  if (error) return error;
  return success();
}

Result<void> join_v4(Socket& socket, const UdpAddress& group, unsigned interface) {
  CHECK(bind(socket, group));
  ip_mreqn member{};
  member.imr_multiaddr.s_addr = htonl(group.address().to_v4().to_uint());
  member.imr_ifindex = static_cast<int>(interface);
  // Else a socket hears every group that any program of the machine joined, on any interface.
  CHECK(set(socket, IPPROTO_IP, IP_MULTICAST_ALL, 0));
  CHECK(set(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, member));
  return set(socket, IPPROTO_IP, IP_MULTICAST_IF, member);
}

Result<void> join_v6(Socket& socket, const UdpAddress& group, unsigned interface) {
  auto address = group.address().to_v6();
  // With its scope the kernel binds the socket to the interface.
  address.scope_id(interface);
  CHECK(bind(socket, {address, group.port()}));
  CHECK(set(socket, multicast::join_group(group.address().to_v6(), interface)));
  return set(socket, multicast::outbound_interface(interface));
}

}  // namespace

Result<UdpSocket> UdpSocket::open(const Executor& executor, const UdpAddress& at) {
  TRY(Socket socket, make(executor, at));
  CHECK(bind(socket, at));
  return UdpSocket(std::move(socket));
}

Result<UdpSocket> UdpSocket::join(const Executor& executor, const UdpAddress& group,
                                  unsigned interface) {
  TRY(Socket socket, make(executor, group));
  CHECK(set(socket, Socket::reuse_address(true)));
  CHECK(set(socket, ReusePort(true)));
  CHECK(group.address().is_v6() ? join_v6(socket, group, interface)
                                : join_v4(socket, group, interface));
  CHECK(set(socket, multicast::hops(kHops)));
  CHECK(set(socket, asio::ip::unicast::hops(kHops)));
  CHECK(set(socket, multicast::enable_loopback(true)));
  return UdpSocket(std::move(socket));
}

awaitable<Result<UdpSocket::Received>> UdpSocket::receive(MutableBytes into) {
  for (;;) {
    UdpAddress from;
    auto [error, size] =
        co_await socket_.async_receive_from(asio::buffer(into.data(), into.size()), from, MSG_TRUNC,
                                            asio::as_tuple(asio::use_awaitable));
    if (error) co_return reason(error);
    if (size <= into.size()) co_return Received{size, from};
  }
}

awaitable<Result<void>> UdpSocket::send(BytesView bytes, UdpAddress to) {
  auto [error, size] = co_await socket_.async_send_to(asio::buffer(bytes.data(), bytes.size()), to,
                                                      asio::as_tuple(asio::use_awaitable));
  if (error) co_return reason(error);
  co_return success();
}

error_code UdpSocket::reason(const error_code& error) const {
  if (!socket_.is_open()) return Errc::closed;
  return error == asio::error::operation_aborted ? error_code(Errc::cancelled) : error;
}

UdpAddress UdpSocket::local() const {
  error_code closed;
  return socket_.local_endpoint(closed);
}

void UdpSocket::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace oc::net
