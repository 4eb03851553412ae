#include "overlay/own_record.hpp"

#include <algorithm>

namespace oc::overlay {
namespace {

// From how far an address can be reached; less is farther.
constexpr int kLoopbackRank = 4;
int rank(const codec::Multiaddr& address) {
  switch (address.scope()) {
    case codec::AddressScope::public_internet: return 0;
    case codec::AddressScope::shared_cgnat: return 1;
    case codec::AddressScope::private_use: return 2;
    case codec::AddressScope::link_local: return 3;
    default: return kLoopbackRank;
  }
}

}  // namespace

OwnRecord::OwnRecord(p2p::Host& host, Members& members, Sync& sync, const p2p::RelayKeeper& relays,
                     Clock& clock, OwnRecordOptions options,
                     std::function<void(std::uint64_t)> seq_used)
    : host_(host),
      members_(members),
      sync_(sync),
      relays_(relays),
      clock_(clock),
      options_(std::move(options)),
      seq_used_(std::move(seq_used)) {}

std::vector<codec::Multiaddr> OwnRecord::addresses() const {
  std::vector<codec::Multiaddr> addresses = options_.announce;
  const auto add = [&addresses](const codec::Multiaddr& address) {
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  };
  if (const auto mapped = options_.mapped()) add(*mapped);
  std::ranges::for_each(host_.identify().external_addresses(), add);
  if (options_.announce.empty()) {
    auto listening = host_.swarm().listen_addresses();
    std::ranges::stable_sort(listening, {}, rank);
    if (listening.size() > kMaxInterfaceAddresses) listening.resize(kMaxInterfaceAddresses);
    std::ranges::for_each(listening, add);
  }
  const auto circuits = relays_.addresses();
  if (!circuits.empty())
    std::erase_if(addresses, [this](const auto& address) { return is_useless(address); });
  std::ranges::for_each(circuits, add);
  // Loopback leads a peer on another machine to itself; it is told only where there is nothing
  // else.
  const auto is_loopback = [](const auto& address) { return rank(address) == kLoopbackRank; };
  if (!std::ranges::all_of(addresses, is_loopback)) std::erase_if(addresses, is_loopback);
  return addresses;
}

bool OwnRecord::is_useless(const codec::Multiaddr& address) const {
  const auto& announced = options_.announce;
  return std::ranges::find(announced, address) == announced.end() &&
         address.scope() == codec::AddressScope::public_internet && options_.unreachable(address);
}

BootstrapPeer OwnRecord::bootstrap() const {
  BootstrapPeer out{host_.swarm().self(), {}};
  for (const auto& address : addresses()) out.addresses.push_back(address.with_peer(out.id));
  return out;
}

void OwnRecord::refresh() {
  const codec::PeerId& self = host_.swarm().self();
  NodeRecord record;
  record.peer = self;
  record.addresses = addresses();
  record.name = options_.node_name;
  record.version = options_.version;
  record.issued = clock_.wall_now();
  if (record_) {
    const bool moved = record.addresses != issued_addresses_;
    // A clock that was put back leaves a record that others take for one of the future.
    const Duration age = record.issued - record_->record.issued;
    if (!moved && age >= Duration{0} && age < kRecordRefresh) return;
    if (moved) host_.identify().changed();
  }
  issued_addresses_ = record.addresses;
  // The clock is a floor, so that a store that lost the last seq does not make us repeat one.
  const auto floor = static_cast<std::uint64_t>(unix_milliseconds(record.issued));
  record.seq = std::max(options_.last_seq + 1, floor);
  options_.last_seq = record.seq;
  seq_used_(record.seq);
  record_ = seal_record(host_.swarm().identity(), std::move(record));
  for (const auto& [id, network] : members_.networks()) {
    (void)members_.book(id).put(*record_);
    sync_.push(id, {self}, self);
  }
}

}  // namespace oc::overlay
