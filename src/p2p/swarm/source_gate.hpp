// SourceGate: how many connections, and new ones a second, a source may have. Pure state.
//
// A source is an IPv4 address, or an IPv6 /56 within its /48; loopback is free. Of a circuit it is
// the relay.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "codec/peer_id.hpp"
#include "p2p/swarm/resource_limits.hpp"

namespace oc::p2p {

// Sources remembered: all that have connections, and of the others those whose buckets will be full
// last.
inline constexpr std::size_t kMaxSources = 8192;

// Where a connection came from: an address, or the relay that handed over the circuit.
using Source = std::variant<boost::asio::ip::address, codec::PeerId>;
std::string to_text(const Source& source);

class SourceGate {
 public:
  explicit SourceGate(const ResourceLimits& limits)
      : narrow_(limits.source), wide_(limits.source_v6_48), relay_(limits.relay) {}
  SourceGate(const SourceGate&) = delete;  // entries refer to the limits in it
  SourceGate& operator=(const SourceGate&) = delete;

  enum class Refused { count, rate };
  // Which bound forbids a connection, if one does.
  std::optional<Refused> refusal(const Source& source, TimePoint now) const;
  // Counts a connection, or says which bound forbids it (and has counted nothing).
  std::optional<Refused> enter(const Source& source, TimePoint now);
  // The connection's peer is trusted: it gives its token back, and counts among the trusted. False
  // when these are too many and places are `scarce`; then nothing has changed.
  bool welcome(const Source& source, bool scarce);
  // The connection ended; `welcomed` when welcome() took it.
  void leave(const Source& source, bool welcomed = false);

  // Names the widest that may be one person's: an IPv4 address, a /48, a relay. Loopback is empty.
  Bytes widest(const Source& source) const;

  std::size_t size() const { return table_.size(); }

 private:
  using Key = Bytes;  // the prefix, or the relay's id; its length tells the kinds apart
  struct Entry {
    const SourceLimits* limits;
    std::size_t connections = 0;
    std::size_t trusted = 0;
    double tokens = 0;  // at `refilled`
    TimePoint refilled{};

    double tokens_at(TimePoint now) const;
    TimePoint full_at() const;
    bool idle() const { return connections == 0 && trusted == 0; }
  };
  struct Prefix {
    Key key;
    const SourceLimits* limits;
  };
  std::vector<Prefix> prefixes_of(const Source& source) const;
  std::vector<Prefix> prefixes_of_address(const boost::asio::ip::address& source) const;
  // The entry to count a connection in, with its bucket refilled.
  Entry& entry_for(const Prefix& prefix, TimePoint now);

  SourceLimits narrow_;
  SourceLimits wide_;
  SourceLimits relay_;
  std::map<Key, Entry> table_;
  std::set<std::pair<TimePoint, Key>> idle_;  // without connections, by full_at()
};

}  // namespace oc::p2p
