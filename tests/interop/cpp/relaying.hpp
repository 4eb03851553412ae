// The two ends of a reservation: a peer that relays, and one that is to be had through a relay.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cases.hpp"
#include "p2p/nat/relay_keeper.hpp"
#include "peer.hpp"

namespace oc::interop {

// What `relay` reads from its options: `lifetime`, and a limit when one is given.
Verdict<p2p::RelayOptions> relay_options(const std::map<std::string, double>& options);
// All are members then, whose circuits have no limit.
void trust_everybody(Peer& peer);

// Keeps a reservation at one relay, and renews it. Lifetime: as long as the peer.
class Reserved {
 public:
  Reserved(Peer& peer, Clock& clock);

  // Connects to the relay; gives the first reservation.
  awaitable<Verdict<Json>> start(std::string relay);
  // Is called with each reservation after that.
  void on_renewal(std::function<void(Json)> tell);
  // Of the circuits, each with the peer id at its end.
  std::vector<std::string> addresses() const;
  awaitable<void> close();

 private:
  awaitable<void> watch(std::function<void(Json)> tell);
  Json described(const p2p::HeldReservation& reservation) const;

  Peer& peer_;
  Clock& clock_;
  p2p::RelayKeeper keeper_;
  WallTime told_{};  // the expiry of the last one
  TaskScope tasks_;
};

}  // namespace oc::interop
