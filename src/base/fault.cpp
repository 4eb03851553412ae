#include "base/fault.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/assert.hpp"

namespace oc {
namespace {

using enum FaultCode;

constexpr std::array kCatalogue = {
    FaultEntry{bad_flag, 400, "bad_flag", "A flag's value cannot be used.",
               "see --help for the flag's form"},
    FaultEntry{bad_config_file, 400, "bad_config_file",
               "The configuration file cannot be read or has a wrong entry.",
               "correct the named line; the names are those of the flags"},
    FaultEntry{
        bad_bootstrap_string, 400, "bad_bootstrap_string",
        "A bootstrap string is not what `client identity -b64` prints.",
        "copy the whole line that `open-chat client identity -b64` prints on the other node"},
    FaultEntry{bad_multiaddr, 400, "bad_multiaddr", "An address is not a multiaddr.",
               "write it like /ip4/203.0.113.7/tcp/1985"},
    FaultEntry{bad_credentials_format, 400, "bad_credentials_format",
               "Credentials are not of the form NAME:PASSWORD.", "write NAME:PASSWORD"},
    FaultEntry{bad_request, 400, "bad_request",
               "A request's body or parameters are not of the expected form.",
               "see /api/openapi.json for the expected form"},
    FaultEntry{unknown_route, 404, "unknown_route", "The API has no such path.",
               "see /api/openapi.json for the paths"},
    FaultEntry{body_too_large, 413, "body_too_large",
               "A request's body is larger than the API takes.", "send less at once"},
    FaultEntry{bad_peer_reference, 404, "bad_peer_reference",
               "A peer is named by something that is no peer id, unique prefix or node name.",
               "`open-chat client nodes -ls` lists the members"},
    FaultEntry{cannot_listen, 500, "cannot_listen",
               "The node cannot listen on an address of its own.",
               "choose another port, or end the program that has it"},
    FaultEntry{api_unreachable, 502, "api_unreachable", "No node answered at the client's --host.",
               "start the node, or name it by --host or OPEN_CHAT_HOST"},
    FaultEntry{unexpected_answer, 502, "unexpected_answer",
               "What answered does not speak this API.",
               "check --host; both sides should be of a similar version"},
    FaultEntry{internal, 500, "internal", "The node made a mistake.",
               "please report it with the log"},
    FaultEntry{peer_unknown, 404, "peer_unknown", "No member has that peer id.",
               "`open-chat client nodes -ls` lists the members"},
    FaultEntry{peer_unreachable, 502, "peer_unreachable", "No address of the peer answered.",
               "check that the node runs and that one of its addresses can be reached"},
    FaultEntry{peer_not_member, 403, "peer_not_member", "The peer is not a member of the network.",
               "start it with the network's credentials"},
    FaultEntry{handshake_refused, 403, "handshake_refused",
               "The network's name or password differs between the two sides.",
               "use the same --default-network-credentials on both nodes"},
    FaultEntry{peer_timed_out, 504, "peer_timed_out", "The peer did not answer in time.",
               "try again; `open-chat client ping` shows whether it is there"},
    FaultEntry{network_unknown, 404, "network_unknown", "This node is in no network of that name.",
               "name a network that the node has joined"},
    FaultEntry{too_many_attempts, 429, "too_many_attempts", "Too many failed proofs of membership.",
               "wait a minute, then try with the right password"},
    FaultEntry{link_lost, 502, "link_lost",
               "The connection to the peer broke during the operation.",
               "try again; the node reconnects by itself"},
    FaultEntry{address_refused, 502, "address_refused",
               "Nothing listens at an address of the peer.",
               "start the node there, or correct the port"},
    FaultEntry{no_route, 502, "no_route", "This host's networks do not lead to an address.",
               "it may be of another LAN, or of IPv6 where this host has none"},
    FaultEntry{name_not_resolved, 502, "name_not_resolved", "The name in an address was not found.",
               "check the name, and the DNS servers of this host"},
    FaultEntry{wrong_peer, 502, "wrong_peer", "Another node answered at an address of the peer.",
               "the address belongs to that node now; register the peer's new bootstrap string"},
    FaultEntry{relay_failed, 502, "relay_failed", "A relay did not lead to the peer.",
               "the peer may have left that relay; its next ones are tried by themselves"},
    FaultEntry{bad_handshake, 502, "bad_handshake",
               "What answered at an address did not shake hands as libp2p does.",
               "check that the port is the other node's --p2pport"},
    FaultEntry{bad_rule, 400, "bad_rule", "A rule's origin, target or port makes no sense.",
               "egress: <this peer>:<port> to <peer>:<port>; ingress: <peer>:<port> to <this "
               "peer>:<port>"},
    FaultEntry{kind_unsupported, 400, "kind_unsupported",
               "This version cannot carry that kind of rule.", "use --kind tcp"},
    FaultEntry{rule_not_found, 404, "rule_not_found", "There is no rule with that id.",
               "`open-chat client proxies` lists the rules"},
    FaultEntry{port_in_use, 409, "port_in_use", "The rule's port cannot be listened on.",
               "choose another port, or end the program that has it"},
    FaultEntry{no_ingress_rule, 502, "no_ingress_rule",
               "The peer has no rule that lets this tunnel out.",
               "create the ingress rule on that node"},
    FaultEntry{target_refused, 502, "target_refused", "Nobody listens on the rule's target.",
               "start the service or correct the rule's --to"},
    FaultEntry{target_timed_out, 504, "target_timed_out",
               "The rule's target did not answer in time.",
               "check the service and the rule's --to"},
    FaultEntry{tunnel_limit, 503, "tunnel_limit", "A bound on open tunnels is reached.",
               "close some, or spread them over more nodes"},
    FaultEntry{tunnel_malformed, 502, "tunnel_malformed", "A tunnel's header was not understood.",
               "run the same version on both nodes"},
    FaultEntry{not_probed, 503, "not_probed", "The rule's target was not reached yet.",
               "wait a moment; `open-chat client proxies` shows the state"},
    FaultEntry{not_logged_in, 401, "not_logged_in", "The request carries no valid session.",
               "run `open-chat client login`"},
    FaultEntry{wrong_credentials, 401, "wrong_credentials", "User name or password is wrong.",
               "the first start of the node printed the user and, if generated, the password"},
    FaultEntry{forbidden, 403, "forbidden", "The session's role does not allow this.",
               "log in with the root credentials of that node"},
    FaultEntry{too_many_logins, 429, "too_many_logins", "Too many failed logins.",
               "wait as long as Retry-After says"},
    FaultEntry{foreign_origin, 403, "foreign_origin",
               "The request's Host or Origin is not this node's.",
               "open the page by the address the node listens on"},
    FaultEntry{store_unavailable, 503, "store_unavailable", "The store cannot be read or written.",
               "check the disk and the file's permissions"},
    FaultEntry{store_locked, 503, "store_locked", "Another node has this store open.",
               "give this node its own --db-path"},
    FaultEntry{store_too_new, 503, "store_too_new", "A newer version has written this store.",
               "run that version, or give another --db-path"},
};

const FaultEntry& entry_of(FaultCode code) {
  const auto* found = std::find_if(kCatalogue.begin(), kCatalogue.end(),
                                   [code](const FaultEntry& e) { return e.code == code; });
  ASSERT(found != kCatalogue.end());
  return *found;
}

}  // namespace

std::span<const FaultEntry> fault_catalogue() { return kCatalogue; }

std::optional<FaultEntry> find_fault(int code) {
  for (const FaultEntry& entry : kCatalogue) {
    if (static_cast<int>(entry.code) == code) return entry;
  }
  return std::nullopt;
}

Fault::Fault(FaultCode c, std::string m) : code(c), message(std::move(m)), hint(entry_of(c).hint) {}
Fault::Fault(FaultCode c, std::string m, std::string h)
    : code(c), message(std::move(m)), hint(std::move(h)) {}

int Fault::http_status() const { return entry_of(code).http_status; }

std::string Fault::to_string() const {
  std::string text = "OC-" + std::to_string(static_cast<int>(code)) + ": " + message;
  if (!hint.empty()) text += " — " + hint;
  return text;
}

void throw_exception_from_error(const Fault& fault, const boost::source_location&) {
  throw std::logic_error("value() of a failed Outcome: " + fault.to_string());
}

}  // namespace oc
