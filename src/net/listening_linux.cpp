#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "net/listening.hpp"

namespace oc::net {
namespace {

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

bool send_request(int fd, int family, std::uint16_t port) {
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = static_cast<__u8>(family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = 1u << TCP_LISTEN;
  request.body.id.idiag_sport = htons(port);
  return ::send(fd, &request, sizeof request, 0) == sizeof request;
}

// Whether the socket of an IPv6 address takes no IPv4 (told for every listener).
bool v6_only(const nlmsghdr* message) {
  auto* listener = static_cast<inet_diag_msg*>(NLMSG_DATA(message));
  auto left = static_cast<int>(message->nlmsg_len - NLMSG_LENGTH(sizeof *listener));
  for (auto* told = reinterpret_cast<rtattr*>(listener + 1); RTA_OK(told, left);
       told = RTA_NEXT(told, left)) {
    if (told->rta_type == INET_DIAG_SKV6ONLY) return *static_cast<const Byte*>(RTA_DATA(told)) != 0;
  }
  return false;
}

// A listener on the same address, or on the wildcard (an IPv6 wildcard may take IPv4 as well).
bool takes(const nlmsghdr* message, const asio::ip::address& at) {
  const auto* listener = static_cast<const inet_diag_msg*>(NLMSG_DATA(message));
  const auto* source = reinterpret_cast<const Byte*>(listener->id.idiag_src);
  const bool v6 = listener->idiag_family == AF_INET6;
  const std::size_t size = v6 ? 16 : 4;
  const bool any = std::all_of(source, source + size, [](Byte b) { return b == 0; });
  if (any) return v6 == at.is_v6() || (v6 && !v6_only(message));
  if (v6 != at.is_v6()) return false;
  return v6 ? std::memcmp(source, at.to_v6().to_bytes().data(), size) == 0
            : std::memcmp(source, at.to_v4().to_bytes().data(), size) == 0;
}

std::optional<bool> ask(int fd, int family, const TcpAddress& at) {
  if (!send_request(fd, family, at.port())) return std::nullopt;
  bool found = false;
  alignas(nlmsghdr) std::array<Byte, 16 * 1024> answer;
  for (;;) {
    const ssize_t got = ::recv(fd, answer.data(), answer.size(), 0);
    if (got <= 0) return std::nullopt;
    auto left = static_cast<unsigned>(got);
    for (auto* message = reinterpret_cast<nlmsghdr*>(answer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type == NLMSG_DONE) return found;
      if (message->nlmsg_type == NLMSG_ERROR) return std::nullopt;
      found = found || takes(message, at.address());
    }
  }
}

}  // namespace

std::optional<bool> is_listening(const TcpAddress& at) {
  const int fd = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return std::nullopt;
  auto found = at.address().is_v4() ? ask(fd, AF_INET, at) : std::optional<bool>(false);
  if (found == false) found = ask(fd, AF_INET6, at);
  ::close(fd);
  return found;
}

}  // namespace oc::net
