// Fault: an error as a user meets it, with a stable code, a sentence, and a hint.
//
// The same code stands on the command line, in the API, in the log and in a rule's state.
// docs/errors.md lists them all; src/base/fault_test.cpp holds that list against this one.
#pragma once

#include <boost/system/result.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace oc {

// 1xxx command line and configuration, 2xxx reaching peers, 3xxx rules and tunnels,
// 4xxx who may do what, 5xxx certificates, 6xxx store.
enum class FaultCode : int {
  // 1xxx
  bad_flag = 1001,         // a flag's value cannot be used
  bad_config_file = 1002,  // the configuration file cannot be read or has a wrong entry
  bad_bootstrap_string = 1003,
  bad_multiaddr = 1004,
  bad_credentials_format = 1005,
  bad_request = 1006,  // an API request's body or parameters are not of the expected form
  unknown_route = 1007,
  body_too_large = 1008,
  bad_peer_reference = 1009,  // not a peer id, unique prefix or node name
  cannot_listen = 1010,       // an address or port of the node itself cannot be listened on
  api_unreachable = 1011,     // the client found no node at --host
  unexpected_answer = 1012,   // what answered is not an Open-Chat node, or of another version
  internal = 1099,
  // 2xxx
  peer_unknown = 2001,      // no member by that id
  peer_unreachable = 2002,  // no address of the peer answered
  peer_not_member = 2003,
  handshake_refused = 2004,  // network name or password differ from the other side's
  peer_timed_out = 2005,
  network_unknown = 2006,
  too_many_attempts = 2007,  // proofs of membership are rate-limited
  link_lost = 2008,          // the connection broke during the operation
  address_refused = 2009,    // these say how one address of a peer failed
  no_route = 2010,
  name_not_resolved = 2011,
  wrong_peer = 2012,
  relay_failed = 2013,
  bad_handshake = 2014,
  // 3xxx
  bad_rule = 3001,  // origin, target or port of a rule make no sense
  kind_unsupported = 3002,
  rule_not_found = 3003,
  port_in_use = 3101,      // the rule's port cannot be listened on
  no_ingress_rule = 3103,  // the peer has no rule that lets this tunnel out
  target_refused = 3104,   // nobody listens on the target of the peer
  target_timed_out = 3105,
  tunnel_limit = 3106,      // a bound on tunnels is reached
  tunnel_malformed = 3107,  // the peer's tunnel header was not understood
  not_probed = 3108,        // the rule is new: its target was not reached yet
  // 4xxx
  not_logged_in = 4001,
  wrong_credentials = 4002,
  forbidden = 4003,  // logged in, but the role does not allow it
  too_many_logins = 4004,
  foreign_origin = 4005,  // Host or Origin is not this node's
  // 6xxx
  store_unavailable = 6001,
  store_locked = 6002,  // another node has this store open
  store_too_new = 6003  // written by a newer version
};

struct FaultEntry {
  FaultCode code;
  int http_status;
  std::string_view name;     // the enumerator's name
  std::string_view summary;  // what it means, one sentence
  std::string_view hint;     // what to do about it, one sentence
};

// Every fault there is, in order of its code.
std::span<const FaultEntry> fault_catalogue();
// The entry of a code; nullopt for a number that is none (a newer peer may send one).
std::optional<FaultEntry> find_fault(int code);

struct Fault {
  Fault() = default;                           // what error() of a successful Outcome gives
  Fault(FaultCode code, std::string message);  // with the catalogue's hint
  Fault(FaultCode code, std::string message, std::string hint);

  FaultCode code = FaultCode::internal;
  std::string message;  // what happened to what, one sentence without a full stop
  std::string hint;

  int http_status() const;
  // "OC-3104: nobody listens on 127.0.0.1:8080 of node nas — start the service or …"
  std::string to_string() const;
};

// For functions whose errors go to a user.
template <class T>
class [[nodiscard]] Outcome : public boost::system::result<T, Fault> {
 public:
  using boost::system::result<T, Fault>::result;
};

// boost::system::result<T, E> asks for this when value() is called on an error: always a bug.
[[noreturn]] void throw_exception_from_error(const Fault& fault,
                                             const boost::source_location& where);

}  // namespace oc
