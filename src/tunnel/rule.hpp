// Rule: one routing rule of this node, as data; and how the words of a user become one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "codec/peer_id.hpp"
#include "overlay/network.hpp"

namespace oc::tunnel {

using RuleId = Strong<struct RuleIdTag, std::string>;

inline constexpr std::size_t kMaxTargets = 64;
inline constexpr std::size_t kMaxTags = 16;
inline constexpr std::size_t kMaxRuleText = 512;

enum class RuleDirection { egress, ingress };
enum class RuleKind { tcp };

std::string_view to_text(RuleDirection direction);
std::string_view to_text(RuleKind kind);

// A peer's port: where an egress rule sends to.
struct PeerTarget {
  codec::PeerId peer;
  Port port;
  bool operator==(const PeerTarget&) const = default;
};

// Where an ingress rule lets tunnels out: a host and port, or a Unix socket.
struct HostTarget {
  std::string host;
  Port port;
  bool operator==(const HostTarget&) const = default;
};
struct UnixTarget {
  std::string path;
  bool operator==(const UnixTarget&) const = default;
};
using LocalTarget = std::variant<HostTarget, UnixTarget>;
std::string to_text(const LocalTarget& target);

struct Rule {
  RuleId id;
  overlay::NetworkName network;
  RuleDirection direction = RuleDirection::egress;
  RuleKind kind = RuleKind::tcp;
  Port port;  // egress: listened on; ingress: the port that tunnels name

  // egress
  std::string bind = "127.0.0.1";
  std::vector<PeerTarget> targets;

  // ingress
  std::optional<codec::PeerId> from;  // nobody: any member of the network
  LocalTarget to;

  bool enabled = true;
  std::vector<std::string> tags;
  WallTime created{};
  std::optional<WallTime> expires;

  // The same rule but for its id, dates, tags and switch.
  bool same_as(const Rule& other) const;
  // Origin and target as product.md writes them; `self` is this node.
  std::string origin_text(const codec::PeerId& self) const;
  std::string target_text(const codec::PeerId& self) const;
};

// A rule in a user's words; empty strings were not given.
struct RuleText {
  std::string direction, kind, origin, target, network, bind, to;
  std::optional<std::uint32_t> port;
  std::vector<std::string> tags;
  bool disabled = false;
  std::optional<std::uint64_t> expires_in_seconds;
};

struct RuleContext {
  codec::PeerId self;
  std::vector<overlay::NetworkName> networks;  // the first is the default
  // A peer id, unique prefix, or node name to a peer id.
  std::function<Outcome<codec::PeerId>(const std::string&)> resolve;
  WallTime now{};
};

// Everything but the id. A missing peer (":8080") is this node. Faults: bad_rule, kind_unsupported,
// network_unknown, bad_peer_reference. An ingress rule whose origin names this node and whose
// target another one is read the other way round (the article prints it so).
Outcome<Rule> parse_rule(const RuleText& text, const RuleContext& context);

// "HOST:PORT", "[v6]:PORT", "unix:/path".
Outcome<LocalTarget> parse_local_target(const std::string& text);

}  // namespace oc::tunnel
