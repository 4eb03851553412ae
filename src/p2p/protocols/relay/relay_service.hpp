// The relay: hands circuits on between peers that cannot reach each other (libp2p/specs
// relay/circuit-v2.md).
//
//   source ── hop: CONNECT ──▶ relay ── stop: CONNECT ──▶ target, which has a reservation
//          ◀── STATUS OK ──         ◀── STATUS OK ──
//   and from then on bytes, both ways, of which the relay understands none
//
// Fellow members (Connection::trusted) are served without a limit on time or bytes; others only by
// a public relay, within the specification's limits. Nobody is served over a circuit.
#pragma once

#include <map>

#include "p2p/protocols/relay/relay_message.hpp"
#include "p2p/protocols/relay/reservation_table.hpp"
#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

// A request must have come, and the target have answered, within these (go's bounds).
inline constexpr Duration kHopTimeout = std::chrono::seconds(60);
inline constexpr Duration kStopTimeout = std::chrono::seconds(30);
// Requests and circuits: a stream of the source's lives as long as its circuit.
inline constexpr StreamLimits kHopLimits{.all = 8192, .of_peer = 2048};

struct RelayOptions {
  bool serve_strangers = false;
  // This node's addresses, told with each reservation, without /p2p.
  std::function<std::vector<codec::Multiaddr>()> addresses;
  ReservationLimits reservations = {};
  // Circuits: of members together (each costs two streams and what their windows hold), of
  // strangers together, and of one stranger as either end (go: 16).
  std::size_t circuits_of_members = 4096;
  std::size_t circuits_of_strangers = 256;
  std::size_t circuits_of_stranger = 16;
  // Of a circuit that has a stranger at an end: what the specification proposes.
  CircuitLimit stranger_limit{std::chrono::minutes(2), 128 * 1024};
};

struct RelayCounters {
  std::uint64_t reservations = 0, reservations_refused = 0;  // asked for
  std::uint64_t circuits = 0, circuits_refused = 0, circuits_failed = 0;
  std::uint64_t bytes = 0;  // carried, both ways together
};

// Lifetime: as long as the swarm, which is closed first. Thread: the network thread.
class RelayService {
 public:
  RelayService(Swarm& swarm, Clock& clock, RelayOptions options);

  // Offers the protocol, or no longer: reservations end then, circuits go on.
  void serve(bool on);
  bool serving() const { return serving_; }
  // Whether peers that nobody vouched for are served, too.
  bool serves_strangers() const { return options_.serve_strangers; }
  // The peer has a reservation, or is an end of a circuit.
  bool serves(const codec::PeerId& peer) const;
  std::size_t reservations() const { return reservations_.size(); }
  std::size_t circuits() const { return circuits_.size(); }
  const RelayCounters& counters() const { return counters_; }

 private:
  struct Circuit {
    codec::PeerId source;
    codec::PeerId target;
    bool of_members = false;
  };
  class Running;

  awaitable<void> answer(ConnectionPtr connection, std::unique_ptr<net::Stream> stream);
  HopMessage reserve(const Connection& connection);
  awaitable<void> connect(ConnectionPtr source, std::unique_ptr<net::Stream> stream,
                          codec::PeerId to);
  awaitable<Result<std::unique_ptr<net::Stream>>> reach(ConnectionPtr target, codec::PeerId source,
                                                        std::optional<CircuitLimit> limit);
  awaitable<void> carry(std::unique_ptr<net::Stream> source, std::unique_ptr<net::Stream> target,
                        std::optional<CircuitLimit> limit);
  bool may_be_served(const Connection& connection) const;
  // Where to reach a peer: on the connection on which it asked last to be reached. An older one may
  // be dead, and nobody has noticed yet.
  ConnectionPtr connection_for(const codec::PeerId& peer) const;
  void end_reservation(const codec::PeerId& peer);
  bool has_room(const Circuit& circuit) const;

  Swarm& swarm_;
  Clock& clock_;
  RelayOptions options_;
  bool serving_ = false;
  ReservationTable reservations_;
  std::map<codec::PeerId, ConnectionId> reserved_on_;  // of those that are connected
  std::map<std::uint64_t, Circuit> circuits_;
  std::uint64_t next_circuit_ = 1;
  RelayCounters counters_;
};

}  // namespace oc::p2p
