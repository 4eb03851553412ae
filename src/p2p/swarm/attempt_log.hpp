// AttemptLog: what was tried lately to reach each peer, and how it ended; for people who want to
// know why a path is what it is. Pure state.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "codec/multiaddr.hpp"
#include "p2p/swarm/origin.hpp"

namespace oc::p2p {

// Of one peer: two dials of an ordinary record, or one with hole punching behind it.
inline constexpr std::size_t kMaxLoggedAttempts = 24;
// When there are more, the one goes that was not tried for the longest time. All together about
// 2 MiB.
inline constexpr std::size_t kMaxLoggedPeers = 512;

struct Attempt {
  codec::Multiaddr address;  // a name, when that could not be looked up
  Origin how = Origin::dialed;
  TimePoint started{};
  Duration took{};
  // No error for a connection. Errc::cancelled when it was not needed any more: another address
  // answered first, or the node ends.
  error_code outcome;
};

class AttemptLog {
 public:
  void add(const codec::PeerId& peer, Attempt attempt);
  // Newest first, by their ends.
  std::vector<Attempt> of(const codec::PeerId& peer) const;
  std::size_t peers() const { return table_.size(); }

 private:
  struct Entry {
    std::deque<Attempt> attempts;  // oldest first
    TimePoint last{};
  };
  void make_room();

  std::unordered_map<codec::PeerId, Entry> table_;
};

// One attempt under way: written to the log when this goes, as cancelled unless end() was called.
// The log outlives it.
class LoggedAttempt {
 public:
  LoggedAttempt(AttemptLog& log, Clock& clock, codec::PeerId peer, codec::Multiaddr address,
                Origin how);
  ~LoggedAttempt();
  LoggedAttempt(const LoggedAttempt&) = delete;
  LoggedAttempt& operator=(const LoggedAttempt&) = delete;

  void end(error_code outcome) { attempt_.outcome = outcome; }

 private:
  AttemptLog& log_;
  Clock& clock_;
  codec::PeerId peer_;
  Attempt attempt_;
};

}  // namespace oc::p2p
