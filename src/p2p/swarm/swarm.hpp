// The swarm: listens, dials, upgrades, and keeps the table of connections.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "net/resolver.hpp"
#include "net/tcp.hpp"
#include "p2p/swarm/attempt_log.hpp"
#include "p2p/swarm/connection_trimmer.hpp"
#include "p2p/swarm/dialer.hpp"
#include "p2p/upgrade/upgrade.hpp"

namespace oc::p2p {

// A raw connection must be a peer with a muxer within this time (go's bound).
inline constexpr Duration kUpgradeTimeout = std::chrono::seconds(15);
// A stream's opener must have named its protocol within this time.
inline constexpr Duration kNegotiationTimeout = std::chrono::seconds(10);
// The kernel cuts a connection whose peer acknowledges nothing, or keeps its window shut, for this
// long; yamux pings alone would not notice a peer that sends but never reads.
inline constexpr std::chrono::milliseconds kUserTimeout = std::chrono::seconds(30);

// Serves one stream of a protocol; runs as a task of the connection and is cancelled with it.
using ProtocolHandler = std::function<awaitable<void>(ConnectionPtr, std::unique_ptr<net::Stream>)>;

// When a peer falls silent, the others are asked for a sign of life: what broke may be on our side.
// At most this often, however many peers do.
inline constexpr Duration kCheckInterval = std::chrono::seconds(5);

// A connection that was closed and has not ended after this is cut.
inline constexpr Duration kClosingTimeout = std::chrono::seconds(10);

// A stream that leads to a peer, and is to be upgraded.
struct RawConnection {
  std::unique_ptr<net::Stream> stream;
  codec::Multiaddr remote_address;  // without /p2p of the peer
  codec::Multiaddr local_address;
  Origin origin = Origin::accepted;  // these three: see Connection::Facts
  bool limited = false;
  bool probe = false;
};

// Leads to a peer over an address that parse_circuit() takes.
using ConnectCircuit =
    std::function<awaitable<Result<RawConnection>>(codec::PeerId peer, codec::Multiaddr address)>;

struct SwarmEvents {
  std::function<void(const ConnectionPtr&)> connected = [](const ConnectionPtr&) {};
  std::function<void(const ConnectionPtr&, error_code)> disconnected = [](const ConnectionPtr&,
                                                                          error_code) {};
  // A protocol is served that was not before, or is no longer.
  std::function<void()> protocols_changed = [] {};
};

struct SwarmCounters {
  std::uint64_t dials = 0, dials_failed = 0, dials_backed_off = 0;
  std::uint64_t accepted = 0, upgrades_failed = 0, refused = 0, trimmed = 0;
};

struct SwarmOptions {
  UpgradeOptions upgrade = {};
  // Looks up the names in addresses to dial; outlives the swarm. Without it such are not dialed.
  net::Resolver* resolver = nullptr;
  ResourceLimits limits = {};
  TrimOptions trim = {};
  std::chrono::milliseconds user_timeout = kUserTimeout;
};

class Swarm {
 public:
  Swarm(Executor executor, Clock& clock, Random& random, crypto::PrivateKey identity,
        SwarmOptions options = {});
  ~Swarm();

  const Executor& executor() const { return executor_; }
  const codec::PeerId& self() const { return self_; }
  const crypto::PrivateKey& identity() const { return identity_; }

  // Listens; errors are the kernel's. The port is shared with the swarm's own dials.
  Result<void> listen(net::TcpAddress at);
  // The addresses listened on, wildcards expanded to the interfaces' addresses, without /p2p.
  std::vector<codec::Multiaddr> listen_addresses() const;

  // The first port listened on with IPv6 or IPv4, from which dials come; nothing when there is
  // none.
  std::optional<std::uint16_t> listen_port(bool v6) const;
  // Whether this is one of the ports listened on.
  bool listens_on(bool v6, std::uint16_t port) const;

  // One handler a protocol: a second one takes the place of the first for the streams to come.
  // Streams beyond the limits are reset.
  void handle(std::string protocol, ProtocolHandler handler, StreamLimits limits = {});
  // New streams of the protocol are refused from now on; those there are go on.
  void stop_handling(std::string_view protocol);
  std::vector<std::string> protocols() const;
  // Several observers; called in the order they were added.
  void observe(SwarmEvents events) { observers_.push_back(std::move(events)); }

  // A connection to the peer: one that exists, or a new one over the first of the addresses that
  // answers. Our own addresses are left out. Errors: P2pErrc::dial_to_self, and those of
  // Dialer::dial, among them P2pErrc::wrong_peer, ::connection_limit and Errc::timed_out.
  awaitable<Result<ConnectionPtr>> dial(codec::PeerId peer, std::vector<codec::Multiaddr> addresses,
                                        DialOptions options = {});

  // One attempt over one TCP address, from the listening port and beside whatever other dials and
  // connections there are; `role` says which side of the handshakes is ours: when both sides dial
  // at once, one has to be the server. As client we are it also towards the same address when that
  // comes to our listener meanwhile: its SYN was the faster one then. Errors as of a dial;
  // Errc::timed_out after `limit`.
  awaitable<Result<ConnectionPtr>> connect_once(codec::PeerId peer, codec::Multiaddr address,
                                                Direction role, Origin how, Duration limit);

  // Dials circuits from now on, by `connect`, which outlives the swarm's tasks.
  void dial_circuits(ConnectCircuit connect) { connect_circuit_ = std::move(connect); }
  // Upgrades a circuit that a relay handed over, as coming from this peer; `raw.remote_address` is
  // one that parse_circuit() takes. Errors: P2pErrc::connection_limit, Errc::unsupported,
  // ::timed_out, those of Upgrader::upgrade.
  awaitable<Result<ConnectionPtr>> accept_circuit(RawConnection raw, codec::PeerId from);
  // A connection of its own to the one address, from a port that nothing else uses, beside those
  // that there are: whether an address answers cannot be told otherwise. Its facts say `probe`;
  // connection_to() never gives it, observers leave it alone, and the caller closes it soon. No
  // time-out. Errors: P2pErrc::dial_to_self, ::connection_limit, ::wrong_peer, the kernel's.
  awaitable<Result<ConnectionPtr>> dial_anew(codec::PeerId peer, codec::Multiaddr address);

  // The connection new streams should take: the best that is alive(). Null when there is none.
  ConnectionPtr connection_to(const codec::PeerId& peer) const;
  // All, best first (preferred()), and with them those that are ending.
  std::vector<ConnectionPtr> connections_to(const codec::PeerId& peer) const;
  std::vector<ConnectionPtr> connections() const;
  SwarmCounters counters() const;
  // What dial() and connect_once() tried.
  const AttemptLog& attempts() const { return attempts_; }
  const ResourceLedger& ledger() const { return ledger_; }
  // The network is not what it was: every peer is asked for a sign of life, so that dead
  // connections end soon (yamux::kPingTimeout). Those from addresses that this machine has no more
  // end at once.
  void network_changed();
  // For those who know which peers are worth keeping.
  ConnectionTrimmer& trimmer() { return trimmer_; }
  // How often what was refused where.
  std::map<Refusal, std::uint64_t> refusals() const;

  // Says goodbye on all connections, waits until they ended (at most `grace`), ends all tasks.
  awaitable<void> close(Duration grace = std::chrono::seconds(2));

 private:
  awaitable<void> accept_loop(std::shared_ptr<net::TcpListener> listener);
  awaitable<void> accept_one(net::TcpListener::Accepted accepted,
                             ResourceLedger::ConnectionSlot slot);
  awaitable<Result<ConnectionPtr>> dial_address(codec::PeerId peer, codec::Multiaddr address,
                                                SourcePort from);
  struct TcpDial {
    Direction role = Direction::outbound;
    SourcePort from = SourcePort::listening;
    Origin origin = Origin::dialed;
    bool probe = false;
  };
  awaitable<Result<ConnectionPtr>> dial_tcp(codec::PeerId peer, net::TcpAddress to, TcpDial how);
  awaitable<Result<ConnectionPtr>> dial_circuit(codec::PeerId peer, codec::Multiaddr address);
  // What a TCP connection leads to, tuned for its use.
  Result<RawConnection> describe(std::unique_ptr<net::SocketStream> stream) const;
  awaitable<Result<ConnectionPtr>> establish(RawConnection raw, Direction direction,
                                             std::optional<codec::PeerId> expected,
                                             ResourceLedger::ConnectionSlot slot);
  // establish() for what came in: within kUpgradeTimeout, unless others need its place before.
  awaitable<Result<ConnectionPtr>> admit(RawConnection raw, Direction role,
                                         std::optional<codec::PeerId> expected,
                                         ResourceLedger::ConnectionSlot slot);
  ConnectionPtr add_connection(Connection::Facts facts, SecureChannel channel,
                               ResourceLedger::ConnectionSlot slot);
  awaitable<void> run_connection(ConnectionPtr connection);
  awaitable<void> keep_trimming();
  void trim();
  // Ends connections whose peers keep them from ending by themselves.
  void cut_hanging();
  void on_silent();
  void check_all();
  void on_stream(ConnectionPtr connection, std::unique_ptr<net::Stream> stream);
  awaitable<void> serve_stream(ConnectionPtr connection, std::unique_ptr<net::Stream> stream,
                               ResourceLedger::StreamSlot slot);

  Executor executor_;
  Clock& clock_;
  Random& random_;
  crypto::PrivateKey identity_;
  SwarmOptions options_;
  codec::PeerId self_;
  Upgrader upgrader_;
  ResourceLedger ledger_;
  ConnectionTrimmer trimmer_;
  bool trimming_ = false;                                     // since the first connection
  TimePoint checked_{};                                       // when on_silent() last did it
  std::vector<std::shared_ptr<net::TcpListener>> listeners_;  // shared with their accept loops
  struct Protocol {
    ProtocolHandler handler;
    StreamLimits limits;
  };
  std::map<std::string, Protocol, std::less<>> protocols_;
  std::vector<SwarmEvents> observers_;
  std::map<ConnectionId, ConnectionPtr> connections_;  // oldest first
  std::map<net::TcpAddress, codec::PeerId> servers_;   // who is to be our server when it comes
  std::unordered_map<codec::PeerId, std::set<ConnectionId>> by_peer_;
  std::uint64_t next_connection_ = 1;
  SwarmCounters counters_;
  ConnectCircuit connect_circuit_;  // empty: circuits are not dialed
  AttemptLog attempts_;
  Dialer dialer_;
  TaskScope tasks_;    // accepting, trimming
  TaskScope running_;  // one task a connection
};

}  // namespace oc::p2p
