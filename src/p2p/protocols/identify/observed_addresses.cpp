#include "p2p/protocols/identify/observed_addresses.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "p2p/protocols/identify/identify_message.hpp"

namespace oc::p2p {
namespace {

using codec::AddressScope;
using codec::Multiaddr;
using codec::Protocol;

constexpr Byte kNat64[12] = {0x00, 0x64, 0xff, 0x9b};               // 64:ff9b::/96, RFC 6052
constexpr Byte kLocalNat64[6] = {0x00, 0x64, 0xff, 0x9b, 0x00, 1};  // 64:ff9b:1::/48, RFC 8215
// A customer with IPv6 mostly has a /56.
constexpr std::size_t kPlaceBytesOfIp6 = 7;

bool starts_with(BytesView bytes, BytesView prefix) {
  return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

bool is_behind_nat64(const Multiaddr& address) {
  const auto components = address.components();
  if (components.empty() || components.front().code != Protocol::ip6) return false;
  const BytesView ip = components.front().value;
  return starts_with(ip, kNat64) || starts_with(ip, kLocalNat64);
}

// Both are an IP address and a port of the same protocols.
bool same_protocols(const Multiaddr& one, const Multiaddr& other) {
  const auto a = one.components();
  const auto b = other.components();
  return std::ranges::equal(a, b, {}, &Multiaddr::Component::code, &Multiaddr::Component::code);
}

bool has_port(const Multiaddr& address) {
  const auto components = address.components();
  if (components.size() < 2) return false;
  const BytesView port = components[1].value;
  return port.size() == 2 && get_be16(port.data()) != 0;
}

bool proves_something(const Observation& seen) {
  if (!seen.at_listen_port || seen.observed == seen.local) return false;
  if (seen.remote.has(Protocol::p2p_circuit) || is_behind_nat64(seen.remote)) return false;
  if (seen.remote.scope() == AddressScope::loopback) return false;
  const AddressScope scope = seen.observed.scope();
  if (scope == AddressScope::loopback || scope == AddressScope::link_local) return false;
  return is_told_over(seen.observed, seen.remote) && same_protocols(seen.observed, seen.local) &&
         has_port(seen.observed);
}

// Who says that an address is ours.
class Votes {
 public:
  void add(const Observation& seen, const std::string& place, bool live) {
    all_.add(seen.observer, place);
    if (seen.trusted) trusted_.add(seen.observer, place);
    if (live) live_.add(seen.observer, place);
  }
  bool enough(const ObserversNeeded& needed) const {
    return all_.count() >= needed.any || trusted_.count() >= needed.trusted;
  }
  // Those that see us now come first: after a change of addresses they know better.
  auto rank() const { return std::tuple(live_.count(), all_.count()); }

 private:
  // One peer in two places is one observer, and so are two peers in one place.
  class Observers {
   public:
    void add(const codec::PeerId& peer, const std::string& place) {
      peers_.insert(peer);
      places_.insert(place);
    }
    std::size_t count() const { return std::min(peers_.size(), places_.size()); }

   private:
    std::set<codec::PeerId> peers_;
    std::set<std::string> places_;
  };

  Observers all_;
  Observers trusted_;
  Observers live_;
};

}  // namespace

std::string place_of(const Multiaddr& remote) {
  const auto components = remote.components();
  if (components.empty()) return {};
  const BytesView ip = components.front().value;
  switch (components.front().code) {
    case Protocol::ip4: return std::string(as_text(ip));
    case Protocol::ip6: return std::string(as_text(ip.first(kPlaceBytesOfIp6)));
    default: return {};
  }
}

void ObservedAddresses::observe(ConnectionId connection, Observation observation, TimePoint now) {
  entries_.erase(connection);
  if (!proves_something(observation)) return;
  std::string place = place_of(observation.remote);
  if (place.empty()) return;
  std::erase_if(entries_, [&](const auto& item) {
    const Entry& entry = item.second;
    return entry.ended && entry.place == place && entry.observation.local == observation.local;
  });
  make_room(now);
  if (entries_.size() >= kMaxObservations) return;
  entries_[connection] = Entry{std::move(observation), std::move(place), std::nullopt};
}

void ObservedAddresses::make_room(TimePoint now) {
  std::erase_if(entries_, [now](const auto& item) { return item.second.expired(now); });
  if (entries_.size() < kMaxObservations) return;
  // The one of a stranger that ended first, or else of a trusted peer; strangers must not be able
  // to drive out those.
  auto worst = entries_.end();
  const auto order = [](const Entry& e) { return std::tuple(e.observation.trusted, *e.ended); };
  for (auto item = entries_.begin(); item != entries_.end(); ++item) {
    if (!item->second.ended) continue;
    if (worst == entries_.end() || order(item->second) < order(worst->second)) worst = item;
  }
  if (worst != entries_.end()) entries_.erase(worst);
}

void ObservedAddresses::trust(ConnectionId connection) {
  auto found = entries_.find(connection);
  if (found != entries_.end()) found->second.observation.trusted = true;
}

void ObservedAddresses::ended(ConnectionId connection, TimePoint now) {
  auto found = entries_.find(connection);
  if (found != entries_.end()) found->second.ended = now;
}

std::vector<Multiaddr> ObservedAddresses::agreed_on(ObserversNeeded needed, TimePoint now) const {
  std::map<Multiaddr, std::map<Multiaddr, Votes>> by_local;
  for (const auto& [connection, entry] : entries_) {
    if (entry.expired(now)) continue;
    const Observation& seen = entry.observation;
    by_local[seen.local][seen.observed].add(seen, entry.place, !entry.ended);
  }
  std::vector<Multiaddr> out;
  for (const auto& [local, seen_as] : by_local) {
    std::vector<std::pair<decltype(Votes().rank()), Multiaddr>> found;
    for (const auto& [observed, votes] : seen_as) {
      if (votes.enough(needed)) found.emplace_back(votes.rank(), observed);
    }
    std::ranges::stable_sort(found, std::greater(), [](const auto& f) { return f.first; });
    if (found.size() > kMaxExternalAddresses) found.resize(kMaxExternalAddresses);
    for (auto& [rank, address] : found) {
      if (std::ranges::find(out, address) == out.end()) out.push_back(std::move(address));
    }
  }
  return out;
}

}  // namespace oc::p2p
