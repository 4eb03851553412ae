// One authenticated, muxed connection to a peer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/strong.hpp"
#include "codec/multiaddr.hpp"
#include "p2p/swarm/origin.hpp"
#include "p2p/swarm/resource_ledger.hpp"
#include "p2p/upgrade/secure_channel.hpp"
#include "p2p/upgrade/yamux.hpp"

namespace oc::p2p {

using ConnectionId = Strong<struct ConnectionIdTag, std::uint64_t>;
enum class Direction { inbound, outbound };

// What the peer said of itself by identify; nothing of it is proven but that it was this peer that
// said it. Texts are the peer's bytes, not always UTF-8.
struct PeerInfo {
  std::string agent_version;
  std::string protocol_version;
  std::vector<std::string> protocols;
  std::vector<codec::Multiaddr> listen_addresses;
  std::optional<std::uint64_t> record_seq;           // of the newest signed record that was taken
  std::optional<codec::Multiaddr> observed_address;  // how the peer sees us
};

// Shared between the swarm and whoever uses the connection; after its end open_stream() fails and
// the rest stays readable. Thread: the network thread.
class Connection {
 public:
  struct Facts {
    ConnectionId id;
    Direction direction = Direction::outbound;  // of the handshakes
    Origin origin = Origin::accepted;
    codec::PeerId peer;
    codec::Multiaddr remote_address;  // without /p2p
    codec::Multiaddr local_address;
    TimePoint opened{};
    bool limited = false;  // a relay cuts it after some time or some bytes
    bool probe = false;    // made by Swarm::dial_anew, for its caller alone

    bool direct() const { return !remote_address.has(codec::Protocol::p2p_circuit); }
  };

  Connection(
      Facts facts, SecureChannel channel, ResourceLedger::ConnectionSlot slot, Clock& clock,
      std::uint64_t hash_seed, Executor executor, yamux::Connection::OnStream on_stream,
      yamux::Connection::OnSilent on_silent = [] {});

  const Facts& facts() const { return facts_; }
  const codec::PeerId& peer() const { return facts_.peer; }
  const crypto::PublicKey& remote_key() const { return remote_key_; }
  // The security protocol, kNoiseId or kTlsId.
  std::string_view security() const { return security_; }
  // Names this connection on both sides (see SecureChannel::binding).
  BytesView binding() const { return binding_; }

  // Opens a stream for one protocol without waiting for the peer's agreement (select_lazily). The
  // caller may write at once. Errc::closed when it is not alive(), P2pErrc::stream_limit.
  awaitable<Result<std::unique_ptr<net::Stream>>> open_stream(std::string protocol);
  // Opens one and waits for the peer's agreement; P2pErrc::negotiation_failed without it. Whoever
  // may reset the stream before anything came back needs that: a reset overtakes what was sent.
  awaitable<Result<std::unique_ptr<net::Stream>>> open_agreed_stream(std::string protocol);

  // Ends it gracefully: what is queued goes out, then a GoAway. Returns at once; no new stream is
  // opened from then on. The swarm cuts it when that takes too long.
  void close();
  // When close() was called first.
  std::optional<TimePoint> closing_since() const { return closing_since_; }
  // Something has happened that may have broken it: the peer is asked for a sign of life, and has
  // yamux::kPingTimeout to give one.
  void check() { muxer_.check(); }
  // Ends it at once.
  void abort(error_code why) { muxer_.abort(why); }
  // Not ended, and neither side is closing it: it takes new streams.
  bool alive() const { return alive_ && !muxer_.peer_going_away(); }

  std::optional<Duration> round_trip() const { return muxer_.round_trip(); }
  std::size_t stream_count() const { return muxer_.stream_count(); }
  const yamux::SessionCounters& counters() const { return muxer_.counters(); }

  // The peer is welcome: from now on it has what a trusted peer may have (ResourceLimits). When its
  // source has too many such connections already this one is closed instead, which gives false.
  bool trust();
  bool trusted() const { return slot_.trusted(); }
  // A place for a stream that the peer opened.
  Granted<ResourceLedger::StreamSlot> admit_stream() const {
    return slot_.open_stream(Resource::stream_in);
  }

  const std::optional<PeerInfo>& info() const { return info_; }
  void set_info(PeerInfo info) { info_ = std::move(info); }

  // Tasks that live as long as the connection: its streams' handlers.
  TaskScope& tasks() { return tasks_; }
  // Carries the connection to its end, then ends its tasks. The swarm calls it once.
  awaitable<error_code> run();

 private:
  void apply_limits();

  Clock& clock_;
  Facts facts_;
  crypto::PublicKey remote_key_;
  Bytes binding_;
  std::string_view security_;  // of a constant
  ResourceLedger::ConnectionSlot slot_;
  yamux::Connection muxer_;  // goes before the slot, whose budgets it is in
  TaskScope tasks_;
  std::optional<PeerInfo> info_;
  bool alive_ = true;
  std::optional<TimePoint> closing_since_;
};

// How near a connection keeps its bytes, by the other end's address; nearest first.
enum class PathKind { lan, direct, circuit };
PathKind path_kind(const codec::Multiaddr& remote);

// Whether new streams should rather take `a` than `b`: the nearer path, then unlimited before
// limited, then the older. So the choice does not swing between two that are equally good.
bool preferred(const Connection::Facts& a, const Connection::Facts& b);

// Shared by the swarm and whoever uses the connection.
using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace oc::p2p
