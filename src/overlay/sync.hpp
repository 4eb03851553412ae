// Reconciliation of records, /open-chat/sync/1.0.0 (docs/wire/sync.md).
//
//   opener                                      answerer
//     SyncOpen {network, fingerprint}     ──▶
//                                         ◀──   SyncAnswer {equal} or {peer, seq …}
//     SyncRecords {…} … {want …, last}    ──▶
//                                         ◀──   SyncRecords {…} … {last}
//
//   pusher
//     SyncOpen {network, push, records}   ──▶   (no answer)
#pragma once

#include <functional>

#include "base/random.hpp"
#include "overlay/members.hpp"

namespace oc::overlay {

inline constexpr const char* kSyncProtocol = "/open-chat/sync/1.0.0";
inline constexpr std::size_t kMaxSyncMessage = 1024 * 1024;
inline constexpr Duration kSyncTimeout = std::chrono::seconds(20);
// Reconcile with one random member this often (± a quarter).
inline constexpr Duration kSyncInterval = std::chrono::seconds(30);
// A changed record is pushed to this many members, who pass it on once.
inline constexpr std::size_t kPushFanout = 4;
// Records in one push; more wait for the next reconciliation.
inline constexpr std::size_t kMaxPushed = 64;
// Streams served at once, of one member and of all, each of which may cost a kMaxSyncMessage,
// though few come near it. A push beyond is lost to this node until the next reconciliation.
inline constexpr p2p::StreamLimits kSyncLimits{.all = 1024, .of_peer = 16};

struct SyncCounters {
  std::uint64_t syncs = 0, failed = 0, records_in = 0, records_rejected = 0, pushes = 0;
};

class Sync {
 public:
  // Called for each record that was new or newer.
  using OnRecord = std::function<void(const NetworkId&, const SealedRecord&)>;

  Sync(p2p::Swarm& swarm, Members& members, Clock& clock, Random& random, OnRecord on_record);

  // Reconciles with the member on this connection, in the background.
  void start(const p2p::ConnectionPtr& connection, const NetworkId& network);
  // Tells a few members about records that changed; not the one they came from.
  void push(const NetworkId& network, const std::vector<codec::PeerId>& changed,
            const codec::PeerId& except);
  // Reconciles with a random member of each network every kSyncInterval. Ends when cancelled.
  awaitable<void> run();

  const SyncCounters& counters() const { return counters_; }

 private:
  awaitable<void> reconcile(p2p::ConnectionPtr connection, NetworkId network);
  awaitable<Result<void>> exchange_as_opener(p2p::ConnectionPtr connection, NetworkId network);
  awaitable<void> serve(p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream);
  awaitable<Result<void>> answer(net::Stream& stream, codec::PeerId from,
                                 const p2p::Connection& connection);
  awaitable<void> push_to(p2p::ConnectionPtr connection, Bytes message);
  // What came in on one stream.
  struct Received {
    std::size_t records = 0;
    std::vector<codec::PeerId> changed;  // whose record was new or newer
    std::vector<codec::PeerId> want;     // whose records the other side asks for, none twice
  };
  awaitable<Result<Received>> receive_records(net::Stream& stream, NetworkId network);
  awaitable<Result<void>> send_records(net::Stream& stream, NetworkId network,
                                       std::vector<codec::PeerId> records,
                                       std::vector<codec::PeerId> want);
  // Takes a record that a member sent; adds its peer to `changed` if it was new or newer.
  void take(const NetworkId& network, BytesView envelope, std::vector<codec::PeerId>& changed);

  p2p::Swarm& swarm_;
  Members& members_;
  Clock& clock_;
  Random& random_;
  OnRecord on_record_;
  SyncCounters counters_;
};

}  // namespace oc::overlay
