// OwnRecord: what this node tells others of itself.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "overlay/bootstrap_string.hpp"
#include "overlay/sync.hpp"
#include "p2p/host.hpp"
#include "p2p/nat/relay_keeper.hpp"

namespace oc::overlay {

// A record is made anew after this time, though nothing in it changed.
inline constexpr Duration kRecordRefresh = std::chrono::hours(24);
// Addresses of interfaces that are told to others: a record must have room for the circuits, too.
inline constexpr std::size_t kMaxInterfaceAddresses = 16;

struct OwnRecordOptions {
  std::string node_name;
  std::string version;
  // Told to others instead of the interfaces' addresses, when not empty, and before those that
  // peers observe. Without /p2p.
  std::vector<codec::Multiaddr> announce;
  std::uint64_t last_seq = 0;  // the largest seq that this node ever used for its record
  // An address that a router maps to this node; told behind `announce`. Without /p2p.
  std::function<std::optional<codec::Multiaddr>()> mapped = [] { return std::nullopt; };
  // Whether others are known not to reach this node at an address.
  std::function<bool(const codec::Multiaddr&)> unreachable = [](const auto&) { return false; };
};

// Lifetime: as long as what it is given. Thread: the network thread.
class OwnRecord {
 public:
  // `seq_used` is told of each number before it goes out.
  OwnRecord(p2p::Host& host, Members& members, Sync& sync, const p2p::RelayKeeper& relays,
            Clock& clock, OwnRecordOptions options, std::function<void(std::uint64_t)> seq_used);

  // See Overlay::own_addresses.
  std::vector<codec::Multiaddr> addresses() const;
  BootstrapPeer bootstrap() const;

  // Makes a new record, and sends it out, if the last one is old or its addresses are not those of
  // now.
  void refresh();

 private:
  bool is_useless(const codec::Multiaddr& address) const;

  p2p::Host& host_;
  Members& members_;
  Sync& sync_;
  const p2p::RelayKeeper& relays_;
  Clock& clock_;
  OwnRecordOptions options_;
  std::function<void(std::uint64_t)> seq_used_;
  std::optional<SealedRecord> record_;
  std::vector<codec::Multiaddr> issued_addresses_;  // all that the record was made for
};

}  // namespace oc::overlay
