// NodeFace: all that the API needs of the running node. node/ implements it over the overlay and
// the tunnels; tests fake it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/fault.hpp"
#include "net/http.hpp"

namespace oc::api {

// One of the node's own addresses.
struct AddressView {
  std::string address;  // a multiaddr
  std::string source;   // "announced", "mapped", "observed", "listened"
  std::string state;    // "reachable", "unreachable", "unknown"
  std::optional<WallTime> checked;
  std::size_t servers = 0;  // how many others the newest answers are from
};

// A relay that lets others reach this node.
struct RelayView {
  std::string peer_id;
  WallTime expires{};  // renewed before
};

struct NetcheckView {
  std::string state;  // "reachable" from the internet, "unreachable", "unknown"
  std::vector<AddressView> addresses;
  std::string mapping;  // "none", "endpoint-independent", "address-dependent", "unknown"
  std::size_t observers = 0;
  std::string port_mapping;       // "off", "upnp 203.0.113.7:1985", or why there is none
  std::vector<RelayView> relays;  // that this node uses
  std::string relaying;           // for others: "nobody", "members", "everybody"
  std::size_t reservations = 0, circuits = 0;  // that it serves
};

struct IdentityView {
  std::string peer_id;
  std::string name;
  std::string version;
  std::vector<std::string> networks;
  std::vector<std::string> addresses;  // multiaddrs others can dial, each ending in /p2p/<peer id>
  std::string bootstrap_string;        // what `identity -b64` prints
  std::vector<std::string> states;     // of the addresses, see AddressView
};

struct MemberView {
  std::string peer_id;
  std::string name;
  std::string version;
  std::vector<std::string> networks;
  std::vector<std::string> addresses;
  bool self = false;
  bool online = false;
  std::string path;  // "direct tcp /ip4/…", "lan tcp /ip4/…", "circuit via <peer>"; "" when offline
  std::optional<double> round_trip_ms;
  std::optional<WallTime> last_contact;
};

// A rule as a user writes it; strings are taken as given, the node parses and checks them.
struct RuleRequest {
  std::string direction;  // "egress", "ingress"
  std::string kind;       // "tcp", …
  std::string origin;
  std::string target;
  std::string network;  // "" = the only one, or the default
  std::string bind;     // "" = 127.0.0.1
  std::optional<std::uint32_t> port;
  std::string to;  // ingress: HOST:PORT or unix:/path; "" = 127.0.0.1:<port>
  std::string key_prefix;
  std::vector<std::string> tags;
  bool disabled = false;
  std::optional<std::uint64_t> expires_in_seconds;
};

struct RuleView {
  std::string id;
  std::string network, direction, kind, origin, target, bind, to;
  std::uint16_t port = 0;
  std::vector<std::string> tags;
  bool enabled = true;
  std::string state;            // "up", "degraded", "down", "disabled", "expired"
  std::optional<Fault> reason;  // why it is not up
  std::uint64_t connections = 0, open = 0, failures = 0, bytes_in = 0, bytes_out = 0;
  std::optional<double> connect_ms;  // mean time to connect of the last ones
  WallTime created{};
};

struct PingView {
  std::vector<double> round_trips_ms;
};

// One of the connections to a member.
struct ConnectionView {
  std::string path;      // as of MemberView
  std::string origin;    // "accepted", "dialed", "reversed", "punched": how it came about
  std::string security;  // "/tls/1.0.0", "/noise"
  std::optional<double> round_trip_ms;
  WallTime opened{};
  std::size_t streams = 0;
  bool limited = false;  // the relay cuts it after some time or some bytes
  bool member = false;   // the peer has proved on it that it is a member
  bool used = false;     // new tunnels take it
};

// What was tried to get one.
struct AttemptView {
  std::string address;
  std::string how;  // "dialed", "reversed", "punched"
  WallTime started{};
  double took_ms = 0;
  std::string result;           // "connected", "failed", or "not needed": another one was faster
  std::optional<Fault> reason;  // why it failed
};

struct PathView {
  std::string peer_id;
  std::string name;
  bool online = false;
  std::optional<Fault> reason;              // why not
  std::vector<ConnectionView> connections;  // best first
  std::vector<AttemptView> attempts;        // newest first
};

class NodeFace {
 public:
  virtual ~NodeFace() = default;
  virtual IdentityView identity() const = 0;
  virtual NetcheckView netcheck() const = 0;
  virtual std::vector<MemberView> members() const = 0;
  // Full peer id for a peer id, unique prefix of one, or node name.
  virtual Outcome<std::string> resolve_peer(const std::string& reference) const = 0;
  // Adds a peer by its bootstrap string and connects to it in the background.
  virtual Outcome<std::string> register_peer(const std::string& bootstrap_string) = 0;
  virtual awaitable<Outcome<PingView>> ping(std::string peer_id, int count) = 0;
  // Dials the member first when it is offline.
  virtual awaitable<Outcome<PathView>> path(std::string peer_id) = 0;
  // Sends a request to another member over the overlay and gives its answer.
  virtual awaitable<Outcome<net::HttpResponse>> request(std::string peer_id,
                                                        net::HttpRequest request) = 0;

  virtual std::vector<RuleView> rules() const = 0;
  // Creates the rule, or returns the one that is the same. Live, and in the store, when it returns.
  struct Created {
    RuleView rule;
    bool is_new;
  };
  virtual awaitable<Outcome<Created>> create_rule(RuleRequest request) = 0;
  virtual awaitable<Outcome<RuleView>> enable_rule(std::string id, bool enabled) = 0;
  // Outcome<bool> is true on success (an Outcome cannot hold void and a Fault at once portably).
  virtual awaitable<Outcome<bool>> delete_rule(std::string id) = 0;

  // Host and node figures as one JSON object (text), and the Prometheus exposition.
  virtual std::string metrics_json() const = 0;
  virtual std::string metrics_prometheus() const = 0;
};

}  // namespace oc::api
