// Overlay: the private networks of this node. Proves membership on every connection, keeps the
// records of all members, and keeps the node connected to them.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "overlay/attempt_limiter.hpp"
#include "overlay/bootstrap_string.hpp"
#include "overlay/candidates.hpp"
#include "overlay/dial_schedule.hpp"
#include "overlay/handshake.hpp"
#include "overlay/members.hpp"
#include "overlay/sync.hpp"
#include "p2p/host.hpp"
#include "p2p/nat/relay_keeper.hpp"

namespace oc::overlay {

// A peer that has not proved membership within this time after connecting is dropped, unless this
// node is a public relay and serves it: then once that is over.
inline constexpr Duration kProofTimeout = std::chrono::seconds(10);
// Failed proofs that a peer, and an address, may have for one network in a minute; and an address
// for all networks together.
inline constexpr std::size_t kMaxFailedProofs = 5;
inline constexpr std::size_t kMaxFailedProofsOfAddress = 64;
inline constexpr Duration kFailedProofWindow = std::chrono::minutes(1);
// Handshakes that one peer may have served at once. All together may be as many as strangers may
// have streams: whoever is kept out of these stays one.
inline constexpr std::size_t kMaxHandshakeStreams = 4;
// Every member is kept connected up to so many; in a larger network, as many random ones.
inline constexpr std::size_t kSmallNetwork = 64;
inline constexpr std::size_t kMaxDialsAtOnce = 8;
// Of these, dials of candidates, who may be invented.
inline constexpr std::size_t kMaxCandidateDials = 2;
inline constexpr Duration kMeshTick = std::chrono::milliseconds(250);
inline constexpr Duration kRecordCheck = std::chrono::seconds(5);
inline constexpr Duration kRecordRefresh = std::chrono::hours(24);
inline constexpr std::size_t kMaxBootstrapPeers = 64;
// Addresses of interfaces that are told to others: a record must have room for the circuits, too.
inline constexpr std::size_t kMaxInterfaceAddresses = 16;
// What a member's connections are worth more than others', when there are too many.
inline constexpr int kMemberValue = 100;

struct OverlayOptions {
  std::string node_name;
  std::string version;
  // Told to others instead of the interfaces' addresses, when not empty, and before those that
  // peers observe. Without /p2p.
  std::vector<codec::Multiaddr> announce;
  std::uint64_t last_seq = 0;  // the largest seq that this node ever used for its record
  // An address that a router maps to this node; told behind `announce`. Without /p2p.
  std::function<std::optional<codec::Multiaddr>()> mapped = [] { return std::nullopt; };
  // Whether everybody can reach this node without a relay.
  std::function<bool()> reachable = [] { return false; };
};

// What the rest of the program is told; called on the network thread, must not block.
struct OverlayEvents {
  std::function<void(const NetworkName&, const SealedRecord&)> record_changed =
      [](const NetworkName&, const SealedRecord&) {};
  std::function<void(std::uint64_t)> seq_used = [](std::uint64_t) {};
  std::function<void(const codec::PeerId&, const NetworkName&, bool online)> member_changed =
      [](const codec::PeerId&, const NetworkName&, bool) {};
};

struct MemberStatus {
  codec::PeerId peer;
  std::set<std::string> networks;
  NodeRecord record;  // only `peer` is set while no record is known
  bool online = false;
  p2p::ConnectionPtr connection;  // null when offline
  std::optional<WallTime> last_contact;
};

struct OverlayCounters {
  std::uint64_t proofs_ok = 0, proofs_failed = 0, strangers_dropped = 0;
};

class Overlay {
 public:
  Overlay(p2p::Host& host, Clock& clock, Random& random, OverlayOptions options,
          OverlayEvents events);
  ~Overlay();

  // Before start(): networks, and what the store remembers of them. A record that does not open or
  // is too old is dropped.
  Result<void> join(Network network);
  void restore(const NetworkName& network, BytesView envelope,
               std::optional<WallTime> last_contact);
  // At any time. Returns false when the peer is ourselves or kMaxBootstrapPeers is reached.
  bool add_bootstrap(const BootstrapPeer& peer);
  // At any time: somebody unproved says that the peer is there. It is dialed, within the bounds of
  // candidates.hpp, to see whether it is a member. False when it is ourselves, or there are too
  // many.
  bool add_candidate(const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses);

  // Starts connecting to members. Awaiting close() ends it; the host is closed afterwards.
  void start();
  awaitable<void> close();

  const codec::PeerId& self() const { return host_.swarm().self(); }
  // Addresses for others, best first, without /p2p: those that the owner announces, the one that a
  // router maps, those under which enough peers see this node, when none are announced the
  // interfaces', and circuits.
  std::vector<codec::Multiaddr> own_addresses() const;
  BootstrapPeer own_bootstrap() const;
  // What own_addresses() or OverlayOptions::reachable say is not what it was: members learn it at
  // once. After start().
  void addresses_changed();
  // A peer said what it offers, or has become a member.
  void look_for_relays() { relays_.look(); }
  const p2p::RelayKeeper& relays() const { return relays_; }
  // Every known member of any network but this node, by peer id.
  std::vector<MemberStatus> members() const;
  Members& membership() { return members_; }
  const Members& membership() const { return members_; }

  // A stream to a member for a member-only protocol. Uses the connection there is, or dials and
  // proves membership first. Errors: Errc::not_found when the peer is no known member of the
  // network and has no address, Errc::timed_out, HandshakeErrc, those of the dial.
  awaitable<Result<std::unique_ptr<net::Stream>>> open_stream(NetworkId network, codec::PeerId peer,
                                                              std::string protocol);
  // The same, giving the connection.
  awaitable<Result<p2p::ConnectionPtr>> connect(NetworkId network, codec::PeerId peer);

  // Registers a protocol for members only: streams of others are reset before a byte is read.
  void handle(std::string protocol, p2p::ProtocolHandler handler, p2p::StreamLimits limits = {});

  const OverlayCounters& counters() const { return counters_; }
  const SyncCounters& sync_counters() const { return sync_.counters(); }
  // Why the last proof towards a peer failed, if it did.
  std::optional<error_code> last_refusal(const codec::PeerId& peer) const;

 private:
  void on_connected(const p2p::ConnectionPtr& connection);
  void on_disconnected(const p2p::ConnectionPtr& connection, error_code why);
  void on_member_changed(const codec::PeerId& peer, const NetworkId& id, bool online);
  void on_record(const NetworkId& network, const SealedRecord& record);
  awaitable<void> prove_all(p2p::ConnectionPtr connection);
  awaitable<Result<void>> prove(p2p::ConnectionPtr connection, Network network);
  awaitable<void> serve_handshake(p2p::ConnectionPtr connection,
                                  std::unique_ptr<net::Stream> stream);
  // The peer has proved that it is a member.
  void admit(const p2p::ConnectionPtr& connection, const NetworkId& network);
  awaitable<void> drop_stranger(p2p::ConnectionPtr connection);
  // Until `done`, as long as the connection lives and a proof may take. Errors: Errc::timed_out,
  // Errc::reset, or why the peer refused.
  awaitable<Result<void>> wait_for_proof(p2p::ConnectionPtr connection, std::function<bool()> done);
  awaitable<void> keep_connected();
  awaitable<void> keep_record();
  void dial_candidates();
  awaitable<void> dial_member(codec::PeerId peer);
  // Fails with what the last dial that was made failed with.
  awaitable<Result<p2p::ConnectionPtr>> dial(codec::PeerId peer);
  std::set<codec::PeerId> wanted_peers() const;
  // Whether a record or a bootstrap string tells of the peer.
  bool is_expected(const codec::PeerId& peer) const;
  std::vector<codec::Multiaddr> addresses_of(const codec::PeerId& peer) const;
  p2p::RelayKeeperOptions relay_keeper_options();
  HandshakeParties parties(const p2p::Connection& connection) const;
  void refresh_record();
  void forget_old_records();
  void remember_contact(const codec::PeerId& peer, WallTime when);

  p2p::Host& host_;
  Clock& clock_;
  Random& random_;
  OverlayOptions options_;
  OverlayEvents events_;
  Members members_;
  Sync sync_;
  AttemptLimiter failed_proofs_;
  AttemptLimiter failed_addresses_;
  DialSchedule schedule_;
  Candidates candidates_;
  std::map<codec::PeerId, BootstrapPeer> bootstrap_;
  std::map<codec::PeerId, WallTime> last_contact_;
  std::map<codec::PeerId, error_code> refusals_;
  std::map<codec::PeerId, error_code> unreachable_;  // why the last dial failed
  std::set<codec::PeerId> dialing_;
  std::optional<SealedRecord> own_record_;
  std::vector<codec::Multiaddr> issued_addresses_;  // all that the record was made for
  OverlayCounters counters_;
  p2p::RelayKeeper relays_;
  TaskScope tasks_;
};

}  // namespace oc::overlay
