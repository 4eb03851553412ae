// Overlay: the private networks of this node. Proves membership on every connection, keeps the
// records of all members, and keeps the node connected to them.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "overlay/admission.hpp"
#include "overlay/mesh.hpp"
#include "overlay/own_record.hpp"
#include "overlay/sync.hpp"
#include "p2p/host.hpp"
#include "p2p/nat/relay_keeper.hpp"

namespace oc::overlay {

inline constexpr Duration kRecordCheck = std::chrono::seconds(5);
// What a member's connections are worth more than others', when there are too many.
inline constexpr int kMemberValue = 100;

struct OverlayOptions {
  OwnRecordOptions own;
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
  bool add_bootstrap(const BootstrapPeer& peer) { return mesh_.add_bootstrap(peer); }
  // At any time: somebody unproved says that the peer is there. It is dialed, within the bounds of
  // candidates.hpp, to see whether it is a member. False when it is ourselves, or there are too
  // many.
  bool add_candidate(const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses) {
    return mesh_.add_candidate(peer, std::move(addresses));
  }

  // Starts connecting to members. Awaiting close() ends it; the host is closed afterwards.
  void start();
  awaitable<void> close();

  const codec::PeerId& self() const { return host_.swarm().self(); }
  // Addresses for others, best first, without /p2p: those that the owner announces, the one that a
  // router maps, those under which enough peers see this node, when none are announced the
  // interfaces', and circuits. Where there is a circuit, those of the internet that are known not
  // to work are left out: each would cost a peer a dial, and NATs an entry in the way of hole
  // punching.
  std::vector<codec::Multiaddr> own_addresses() const { return own_record_.addresses(); }
  BootstrapPeer own_bootstrap() const { return own_record_.bootstrap(); }
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

  const AdmissionCounters& counters() const { return admission_.counters(); }
  const SyncCounters& sync_counters() const { return sync_.counters(); }
  // Why the last proof towards a peer failed, if it did.
  std::optional<error_code> last_refusal(const codec::PeerId& peer) const {
    return admission_.last_refusal(peer);
  }

 private:
  void on_connected(const p2p::ConnectionPtr& connection);
  void on_disconnected(const p2p::ConnectionPtr& connection, error_code why);
  void on_proved(const p2p::ConnectionPtr& connection, const NetworkId& network);
  void on_member_changed(const codec::PeerId& peer, const NetworkId& id, bool online);
  void on_record(const NetworkId& network, const SealedRecord& record);
  // Looks now and then whether our record is still true, and others' are not too old.
  awaitable<void> keep_records();
  p2p::RelayKeeperOptions relay_keeper_options();
  void forget_old_records();
  void remember_contact(const codec::PeerId& peer, WallTime when);

  p2p::Host& host_;
  Clock& clock_;
  OverlayEvents events_;
  Members members_;
  Sync sync_;
  Mesh mesh_;
  Admission admission_;
  std::function<bool()> reachable_;
  p2p::RelayKeeper relays_;
  OwnRecord own_record_;
  std::map<codec::PeerId, WallTime> last_contact_;
  TaskScope tasks_;
};

}  // namespace oc::overlay
