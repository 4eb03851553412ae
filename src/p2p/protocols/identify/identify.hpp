// identify (libp2p/specs identify/README.md):
//
//   /ipfs/id/1.0.0        each side asks the other who it is right after connecting
//     asker   ◀──  message, end of stream
//   /ipfs/id/push/1.0.0   each side tells the other when that has changed
//     teller  ──▶  message, end of stream
//
// The messages are those of identify_message.hpp.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/token_bucket.hpp"
#include "p2p/protocols/identify/identify_message.hpp"
#include "p2p/protocols/identify/observed_addresses.hpp"
#include "p2p/protocols/identify/push_queue.hpp"
#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

inline constexpr const char* kIdentifyId = "/ipfs/id/1.0.0";
inline constexpr const char* kIdentifyPushId = "/ipfs/id/push/1.0.0";
// Streams that are served at once, of each of the two protocols. Many peers may come in the same
// second, each with a few connections.
inline constexpr StreamLimits kIdentifyLimits{.all = 512, .of_peer = 16};
// For one exchange.
inline constexpr Duration kIdentifyTimeout = std::chrono::seconds(5);
// Changes within this time are pushed together.
inline constexpr Duration kPushDelay = std::chrono::milliseconds(250);
// A peer may push so many times at once, and then once in so long a time: what go allows an
// address. A push beyond that is lost, so we push half as often.
inline constexpr int kPushBurst = 10;
inline constexpr Duration kPushInterval = std::chrono::seconds(5);
inline constexpr int kPushRoundBurst = kPushBurst / 2;
inline constexpr Duration kPushRoundInterval = kPushInterval * 2;

struct IdentifyOptions {
  std::string agent_version;
  std::string protocol_version = "ipfs/0.1.0";
  // Addresses to tell, best first, without /p2p. Call changed() when they change.
  std::function<std::vector<codec::Multiaddr>()> addresses;
  // A sequence number for the signed peer record that is above those of earlier runs.
  std::function<std::uint64_t()> record_seq;
  // Called when a connection's info() was filled in, and when it changed.
  std::function<void(const ConnectionPtr&)> identified = [](const ConnectionPtr&) {};
};

// Registers the protocols at the swarm, asks every new connection, and tells every one that takes
// pushes what changes. A peer that answers nothing, or nonsense, stays as usable as any. Lifetime:
// as long as the swarm, which is closed first.
class Identify {
 public:
  Identify(Swarm& swarm, Clock& clock, IdentifyOptions options);
  ~Identify();
  Identify(const Identify&) = delete;
  Identify& operator=(const Identify&) = delete;

  // What IdentifyOptions::addresses gives is not what it was. Tells it to the peers, a little later
  // and together with what else changes. Of new protocols the swarm gives notice by itself.
  void changed();

  // The peer of this connection has become trusted (Connection::trust), so that what it said of
  // from where it sees us counts for more.
  void trust(const Connection& connection) { observed_.trust(connection.facts().id); }
  // Addresses under which this host is seen from outside (ObservedAddresses), without /p2p.
  std::vector<codec::Multiaddr> external_addresses() const;
  // Those that may be: what anybody has said, and what is listened on. Loopback is none of them:
  // whoever dialed it would meet itself.
  std::vector<codec::Multiaddr> possible_addresses() const;
  ObservedAddresses& observed() { return observed_; }

 private:
  awaitable<void> answer(ConnectionPtr connection, std::unique_ptr<net::Stream> stream);
  awaitable<void> ask(ConnectionPtr connection);
  awaitable<Result<IdentifyClaims>> query(ConnectionPtr connection);
  awaitable<void> hear(ConnectionPtr connection, std::unique_ptr<net::Stream> stream);
  awaitable<void> push(ConnectionPtr connection);
  awaitable<Result<void>> open_and_tell(ConnectionPtr connection);
  awaitable<Result<void>> tell(ConnectionPtr connection, net::Stream& stream);
  void learn(const ConnectionPtr& connection, IdentifyClaims claims);
  void observe(const Connection& connection, codec::Multiaddr observed);
  void push_more();
  SelfDescription describe(const Connection& to);
  // Signed. Newer than the one before unless it says the same: peers differ in what they are told.
  const Bytes& record_of(const std::vector<codec::Multiaddr>& addresses);
  void connected(const ConnectionPtr& connection);
  void disconnected(const ConnectionPtr& connection);

  Swarm& swarm_;
  Clock& clock_;
  IdentifyOptions options_;
  std::uint64_t last_seq_ = 0;
  struct {
    std::vector<codec::Multiaddr> addresses;
    Bytes envelope;
  } last_record_;
  std::map<ConnectionId, ConnectionPtr> connections_;
  PushQueue queue_;
  TokenBucket rounds_{kPushRoundInterval, kPushRoundBurst};
  std::optional<TimerId> round_;                     // the next round of pushes, when one is due
  std::map<codec::PeerId, TokenBucket> allowances_;  // pushes that connected peers may still send
  ObservedAddresses observed_;
  crypto::ProofCache proofs_;  // of peers' records
};

}  // namespace oc::p2p
