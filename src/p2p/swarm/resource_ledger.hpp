// ResourceLedger: who has how many connections, streams and unread bytes, and who gets no more.
//
// What is granted is a slot, which gives back what it holds when it goes. A connection's slot:
//
//   accept() or dial()      system, transient; inbound also its source
//   identify(peer)          leaves transient; joins peer and untrusted
//   trust()                 leaves untrusted; counts among its source's trusted
//
// A stream's: open_stream() is in system, peer and, on an untrusted connection, untrusted; inbound
// there also in transient, until negotiate(protocol) moves it into protocol and protocol_peer.
//
// Pure state but for debug lines of the log: each refusal is counted by scope and resource, and
// logged with whom it hit. Slots may outlive the ledger.
#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "codec/peer_id.hpp"
#include "p2p/swarm/resource_limits.hpp"
#include "p2p/swarm/source_gate.hpp"
#include "p2p/upgrade/receive_budget.hpp"

namespace oc::p2p {

enum class Scope {
  system,
  transient,
  untrusted,
  peer,
  connection,
  protocol,
  protocol_peer,
  source
};
enum class Resource {
  connection_in,
  connection_out,
  stream_in,
  stream_out,
  memory,
  rate  // of new connections
};
std::string_view to_text(Scope scope);
std::string_view to_text(Resource resource);

struct Refusal {
  Scope scope{};
  Resource resource{};
  auto operator<=>(const Refusal&) const = default;
};

template <class Slot>
using Granted = boost::system::result<Slot, Refusal>;

// What is taken in one scope.
struct ResourceUsage {
  std::size_t connections_in = 0, connections_out = 0, streams_in = 0, streams_out = 0;

  bool empty() const { return connections_in + connections_out + streams_in + streams_out == 0; }
};

class ResourceLedger {
 public:
  explicit ResourceLedger(ResourceLimits limits = {});
  ~ResourceLedger();

  class ConnectionSlot;
  class StreamSlot;

  // A connection that came from `source`; to be asked before anything is spent on it. Another one
  // may be cut for it: see ConnectionSlot::on_cut().
  Granted<ConnectionSlot> accept(const boost::asio::ip::address& source, TimePoint now);
  Granted<ConnectionSlot> dial();
  // A circuit that came in through this relay, to be asked as accept() is.
  Granted<ConnectionSlot> accept_circuit(const codec::PeerId& relay, TimePoint now);

  const ResourceLimits& limits() const;
  // system, transient or untrusted.
  const ResourceUsage& usage(Scope scope) const;
  // Bytes received and not read; system or untrusted.
  std::size_t memory(Scope scope) const;
  // How often what was refused where.
  const std::map<Refusal, std::uint64_t>& refusals() const;
  // Peers and sources remembered now.
  std::size_t peers() const;
  std::size_t sources() const;

 private:
  struct Books;
  Granted<ConnectionSlot> accept_from(Source source, TimePoint now);
  std::shared_ptr<Books> books_;  // shared with the slots
};

// An empty one holds nothing, and grants empty stream slots.
class ResourceLedger::ConnectionSlot {
 public:
  ConnectionSlot() = default;
  ConnectionSlot(ConnectionSlot&&) noexcept = default;
  ConnectionSlot& operator=(ConnectionSlot&& other) noexcept;
  ~ConnectionSlot();

  // The handshake is done. Once; when refused the slot is as before.
  Granted<void> identify(const codec::PeerId& peer);
  // Somebody vouches for the peer. Once identified; again does nothing. Refused, and then the slot
  // is as before, when too many from its source are trusted.
  Granted<void> trust();
  bool trusted() const { return trusted_; }
  // Called when an inbound connection that nobody vouched for has to make room for another: its
  // place is that one's already, and it is refused whatever it asks for; it should end soon. By
  // then, or once it is trusted or identified, the callback is forgotten. Without one it is not
  // cut.
  void on_cut(std::function<void()> callback);

  // What this connection's peer may make us hold now.
  const ConnectionLimits& limits() const;
  // Bounds a session's budget by them, within the scopes this connection is in. The budget must be
  // moved out before the slot goes.
  void bound(ReceiveBudget& session) const;
  // Streams that the muxer refused by limits().streams_in.
  void refused_streams(std::uint64_t count) const;

  Granted<StreamSlot> open_stream(Resource direction) const;

 private:
  friend class ResourceLedger;
  ConnectionSlot(std::shared_ptr<Books> books, Resource direction);
  void release();
  // Whether its place is another's already.
  bool is_cut() const;

  std::shared_ptr<Books> books_;  // null when empty
  Resource direction_ = Resource::connection_in;
  std::optional<Source> source_;  // of an inbound one
  std::uint64_t number_ = 0;      // in the books, of an inbound one until it is trusted
  codec::PeerId peer_;            // empty while transient
  bool trusted_ = false;
};

class ResourceLedger::StreamSlot {
 public:
  StreamSlot() = default;
  StreamSlot(StreamSlot&&) noexcept = default;
  StreamSlot& operator=(StreamSlot&& other) noexcept;
  ~StreamSlot();

  // The inbound stream is for this protocol. Once; when refused the slot is as before. A stream
  // that was opened before its connection was trusted counts as a stranger's.
  Granted<void> negotiate(const std::string& protocol, const StreamLimits& limits);

 private:
  friend class ResourceLedger;
  void release();

  std::shared_ptr<Books> books_;  // null when empty
  Resource direction_ = Resource::stream_in;
  codec::PeerId peer_;
  bool untrusted_ = false;
  bool transient_ = false;
  std::string protocol_;  // empty before negotiate()
};

}  // namespace oc::p2p
