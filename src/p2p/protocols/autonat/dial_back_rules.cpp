#include "p2p/protocols/autonat/dial_back_rules.hpp"

#include <algorithm>

namespace oc::p2p {
namespace {

using codec::AddressScope;
using codec::Multiaddr;
using codec::TcpEndpoint;

constexpr Byte kMappedIp4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // ::ffff:0:0/96

bool same_ip(const TcpEndpoint& a, const TcpEndpoint& b) {
  return a.v6 == b.v6 && a.address == b.address;
}

bool carries_ip4(const TcpEndpoint& at) {
  return at.v6 && equal(BytesView(at.address).first(12), kMappedIp4);
}

bool is_local_network(AddressScope scope) {
  return scope == AddressScope::private_use || scope == AddressScope::shared_cgnat;
}

bool scope_allows(AddressScope scope, const DialBackAsker& asker, const DialBackGround& ground) {
  if (scope == AddressScope::public_internet) return true;
  if (ground.allow_local) return scope != AddressScope::unspecified;
  return asker.trusted && is_local_network(scope) && asker.remote.scope() == scope;
}

// Whether there is a way from here to this kind of address.
bool can_reach(bool v6, const DialBackGround& ground) {
  if (ground.allow_local) return true;
  return std::ranges::any_of(ground.own, [v6](const Multiaddr& own) {
    const auto at = own.tcp_endpoint();
    if (!at || at->v6 != v6) return false;
    const AddressScope scope = own.scope();
    // Behind IPv4's NAT lies the internet; behind a local IPv6 address nothing does.
    return v6 ? scope == AddressScope::public_internet : scope != AddressScope::loopback;
  });
}

bool is_own_host(const TcpEndpoint& at, const DialBackGround& ground) {
  if (ground.allow_local) return false;
  return std::ranges::any_of(ground.own, [&at](const Multiaddr& own) {
    const auto mine = own.tcp_endpoint();
    return mine && same_ip(*mine, at);
  });
}

bool may_dial(const Multiaddr& address, const DialBackAsker& asker, const DialBackGround& ground) {
  if (const auto named = address.peer_id(); named && *named != asker.peer) return false;
  const auto at = address.tcp_endpoint();
  if (!at || at->port == 0 || carries_ip4(*at) || !at->zone.empty()) return false;
  return scope_allows(address.scope(), asker, ground) && can_reach(at->v6, ground) &&
         !is_own_host(*at, ground);
}

}  // namespace

std::optional<DialBackPlan> plan_dial_back(const std::vector<Multiaddr>& asked,
                                           const DialBackAsker& asker,
                                           const DialBackGround& ground) {
  const auto seen = asker.remote.tcp_endpoint();
  if (!seen) return std::nullopt;  // it came through a relay
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!may_dial(asked[i], asker, ground)) continue;
    return DialBackPlan{i, asked[i].without_peer(), !same_ip(*asked[i].tcp_endpoint(), *seen)};
  }
  return std::nullopt;
}

std::vector<Multiaddr> plan_v1_dials(const std::vector<Multiaddr>& asked,
                                     const DialBackAsker& asker, const DialBackGround& ground) {
  std::vector<Multiaddr> out;
  const auto seen = asker.remote.tcp_endpoint();
  if (!seen) return out;
  DialBackAsker stranger = asker;
  stranger.trusted = false;  // v1 dials no local network, whoever asks
  for (const Multiaddr& address : asked) {
    if (out.size() == kMaxV1Dials) break;
    const auto wanted = address.tcp_endpoint();
    if (!wanted) continue;
    TcpEndpoint at = *seen;
    at.port = wanted->port;
    const Multiaddr moved = Multiaddr::from_tcp(at);
    if (std::ranges::find(out, moved) != out.end()) continue;
    if (may_dial(moved, stranger, ground)) out.push_back(moved);
  }
  return out;
}

}  // namespace oc::p2p
