// Admission: finds out who is a member. Proves this node's membership on every connection that it
// made, lets others prove theirs, and drops who does not.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "overlay/attempt_limiter.hpp"
#include "overlay/handshake.hpp"
#include "overlay/members.hpp"
#include "overlay/mesh.hpp"

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

struct AdmissionCounters {
  std::uint64_t proofs_ok = 0, proofs_failed = 0, strangers_dropped = 0;
};

// Lifetime: as long as the swarm, which is closed first. Thread: the network thread.
class Admission {
 public:
  // Membership in the network was proved on the connection, by either side.
  using OnProved = std::function<void(const p2p::ConnectionPtr&, const NetworkId&)>;

  // Whether a stranger is to stay for now.
  using MayStay = std::function<bool(const codec::PeerId&)>;

  Admission(p2p::Swarm& swarm, Members& members, Mesh& mesh, Clock& clock, Random& random,
            OnProved on_proved, MayStay may_stay);

  // A new connection.
  void begin(const p2p::ConnectionPtr& connection);

  // Until `done`, as long as the connection lives and a proof may take. Errors: Errc::timed_out,
  // Errc::reset, or why the peer refused.
  awaitable<Result<void>> wait_for_proof(p2p::ConnectionPtr connection, std::function<bool()> done);

  // Why the last proof towards a peer failed, if it did.
  std::optional<error_code> last_refusal(const codec::PeerId& peer) const;
  // Forgets refusals of peers that are nobody any more (Mesh::is_expected).
  void forget_unexpected();
  const AdmissionCounters& counters() const { return counters_; }

 private:
  awaitable<void> prove_all(p2p::ConnectionPtr connection);
  awaitable<Result<void>> prove(p2p::ConnectionPtr connection, Network network);
  void not_accepted(const p2p::ConnectionPtr& connection, error_code why);
  awaitable<void> serve(p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream);
  awaitable<void> drop_stranger(p2p::ConnectionPtr connection);
  HandshakeParties parties(const p2p::Connection& connection) const;

  p2p::Swarm& swarm_;
  Members& members_;
  Mesh& mesh_;
  Clock& clock_;
  Random& random_;
  OnProved on_proved_;
  MayStay may_stay_;
  AttemptLimiter failed_proofs_;
  AttemptLimiter failed_addresses_;
  std::map<codec::PeerId, error_code> refusals_;
  AdmissionCounters counters_;
};

}  // namespace oc::overlay
