// MulticastLan: the Lan of multicast DNS, by a socket for each of this machine's links.
//
// Groups and port: RFC 6762, section 3.
#pragma once

#include <map>
#include <memory>

#include "base/clock.hpp"
#include "net/interfaces.hpp"
#include "p2p/discovery/lan.hpp"

namespace oc::p2p {

// A machine may have hundreds of virtual interfaces; the first links are used.
inline constexpr std::size_t kMaxLinks = 32;
// Changes of the interfaces come in swarms; they are looked at after so long.
inline constexpr Duration kLinksSettle = std::chrono::seconds(1);

// Lifetime: close() before destruction, once started.
class MulticastLan final : public Lan {
 public:
  MulticastLan(Executor executor, Clock& clock) : clock_(clock), tasks_(std::move(executor)) {}

  // Joins on all links there are, and follows the interfaces as they come and go. A link that
  // cannot be joined is left out.
  void start();
  awaitable<void> close();

  std::vector<Link> links() const override;
  awaitable<Result<void>> send(LinkId link, std::optional<net::UdpAddress> to,
                               Bytes message) override;

 private:
  struct Member {
    std::shared_ptr<net::UdpSocket> socket;  // shared with hear() and sends that are under way
    std::vector<asio::ip::address> addresses;
  };
  void refresh();
  void join(LinkId id, const net::Interface& interface);
  awaitable<void> watch();
  awaitable<void> hear(LinkId link, std::shared_ptr<net::UdpSocket> socket);

  Clock& clock_;
  std::map<LinkId, Member> members_;
  TaskScope tasks_;
};

}  // namespace oc::p2p
