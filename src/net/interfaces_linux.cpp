#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

#include "base/bytes.hpp"
#include "net/interfaces.hpp"

namespace oc::net {
namespace {

std::optional<asio::ip::address> address_of(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr) return std::nullopt;
  if (entry.ifa_addr->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(entry.ifa_addr);
    return asio::ip::address_v4(ntohl(v4->sin_addr.s_addr));
  }
  if (entry.ifa_addr->sa_family != AF_INET6) return std::nullopt;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry.ifa_addr);
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
  const asio::ip::address_v6 ip(bytes);
  if (ip.is_link_local()) return std::nullopt;
  return ip;
}

}  // namespace

std::vector<Interface> multicast_interfaces() {
  constexpr unsigned kWanted = IFF_UP | IFF_MULTICAST;
  std::map<unsigned, Interface> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if ((i->ifa_flags & (kWanted | IFF_LOOPBACK)) != kWanted) continue;
    const auto address = address_of(*i);
    const unsigned index = address ? ::if_nametoindex(i->ifa_name) : 0;
    if (index == 0) continue;
    found[index].index = index;
    found[index].addresses.push_back(*address);
  }
  ::freeifaddrs(list);
  std::vector<Interface> out;
  for (auto& [index, interface] : found) out.push_back(std::move(interface));
  return out;
}

bool is_own_address(const asio::ip::address& address) {
  const asio::ip::udp::endpoint any_port(address, 0);
  const int fd = ::socket(any_port.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;
  const auto size = static_cast<socklen_t>(any_port.size());
  const bool bound = ::bind(fd, any_port.data(), size) == 0 || errno != EADDRNOTAVAIL;
  ::close(fd);
  return bound;
}

Result<InterfaceWatch> InterfaceWatch::open(const Executor& executor) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return error_code(errno, boost::system::system_category());
  InterfaceWatch watch(executor, fd);
  sockaddr_nl wanted{};
  wanted.nl_family = AF_NETLINK;
  wanted.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&wanted), sizeof wanted) != 0)
    return error_code(errno, boost::system::system_category());
  return watch;
}

awaitable<Result<void>> InterfaceWatch::changed() {
  auto [error] = co_await netlink_.async_wait(asio::posix::stream_descriptor::wait_read,
                                              asio::as_tuple(asio::use_awaitable));
  if (error) co_return Errc::cancelled;
  // Only that there is news matters; of news that were lost (ENOBUFS) the kernel tells, too.
  std::array<Byte, 8192> news;
  while (::recv(netlink_.native_handle(), news.data(), news.size(), 0) > 0) {
  }
  co_return success();
}

}  // namespace oc::net
