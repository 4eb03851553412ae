// Candidates: peers of whom nothing is known but that somebody on the LAN says where they are. Pure
// state.
//
// A candidate may be a member, and costs a dial to find out; and whoever is on the LAN can invent
// as many as he likes, and make us prove to him that we are a member, which gives him a guess at
// the password each time. So few are dialed, and who turns out to be none is left alone.
#pragma once

#include <map>
#include <vector>

#include "base/clock.hpp"
#include "base/token_bucket.hpp"
#include "codec/multiaddr.hpp"

namespace oc::overlay {

inline constexpr std::size_t kMaxCandidates = 256;
// Addresses kept of one. A member's own are dialed beside them, 8 at once: false ones must not take
// all these places.
inline constexpr std::size_t kMaxCandidateAddresses = 4;
// Candidates that are dialed in a row, and after that: about as often as a stranger may fail to
// prove membership to us (kMaxFailedProofs).
inline constexpr int kCandidateBurst = 16;
inline constexpr Duration kCandidateInterval = std::chrono::seconds(10);
// Who is no member is dialed again after so long: somebody may mend it.
inline constexpr Duration kRefusedCandidateRetry = std::chrono::minutes(10);
// Who could not be reached is dialed again after so long; each failure doubles it up to the last.
inline constexpr Duration kFirstCandidateRetry = std::chrono::seconds(30);
inline constexpr Duration kLastCandidateRetry = std::chrono::minutes(10);
// Who was not heard of for so long is forgotten: mDNS asks every five minutes.
inline constexpr Duration kCandidateLifetime = std::chrono::minutes(15);

class Candidates {
 public:
  // Says that the peer is there, or still is; its new addresses take the place of the old ones.
  // False when there are too many others.
  bool add(const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses, TimePoint now);

  // Those that may be dialed, who has waited longest first. take() one before dialing it.
  std::vector<codec::PeerId> due(TimePoint now) const;
  // Whether one may be dialed now, for which it is put off as if it could not be reached.
  bool take(const codec::PeerId& peer, TimePoint now);
  // It was reached, and is no member.
  void refused(const codec::PeerId& peer, TimePoint now);

  // Empty when the peer is no candidate.
  std::vector<codec::Multiaddr> addresses_of(const codec::PeerId& peer) const;
  std::size_t size() const { return table_.size(); }

 private:
  struct Entry {
    std::vector<codec::Multiaddr> addresses;
    TimePoint heard{};
    TimePoint next{};
    int tries = 0;
  };

  std::map<codec::PeerId, Entry> table_;
  TokenBucket dials_{kCandidateInterval, kCandidateBurst};
};

}  // namespace oc::overlay
