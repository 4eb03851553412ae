// ReservationTable: to whom a relay has promised to relay. Pure state.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "codec/peer_id.hpp"

namespace oc::p2p {

struct ReservationLimits {
  // Fellow members: as many as a swarm has connections. One costs its connection, and 200 bytes.
  std::size_t members = 2048;
  // Others, together and from one source address (go: 128 and 8).
  std::size_t strangers = 128;
  std::size_t strangers_of_source = 8;
  Duration lifetime = std::chrono::hours(1);
};

class ReservationTable {
 public:
  explicit ReservationTable(ReservationLimits limits = {}) : limits_(limits) {}

  // Until when; nothing when there is no room. Renews one that exists. `source` tells a stranger's
  // address from others'.
  std::optional<TimePoint> reserve(const codec::PeerId& peer, bool member,
                                   const std::string& source, TimePoint now);
  bool has(const codec::PeerId& peer, TimePoint now) const;
  void end(const codec::PeerId& peer) { entries_.erase(peer); }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    bool member = false;
    std::string source;
    TimePoint until{};
  };

  bool has_room(bool member, const std::string& source) const;

  ReservationLimits limits_;
  std::map<codec::PeerId, Entry> entries_;
};

}  // namespace oc::p2p
