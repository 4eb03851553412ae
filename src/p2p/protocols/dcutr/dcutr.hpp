// DCUtR: from a circuit to a direct connection, through the NATs of both sides (libp2p/specs
// relay/DCUtR.md), id /libp2p/dcutr.
//
//   B: was called over the circuit                   A: called
//     dials A's addresses, if A can be reached                        "connection reversal"
//     CONNECT, B's addresses             ──▶
//                                        ◀──     CONNECT, A's addresses     B measures a round trip
//     SYNC                               ──▶
//     waits half a round trip, dials             dials at once         both from the listen port
//
// The SYNs cross, and each opens its own NAT for the other: TCP then has one connection, with two
// ends that both called connect(). A is its client, for security and muxer, and B the server.
#pragma once

#include <functional>
#include <map>

#include "base/token_bucket.hpp"
#include "p2p/protocols/dcutr/dcutr_message.hpp"
#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

inline constexpr const char* kDcutrId = "/libp2p/dcutr";
inline constexpr StreamLimits kDcutrLimits{.all = 256, .of_peer = 2};
// Tries with an exchange of their own, before a pause (specification). In the last one the roles
// are the other way round: so had go-libp2p them before v0.41 (its issue 3171).
inline constexpr int kPunchTries = 3;
// Of a peer so near, half a round trip is nothing beside how late a busy machine may be. The first
// try then does without: our SYN has to be through our NAT before the other one comes, because a
// Linux NAT that remembers an earlier dial of the same ports is led astray by an answer to that.
inline constexpr Duration kNearRoundTrip = std::chrono::milliseconds(20);
// For an exchange, and for what the dials of one try may take.
inline constexpr Duration kDcutrTimeout = std::chrono::seconds(10);
inline constexpr Duration kPunchTimeout = std::chrono::seconds(4);
// What attempts that run out of time are given to end in.
inline constexpr Duration kEndOfAttempts = std::chrono::milliseconds(50);
// What identify says of the other side is waited for at most so long, and then a plain dial of it.
inline constexpr Duration kDcutrSettle = std::chrono::seconds(1);
inline constexpr Duration kReversalTimeout = std::chrono::seconds(2);
// After as many failures as tries the pause is this, and twice as long each time up to the second.
// So a path that is back is found after about as long as it was away.
inline constexpr Duration kPunchPause = std::chrono::seconds(10);
inline constexpr Duration kMaxPunchPause = std::chrono::minutes(30);
// Of peers that nobody vouched for, so many are punched or dialed in a row, and after that one in
// so long: whoever calls us over a relay says himself where he is, and may mean somebody else.
inline constexpr int kStrangerTries = 16;
inline constexpr Duration kStrangerInterval = std::chrono::seconds(5);
// A peer that was called may ask for so many tries in a row, and after that for one in so long:
// what it asks for by itself is kPunchTries at first.
inline constexpr int kAskedTries = 2 * kPunchTries;
inline constexpr Duration kAskedInterval = std::chrono::seconds(5);
// While there is a direct connection beside the circuit, it is looked whether it still stands.
inline constexpr Duration kDirectCheck = std::chrono::seconds(5);

struct DcutrOptions {
  // Under which addresses this node may be seen from outside, without /p2p.
  std::function<std::vector<codec::Multiaddr>()> addresses;
  // Whether to dial an address that the peer of this connection says is its own. By default a
  // public one, and of a peer that somebody vouched for any but loopback.
  std::function<bool(const Connection&, const codec::Multiaddr&)> may_dial;
};

struct DcutrCounters {
  std::uint64_t reversals = 0;           // direct connections by a plain dial
  std::uint64_t tries = 0, punched = 0;  // of holes, as B
};

// Lifetime: as long as the swarm, which is closed first. Thread: the network thread.
class Dcutr {
 public:
  Dcutr(Swarm& swarm, Clock& clock, DcutrOptions options);

  const DcutrCounters& counters() const { return counters_; }

 private:
  using Addresses = std::vector<codec::Multiaddr>;

  // As B, for as long as the circuit lives.
  awaitable<void> keep_direct(ConnectionPtr circuit);
  awaitable<bool> become_direct(ConnectionPtr circuit);
  awaitable<bool> reverse(ConnectionPtr circuit);
  // The first `attempt` is 1.
  awaitable<Result<void>> try_as_called(ConnectionPtr circuit, int attempt);
  // As A.
  awaitable<void> answer(ConnectionPtr circuit, std::unique_ptr<net::Stream> stream);
  awaitable<Result<Addresses>> answer_exchange(ConnectionPtr circuit, net::Stream& stream);

  // Dials all at once, and waits for the first to succeed.
  awaitable<Result<void>> dial_all(codec::PeerId peer, Addresses addresses, Direction role,
                                   Origin how, Duration limit);
  awaitable<void> dial_one(codec::PeerId peer, codec::Multiaddr address, Direction role, Origin how,
                           Duration limit, Event& done);
  Addresses usable(const Connection& circuit, const Addresses& claimed) const;
  // Takes a token for dialing what the peer says, if it needs one.
  bool may_try(const Connection& circuit);
  bool may_be_asked(const Connection& circuit);
  bool is_direct(const codec::PeerId& peer) const;
  // Both have called each other over circuits: the one with the smaller id goes on as B, lest their
  // dials get in each other's way.
  bool is_others_turn(const codec::PeerId& peer) const;

  Swarm& swarm_;
  Clock& clock_;
  DcutrOptions options_;
  DcutrCounters counters_;
  TokenBucket stranger_tries_{kStrangerInterval, kStrangerTries};
  std::map<ConnectionId, TokenBucket> asked_;  // of circuits that live
};

}  // namespace oc::p2p
