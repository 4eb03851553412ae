// Dialer: gets a connection to a peer over whichever of its addresses answers first.
//
// One dial to a peer is under way at a time; who asks meanwhile joins it, and new addresses join
// the race. Which address starts when: dial_ranker.hpp; which are left alone: dial_backoff.hpp.
// Names in addresses are looked up meanwhile (address_resolver.hpp); what they stand for joins,
// too.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "p2p/swarm/address_resolver.hpp"
#include "p2p/swarm/attempt_log.hpp"
#include "p2p/swarm/connection.hpp"
#include "p2p/swarm/dial_backoff.hpp"
#include "p2p/swarm/dial_ranker.hpp"

namespace oc::p2p {

// One address must have led to a peer with a muxer within this time.
inline constexpr Duration kDialTimeout = std::chrono::seconds(10);
// Attempts under way for one peer (go's bound); the next waits for one to fail.
inline constexpr std::size_t kMaxAttemptsAtOnce = 8;

struct DialOptions {
  // Dial addresses that wait for their back-off, too. For callers that pace their dials themselves.
  bool force = false;
};

// Which port an attempt comes from.
//
// From the listening port, what the peer observes of us is worth something. But a peer that has
// circuits is behind a NAT: a dial that it drops would leave the pair of both sides' listening
// ports in use, here and in the NATs, and that is the one that hole punching needs. If both sides
// do so at once, they even connect, and both take themselves for the client.
enum class SourcePort { listening, any };

struct DialCounters {
  std::uint64_t dials = 0, failed = 0, backed_off = 0;
};

class Dialer {
 public:
  using Connect =
      std::function<awaitable<Result<ConnectionPtr>>(codec::PeerId, codec::Multiaddr, SourcePort)>;

  // `connect` makes a connection over one address; it is given kDialTimeout, then cancelled.
  // Without a resolver (null) names are never found. What was tried goes to the log. All that is
  // given outlives the dialer.
  Dialer(Executor executor, Clock& clock, net::Resolver* resolver, Dialable dialable,
         Connect connect, AttemptLog& log);

  // The next address starts when its time has come, or as soon as one failed. Errors:
  // P2pErrc::no_addresses (none was given), Errc::unsupported (none is dialable),
  // P2pErrc::dial_backoff (all that are failed lately), P2pErrc::name_not_resolved, Errc::closed,
  // or what the last address said. A caller who is cancelled leaves; the dial goes on.
  awaitable<Result<ConnectionPtr>> dial(codec::PeerId peer, std::vector<codec::Multiaddr> addresses,
                                        DialOptions options);

  // The peer came to us meanwhile: a dial to it ends with this connection. What it had under way
  // would be in the way of hole punching, should this be a circuit.
  void came(const ConnectionPtr& connection);

  // A connection that was dialed has ended. What is known against a peer's addresses is forgotten
  // only now, if the peer has said anything: the dialer's handshake ends before the peer has judged
  // us, and one that hangs up without a word is left alone like one that never answered.
  void ended(const Connection& connection, error_code why);

  // Ends all dials; those who wait get Errc::cancelled.
  awaitable<void> close() { return tasks_.close(); }
  const DialCounters& counters() const { return counters_; }

 private:
  struct Dial;
  struct Ending;

  Result<std::vector<RankedAddress>> choose(const codec::PeerId& peer,
                                            const std::vector<codec::Multiaddr>& addresses,
                                            DialOptions options);
  void add(Dial& dial, std::vector<RankedAddress> addresses);
  void add_names(Dial& dial, std::vector<codec::Multiaddr> names);
  // Joins the dial to the peer, or starts one.
  Result<std::shared_ptr<Dial>> join(const codec::PeerId& peer,
                                     const std::vector<codec::Multiaddr>& addresses,
                                     DialOptions options);
  awaitable<void> run(std::unique_ptr<Ending> ending);
  void start_due(const std::shared_ptr<Dial>& dial, TaskScope& attempts);
  awaitable<void> look_up(std::shared_ptr<Dial> dial, std::vector<codec::Multiaddr> names);
  // Waits until an attempt ended, an address came, or the next one's time has come.
  awaitable<Result<void>> wait_for_progress(std::shared_ptr<Dial> dial);
  awaitable<void> attempt(std::shared_ptr<Dial> dial, codec::Multiaddr address);

  Clock& clock_;
  net::Resolver* resolver_;
  Dialable dialable_;
  Connect connect_;
  AttemptLog& log_;
  DialBackoff backoff_;
  std::unordered_map<codec::PeerId, std::shared_ptr<Dial>> dials_;  // shared with their tasks
  DialCounters counters_;
  TaskScope tasks_;
};

}  // namespace oc::p2p
