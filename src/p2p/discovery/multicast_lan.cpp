#include "p2p/discovery/multicast_lan.hpp"

#include "base/log.hpp"
#include "p2p/discovery/mdns_message.hpp"

namespace oc::p2p {
namespace {

net::UdpAddress group_of(LinkId link) {
  if (link.v6) return {asio::ip::make_address("ff02::fb"), kMdnsPort};
  return {asio::ip::make_address("224.0.0.251"), kMdnsPort};
}

}  // namespace

void MulticastLan::start() {
  refresh();
  tasks_.spawn("watch interfaces", watch());
}

awaitable<void> MulticastLan::close() {
  co_await tasks_.close();
  members_.clear();
}

std::vector<Link> MulticastLan::links() const {
  std::vector<Link> out;
  for (const auto& [id, member] : members_) out.push_back({id, member.addresses});
  return out;
}

awaitable<Result<void>> MulticastLan::send(LinkId link, std::optional<net::UdpAddress> to,
                                           Bytes message) {
  const auto found = members_.find(link);
  if (found == members_.end()) co_return Errc::not_found;
  const std::shared_ptr<net::UdpSocket> socket = found->second.socket;
  co_return co_await socket->send(message, to.value_or(group_of(link)));
}

void MulticastLan::refresh() {
  const auto before = links();
  std::map<unsigned, net::Interface> present;
  for (net::Interface& interface : net::multicast_interfaces())
    present[interface.index] = std::move(interface);
  std::erase_if(members_, [&present](const auto& entry) {
    if (present.contains(entry.first.interface)) return false;
    entry.second.socket->close();
    return true;
  });
  for (const auto& [index, interface] : present) {
    join({index, false}, interface);
    join({index, true}, interface);
  }
  if (links() != before) on_change();
}

void MulticastLan::join(LinkId id, const net::Interface& interface) {
  if (const auto found = members_.find(id); found != members_.end()) {
    found->second.addresses = interface.addresses;
    return;
  }
  if (members_.size() >= kMaxLinks) return;
  auto socket = net::UdpSocket::join(tasks_.executor(), group_of(id), id.interface);
  if (!socket && socket.error() == boost::system::errc::address_in_use) {
    log::warn("members on the LAN are not found: another program keeps UDP port {} to itself",
              kMdnsPort);
    return;
  }
  if (!socket) {
    log::debug("no mDNS by {} on interface {}: {}", id.v6 ? "IPv6" : "IPv4", id.interface,
               socket.error().message());
    return;
  }
  auto shared = std::make_shared<net::UdpSocket>(*std::move(socket));
  members_[id] = {shared, interface.addresses};
  tasks_.spawn("hear multicast", hear(id, shared));
}

awaitable<void> MulticastLan::watch() {
  auto watch = net::InterfaceWatch::open(tasks_.executor());
  if (!watch) {
    log::warn("changes of the network interfaces go unnoticed: {}", watch.error().message());
    co_return;
  }
  for (;;) {
    if (auto changed = co_await watch->changed(); !changed) co_return;
    if (auto slept = co_await clock_.sleep_for(kLinksSettle); !slept) co_return;
    refresh();
  }
}

awaitable<void> MulticastLan::hear(LinkId link, std::shared_ptr<net::UdpSocket> socket) {
  Bytes message(kMaxMdnsMessage);
  for (;;) {
    auto received = co_await socket->receive(message);
    if (!received) break;
    on_message(link, received->from, BytesView(message).first(received->size));
  }
  // Unless it was closed because the link is gone: then refresh() may join it again.
  const auto found = members_.find(link);
  if (found != members_.end() && found->second.socket == socket) members_.erase(found);
}

}  // namespace oc::p2p
