// A yamux connection: the Session of yamux_session.hpp driven over a secure channel.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "net/stream.hpp"
#include "p2p/upgrade/yamux_session.hpp"

namespace oc::p2p::yamux {

// A writer that waits for its window when the connection is shut down has so long to be let finish.
inline constexpr Duration kLastWrites = std::chrono::seconds(1);

struct Core;  // shared by the connection and its streams: whichever lives longest keeps it

class Connection {
 public:
  // Called for each stream the peer opens, from run(). Must not block; dropping the stream resets
  // it.
  using OnStream = std::function<void(std::unique_ptr<net::Stream>)>;
  // Called when the peer has not answered for kPingConcern, from run(). Must not block.
  using OnSilent = std::function<void()>;

  Connection(
      std::unique_ptr<net::Stream> channel, Role role, Clock& clock, std::uint64_t hash_seed,
      OnStream on_stream, OnSilent on_silent = [] {});
  ~Connection();

  // Carries the streams until the channel ends, the peer breaks the rules or stops answering, or
  // shut_down(). Returns why. Call once, await it to the end before destruction. Cancelling it
  // breaks the connection. Streams that are left afterwards fail with Errc::reset.
  awaitable<error_code> run();

  // Waits while the peer has kAckBacklog of our streams to acknowledge.
  awaitable<Result<std::unique_ptr<net::Stream>>> open_stream();

  // Sends what is queued, lets writes that have begun end (for kLastWrites at most), sends a
  // GoAway, then ends run(). New writes and streams are refused with Errc::closed, and so is the
  // rest of a write that took too long. Returns at once.
  void shut_down();
  // See Session::check().
  void check();
  // Ends run() at once.
  void abort(error_code why);

  void set_incoming_limit(std::size_t limit);
  // What the session's streams received and nobody has read yet. A wider budget is left when the
  // connection goes, though streams may live on.
  ReceiveBudget& receive_budget();
  // The peer said that it is leaving: it takes no more streams.
  bool peer_going_away() const;
  std::optional<Duration> round_trip() const;
  std::size_t stream_count() const;
  const SessionCounters& counters() const;

 private:
  std::shared_ptr<Core> core_;  // shared with the streams
};

}  // namespace oc::p2p::yamux
