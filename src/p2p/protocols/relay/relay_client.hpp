// Circuits, seen from their ends (libp2p/specs relay/circuit-v2.md): reservations at relays, the
// circuits that come in because of them, and circuits to others.
#pragma once

#include <functional>
#include <set>

#include "p2p/protocols/relay/relay_message.hpp"
#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

// How long a reservation may last: a shorter one would be taken, and told to everybody in a new
// record, all the time; a longer one is taken for so long (go's relays give an hour).
inline constexpr Duration kLeastReservation = std::chrono::minutes(1);
inline constexpr Duration kMostReservation = std::chrono::hours(1);
// A relay must have answered within this time; to a request for a circuit it may first have to
// reach the other end.
inline constexpr Duration kReserveTimeout = std::chrono::seconds(10);
inline constexpr Duration kCircuitTimeout = std::chrono::seconds(10);
// Circuits that one relay hands over, being agreed on at once.
inline constexpr StreamLimits kStopLimits{.all = 8192, .of_peer = 2048};

// Lifetime: as long as the swarm, whose dialer of circuits it is. Thread: the network thread.
class RelayClient {
 public:
  RelayClient(Swarm& swarm, Clock& clock);

  // Waited for before a relay is asked for a circuit, on a connection to it that may be new: a
  // private network's relay serves those only that have proved to be members.
  std::function<awaitable<Result<void>>(ConnectionPtr relay)> ready;

  // What lasts shorter is refused as bad.
  Duration least_reservation = kLeastReservation;

  // Asks for a reservation, or renews the one there is: this node is then to be had through the
  // relay, until it expires, within kMostReservation, or the last direct connection to the relay
  // ends. Errors:
  // P2pErrc::relay_refused, ::relay_full, ::bad_reservation, Errc::timed_out, the stream's.
  awaitable<Result<Reservation>> reserve(ConnectionPtr relay);
  // Takes no more circuits of the relay, which has said that it relays no more.
  void release(const codec::PeerId& relay) { reserved_.erase(relay); }
  // Whether reserve() succeeded, and the relay is still connected.
  bool reserved(const codec::PeerId& relay) const { return reserved_.contains(relay); }

 private:
  awaitable<Result<RawConnection>> connect(codec::PeerId peer, codec::Multiaddr address);
  awaitable<Result<RawConnection>> ask_for_circuit(ConnectionPtr relay, codec::PeerId peer);
  awaitable<void> take_circuit(ConnectionPtr relay, std::unique_ptr<net::Stream> stream);
  Result<void> check(const Reservation& reservation, const codec::PeerId& relay) const;

  Swarm& swarm_;
  Clock& clock_;
  std::set<codec::PeerId> reserved_;
};

// The connection to ask for circuits: direct, and alive. Null when there is none.
ConnectionPtr direct_connection(const Swarm& swarm, const codec::PeerId& peer);

}  // namespace oc::p2p
