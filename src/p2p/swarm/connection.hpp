// One authenticated, muxed connection to a peer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/strong.hpp"
#include "codec/multiaddr.hpp"
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
    Direction direction = Direction::outbound;
    codec::PeerId peer;
    codec::Multiaddr remote_address;  // without /p2p
    codec::Multiaddr local_address;
    TimePoint opened{};
  };

  Connection(Facts facts, SecureChannel channel, Clock& clock, std::uint64_t hash_seed,
             Executor executor, yamux::Connection::OnStream on_stream);

  const Facts& facts() const { return facts_; }
  const codec::PeerId& peer() const { return facts_.peer; }
  const crypto::PublicKey& remote_key() const { return remote_key_; }
  // The security protocol, kNoiseId or kTlsId.
  std::string_view security() const { return security_; }
  // Names this connection on both sides (see SecureChannel::binding).
  BytesView binding() const { return binding_; }

  // Opens a stream for one protocol without waiting for the peer's agreement (select_lazily). The
  // caller may write at once.
  awaitable<Result<std::unique_ptr<net::Stream>>> open_stream(std::string protocol);

  // Ends it gracefully: what is queued goes out, then a GoAway. Returns at once; no new stream is
  // opened from then on.
  void close() {
    alive_ = false;
    muxer_.shut_down();
  }
  // Ends it at once.
  void abort(error_code why) { muxer_.abort(why); }
  // Not ended, and not being closed.
  bool alive() const { return alive_; }

  std::optional<Duration> round_trip() const { return muxer_.round_trip(); }
  std::size_t stream_count() const { return muxer_.stream_count(); }
  const yamux::SessionCounters& counters() const { return muxer_.counters(); }
  // Streams the peer may have open at once.
  void set_incoming_limit(std::size_t limit) { muxer_.set_incoming_limit(limit); }

  const std::optional<PeerInfo>& info() const { return info_; }
  void set_info(PeerInfo info) { info_ = std::move(info); }

  // Tasks that live as long as the connection: its streams' handlers.
  TaskScope& tasks() { return tasks_; }
  // Carries the connection to its end, then ends its tasks. The swarm calls it once.
  awaitable<error_code> run();

 private:
  Facts facts_;
  crypto::PublicKey remote_key_;
  Bytes binding_;
  std::string_view security_;  // of a constant
  yamux::Connection muxer_;
  TaskScope tasks_;
  std::optional<PeerInfo> info_;
  bool alive_ = true;
};

// Shared by the swarm and whoever uses the connection.
using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace oc::p2p
