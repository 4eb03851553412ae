// RelayKeeper: keeps reservations at relays for a node that others cannot reach, so that it always
// has the address of a circuit or two.
//
// Relays are taken from the peers that are connected, directly: those that offer the protocol and
// that `may_relay` takes. Reservations are renewed before they expire; one that is lost is replaced
// at once where there is another relay, and else as soon as one comes.
#pragma once

#include <functional>
#include <map>

#include "p2p/protocols/relay/relay_client.hpp"

namespace oc::p2p {

// One may go at any time, so there are two.
inline constexpr std::size_t kWantedRelays = 2;
// Reservations are renewed when so much of their time is left, but a quarter of short ones.
inline constexpr Duration kRenewBefore = std::chrono::minutes(10);
// A relay that refused is left alone for so long, longer with every time, up to the second.
inline constexpr Duration kRelayBackoff = std::chrono::seconds(5);
inline constexpr Duration kMaxRelayBackoff = std::chrono::minutes(10);
// Things are looked at that often, and whenever connections come and go.
inline constexpr Duration kRelayTick = std::chrono::seconds(2);
// Addresses of one relay that are told to others.
inline constexpr std::size_t kMaxCircuitsOfRelay = 4;

struct RelayKeeperOptions {
  // Whether circuits are needed now.
  std::function<bool()> needed = [] { return true; };
  std::function<bool(const Connection&)> may_relay = [](const Connection& connection) {
    return connection.trusted();
  };
  // addresses() changed.
  std::function<void()> changed = [] {};
};

struct HeldReservation {
  codec::PeerId relay;
  WallTime expires{};
  std::vector<codec::Multiaddr> circuits;  // without /p2p of this node
};

// Lifetime: as long as the swarm, which is closed after it. Thread: the network thread.
class RelayKeeper {
 public:
  RelayKeeper(Swarm& swarm, RelayClient& client, Clock& clock, RelayKeeperOptions options);

  void start();
  awaitable<void> close() { return tasks_.close(); }
  // Something that `needed` or `may_relay` depend on has changed.
  void look() { wake_.set(); }

  std::vector<HeldReservation> reservations() const;
  // Of all circuits, best first: without /p2p of this node.
  std::vector<codec::Multiaddr> addresses() const;

 private:
  struct Held {
    HeldReservation reservation;
    TimePoint renew{};
  };
  struct Refused {
    TimePoint until{};
    Duration wait{};
  };

  awaitable<void> run();
  // The relay to ask next, if one is to be asked now.
  ConnectionPtr choose() const;
  bool is_candidate(const Connection& connection) const;
  // Whether a connected relay says that it is none any more, and nothing else on any connection.
  bool has_stopped(const codec::PeerId& relay) const;
  void forget_lost();
  void take(const Connection& relay, Reservation reservation);
  void refused(const codec::PeerId& relay);

  Swarm& swarm_;
  RelayClient& client_;
  Clock& clock_;
  RelayKeeperOptions options_;
  std::map<codec::PeerId, Held> held_;
  std::map<codec::PeerId, Refused> refused_;
  Event wake_;
  TaskScope tasks_;
};

}  // namespace oc::p2p
