// Lan: the local networks of this machine, to whose every member one can talk at once. The seam
// between multicast DNS and the sockets.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <vector>

#include "net/udp.hpp"

namespace oc::p2p {

// One interface in one version of IP: RFC 6762, section 20, takes the versions for separate links.
struct LinkId {
  unsigned interface = 0;
  bool v6 = false;

  auto operator<=>(const LinkId&) const = default;
};

struct Link {
  LinkId id;
  std::vector<asio::ip::address> addresses;  // the interface's, of both versions

  bool operator==(const Link&) const = default;
};

// Thread: the network thread.
class Lan {
 public:
  virtual ~Lan() = default;

  virtual std::vector<Link> links() const = 0;
  // To everybody on a link, this machine included; or to one who is there. Errors: Errc::not_found
  // when the link is gone, those of net::UdpSocket::send.
  virtual awaitable<Result<void>> send(LinkId link, std::optional<net::UdpAddress> to,
                                       Bytes message) = 0;

  // Somebody on a link said something to everybody.
  std::function<void(LinkId, const net::UdpAddress& from, BytesView message)> on_message =
      [](LinkId, const net::UdpAddress&, BytesView) {};
  // links() are others than before.
  std::function<void()> on_change = [] {};
};

}  // namespace oc::p2p
