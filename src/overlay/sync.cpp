#include "overlay/sync.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "net/message.hpp"
#include "overlay/sync.pb.h"

namespace oc::overlay {
namespace {

// Records go out in messages of about this size.
constexpr std::size_t kRecordsPerMessageBytes = 64 * 1024;
// Records opened before the other tasks get a turn: a signature takes up to a tenth of a
// millisecond to verify (a millisecond for the largest RSA keys).
constexpr std::size_t kRecordsPerTurn = 16;

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

// Gives the other tasks a turn.
awaitable<void> yield_turn() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

}  // namespace

Sync::Sync(p2p::Swarm& swarm, Members& members, Clock& clock, Random& random, OnRecord on_record)
    : swarm_(swarm),
      members_(members),
      clock_(clock),
      random_(random),
      on_record_(std::move(on_record)) {
  swarm_.handle(
      kSyncProtocol,
      [this](p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
        return serve(std::move(connection), std::move(stream));
      },
      kSyncLimits);
}

void Sync::start(const p2p::ConnectionPtr& connection, const NetworkId& network) {
  connection->tasks().spawn("sync", reconcile(connection, network));
}

awaitable<void> Sync::reconcile(p2p::ConnectionPtr connection, NetworkId network) {
  ++counters_.syncs;
  auto done =
      co_await with_deadline<void>(clock_, kSyncTimeout, exchange_as_opener(connection, network));
  if (done) co_return;
  ++counters_.failed;
  log::debug("sync with {} failed: {}", connection->peer().to_string(), done.error().message());
}

awaitable<Result<void>> Sync::exchange_as_opener(p2p::ConnectionPtr connection, NetworkId network) {
  CO_TRY(auto stream, co_await connection->open_stream(kSyncProtocol));
  pb::SyncOpen open;
  open.set_network_id(text_of(network));
  open.set_fingerprint(text_of(members_.book(network).fingerprint()));
  CO_CHECK(co_await net::send_message(*stream, std::move(open)));
  CO_TRY(const pb::SyncAnswer answer,
         co_await net::receive_message<pb::SyncAnswer>(*stream, kMaxSyncMessage));
  if (answer.equal()) co_return co_await stream->close_write();
  std::vector<RecordVersion> theirs;
  for (const pb::SyncEntry& entry : answer.entries()) {
    if (theirs.size() >= kMaxRecords) co_return Errc::limit_exceeded;
    CO_TRY(auto peer, codec::PeerId::from_bytes(as_bytes(entry.peer_id())));
    theirs.push_back({std::move(peer), entry.seq()});
  }
  auto difference = members_.book(network).compare(theirs);
  CO_CHECK(co_await send_records(*stream, network, std::move(difference.to_send),
                                 std::move(difference.to_ask)));
  CO_CHECK(co_await stream->close_write());
  CO_TRY(const Received received, co_await receive_records(*stream, network));
  push(network, received.changed, connection->peer());
  co_return success();
}

awaitable<void> Sync::serve(p2p::ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
  if (!members_.is_member(*connection)) {
    stream->reset();
    co_return;
  }
  auto done = co_await with_deadline<void>(clock_, kSyncTimeout,
                                           answer(*stream, connection->peer(), *connection));
  if (!done) stream->reset();
}

awaitable<Result<void>> Sync::answer(net::Stream& stream, codec::PeerId from,
                                     const p2p::Connection& connection) {
  CO_TRY(const pb::SyncOpen open,
         co_await net::receive_message<pb::SyncOpen>(stream, kMaxSyncMessage));
  NetworkId network;
  if (open.network_id().size() != network.size()) co_return Errc::malformed;
  std::ranges::copy(as_bytes(open.network_id()), network.begin());
  if (!members_.is_member(connection, network)) co_return Errc::permission_denied;
  if (open.push()) {
    if (open.records().size() > static_cast<int>(kMaxPushed)) co_return Errc::limit_exceeded;
    std::vector<codec::PeerId> changed;
    for (const std::string& record : open.records()) take(network, as_bytes(record), changed);
    push(network, changed, from);
    co_return co_await stream.close_write();
  }
  pb::SyncAnswer answer;
  answer.set_equal(equal(as_bytes(open.fingerprint()), members_.book(network).fingerprint()));
  if (!answer.equal()) {
    for (const RecordVersion& version : members_.book(network).versions()) {
      pb::SyncEntry* entry = answer.add_entries();
      entry->set_peer_id(text_of(version.peer.bytes()));
      entry->set_seq(version.seq);
    }
  }
  CO_CHECK(co_await net::send_message(stream, answer));
  if (answer.equal()) co_return co_await stream.close_write();
  CO_TRY(Received received, co_await receive_records(stream, network));
  push(network, received.changed, from);
  CO_CHECK(co_await send_records(stream, network, std::move(received.want), {}));
  co_return co_await stream.close_write();
}

awaitable<Result<void>> Sync::send_records(net::Stream& stream, NetworkId network,
                                           std::vector<codec::PeerId> records,
                                           std::vector<codec::PeerId> want) {
  pb::SyncRecords message;
  std::size_t size = 0;
  for (const codec::PeerId& peer : records) {
    // Looked up one by one, because the book may change while they are sent.
    const SealedRecord* record = members_.book(network).find(peer);
    if (record == nullptr) continue;
    message.add_records(text_of(record->envelope));
    size += record->envelope.size();
    if (size < kRecordsPerMessageBytes) continue;
    CO_CHECK(co_await net::send_message(stream, std::exchange(message, {})));
    size = 0;
  }
  for (const codec::PeerId& peer : want) message.add_want(text_of(peer.bytes()));
  message.set_last(true);
  co_return co_await net::send_message(stream, std::move(message));
}

awaitable<Result<Sync::Received>> Sync::receive_records(net::Stream& stream, NetworkId network) {
  Received out;
  std::set<codec::PeerId> want;
  for (;;) {
    CO_TRY(const pb::SyncRecords message,
           co_await net::receive_message<pb::SyncRecords>(stream, kMaxSyncMessage));
    for (const std::string& record : message.records()) {
      if (++out.records > kMaxRecords) co_return Errc::limit_exceeded;
      if (out.records % kRecordsPerTurn == 0) co_await yield_turn();
      take(network, as_bytes(record), out.changed);
    }
    if (!message.last()) {
      // A message that says nothing would let a peer keep us here for free.
      if (message.records().empty()) co_return Errc::protocol_violation;
      continue;
    }
    if (message.want().size() > static_cast<int>(kMaxRecords)) co_return Errc::limit_exceeded;
    for (const std::string& raw : message.want()) {
      CO_TRY(auto peer, codec::PeerId::from_bytes(as_bytes(raw)));
      want.insert(std::move(peer));
    }
    out.want.assign(want.begin(), want.end());
    co_return out;
  }
}

void Sync::take(const NetworkId& network, BytesView envelope, std::vector<codec::PeerId>& changed) {
  ++counters_.records_in;
  auto record = open_record(envelope);
  // Nobody tells us about ourselves.
  if (!record || !check_record_date(record->record, clock_.wall_now()) ||
      record->record.peer == swarm_.self()) {
    ++counters_.records_rejected;
    return;
  }
  const codec::PeerId peer = record->record.peer;
  auto put = members_.book(network).put(*std::move(record));
  if (!put || *put == RecordBook::Put::unchanged) return;
  on_record_(network, *members_.book(network).find(peer));
  changed.push_back(peer);
}

void Sync::push(const NetworkId& network, const std::vector<codec::PeerId>& changed,
                const codec::PeerId& except) {
  if (changed.empty()) return;
  pb::SyncOpen message;
  message.set_network_id(text_of(network));
  message.set_push(true);
  for (const codec::PeerId& peer : changed) {
    if (message.records().size() >= static_cast<int>(kMaxPushed)) break;
    if (const SealedRecord* record = members_.book(network).find(peer)) {
      message.add_records(text_of(record->envelope));
    }
  }
  auto targets = members_.connected(network);
  std::erase_if(targets,
                [&except](const auto& connection) { return connection->peer() == except; });
  for (std::size_t i = 0; i < kPushFanout && !targets.empty(); ++i) {
    const auto pick = static_cast<std::ptrdiff_t>(random_.below(targets.size()));
    const p2p::ConnectionPtr target = targets[static_cast<std::size_t>(pick)];
    targets.erase(targets.begin() + pick);
    ++counters_.pushes;
    const std::string bytes = message.SerializeAsString();
    target->tasks().spawn("sync push", push_to(target, to_bytes(as_bytes(bytes))));
  }
}

awaitable<void> Sync::push_to(p2p::ConnectionPtr connection, Bytes message) {
  auto stream = co_await connection->open_stream(kSyncProtocol);
  if (!stream) co_return;
  if (auto done = co_await net::write_delimited(**stream, message); !done) co_return;
  if (auto done = co_await (*stream)->close_write(); !done) co_return;
  // The end of the other half shows that it was read.
  FixedBytes<1> rest;
  (void)co_await with_deadline<std::size_t>(clock_, kSyncTimeout, (*stream)->read_some(rest));
}

awaitable<void> Sync::run() {
  for (;;) {
    const auto quarter =
        std::chrono::duration_cast<std::chrono::milliseconds>(kSyncInterval / 4).count();
    const auto jitter =
        static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(2 * quarter)));
    if (auto done =
            co_await clock_.sleep_for(kSyncInterval + std::chrono::milliseconds(jitter - quarter));
        !done)
      co_return;
    for (const auto& [id, network] : members_.networks()) {
      const auto targets = members_.connected(id);
      if (!targets.empty()) start(targets[random_.below(targets.size())], id);
    }
  }
}

}  // namespace oc::overlay
