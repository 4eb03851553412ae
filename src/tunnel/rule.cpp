#include "tunnel/rule.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace oc::tunnel {
namespace {

// The furthest a rule may expire: ten years, well inside every clock.
constexpr std::uint64_t kMaxExpiry = 10ull * 365 * 24 * 3600;

Fault bad(std::string message) { return {FaultCode::bad_rule, std::move(message)}; }

Outcome<Port> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > 65535) {
    return bad("\"" + std::string(text) + "\" is not a port from 1 to 65535");
  }
  return Port(static_cast<std::uint16_t>(value));
}

// "<name>:<port>" of an origin or a target; either may be missing.
struct Place {
  std::string name;
  std::optional<Port> port;
};

Outcome<Place> parse_place(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return Place{text, std::nullopt};
  auto port = parse_port(std::string_view(text).substr(colon + 1));
  if (!port) return port.error();
  return Place{text.substr(0, colon), *port};
}

// No name is this node.
Outcome<codec::PeerId> resolve(const RuleContext& context, const std::string& name) {
  if (name.empty()) return context.self;
  return context.resolve(name);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (;;) {
    const auto end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

// An IP address, or a host name as a resolver takes it.
bool names_host(const std::string& host) {
  constexpr std::size_t kMaxHostName = 253;
  boost::system::error_code not_ip;
  boost::asio::ip::make_address(host, not_ip);
  if (!not_ip) return true;
  if (host.empty() || host.size() > kMaxHostName) return false;
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

Outcome<Rule> parse_egress(const RuleText& text, const RuleContext& context, Rule rule) {
  if (text.target.empty()) return bad("an egress rule needs a target <peer>:<port>");
  if (!text.to.empty()) return bad("--to belongs to ingress rules");
  std::optional<Port> port;
  if (!text.origin.empty()) {
    auto origin = parse_place(text.origin);
    if (!origin) return origin.error();
    auto peer = resolve(context, origin->name);
    if (!peer) return peer.error();
    if (*peer != context.self)
      return bad("the origin of an egress rule is this node, not " + origin->name);
    port = origin->port;
  }
  if (text.port) {
    auto given = parse_port(std::to_string(*text.port));
    if (!given) return given.error();
    if (port && *port != *given) return bad("the origin and --port name different ports");
    port = *given;
  }
  if (!port) return bad("an egress rule needs a port to listen on: in its origin, or by --port");
  rule.port = *port;
  for (const std::string& part : split(text.target, ',')) {
    auto target = parse_place(part);
    if (!target) return target.error();
    auto peer = resolve(context, target->name);
    if (!peer) return peer.error();
    if (*peer == context.self) return bad("the target of an egress rule is another node");
    if (rule.targets.size() >= kMaxTargets) return bad("too many targets");
    rule.targets.push_back({*peer, target->port.value_or(rule.port)});
  }
  if (!text.bind.empty()) {
    boost::system::error_code not_ip;
    const auto ip = boost::asio::ip::make_address(text.bind, not_ip);
    if (not_ip) return bad("--bind \"" + text.bind + "\" is not an IP address");
    rule.bind = ip.to_string();
  }
  return rule;
}

Outcome<Rule> parse_ingress(const RuleText& text, const RuleContext& context, Rule rule) {
  if (!text.bind.empty()) return bad("--bind belongs to egress rules");
  if (text.target.find(',') != std::string::npos) return bad("an ingress rule has one target");
  auto origin = parse_place(text.origin.empty() ? "*" : text.origin);
  if (!origin) return origin.error();
  auto target = parse_place(text.target);
  if (!target) return target.error();
  std::optional<codec::PeerId> from;
  if (origin->name != "*") {
    auto peer = resolve(context, origin->name);
    if (!peer) return peer.error();
    from = *peer;
  }
  auto here = resolve(context, target->name);
  if (!here) return here.error();
  if (from == context.self && *here != context.self) {
    std::swap(*from, *here);
    std::swap(origin->port, target->port);
  }
  if (*here != context.self)
    return bad("the target of an ingress rule is this node, not " + target->name);
  if (from == context.self) return bad("an ingress rule takes tunnels from another node");
  rule.from = from;
  std::optional<Port> port = target->port ? target->port : origin->port;
  if (text.port) {
    auto given = parse_port(std::to_string(*text.port));
    if (!given) return given.error();
    if (port && *port != *given) return bad("the target and --port name different ports");
    port = *given;
  }
  if (!port) return bad("an ingress rule needs a port: in its target, or by --port");
  rule.port = *port;
  rule.to = HostTarget{"127.0.0.1", *port};
  if (!text.to.empty()) {
    auto to = parse_local_target(text.to);
    if (!to) return to.error();
    rule.to = *to;
  }
  return rule;
}

}  // namespace

std::string_view to_text(RuleDirection direction) {
  return direction == RuleDirection::egress ? "egress" : "ingress";
}

std::string_view to_text(RuleKind) { return "tcp"; }

std::string to_text(const LocalTarget& target) {
  if (const auto* socket = std::get_if<UnixTarget>(&target)) return "unix:" + socket->path;
  const auto& host = std::get<HostTarget>(target);
  const bool v6 = host.host.find(':') != std::string::npos;
  return (v6 ? "[" + host.host + "]" : host.host) + ":" + std::to_string(host.port.value());
}

Outcome<LocalTarget> parse_local_target(const std::string& text) {
  constexpr std::string_view kUnix = "unix:";
  // sockaddr_un holds 107 bytes and a NUL.
  constexpr std::size_t kMaxUnixPath = 107;
  if (text.starts_with(kUnix)) {
    const std::string path = text.substr(kUnix.size());
    const bool control =
        std::ranges::any_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (path.empty() || path.front() != '/' || path.size() > kMaxUnixPath || control) {
      return bad("\"" + text + "\" is not unix:/path of at most 107 bytes");
    }
    return LocalTarget(UnixTarget{path});
  }
  auto place = parse_place(text);
  if (!place) return place.error();
  std::string host = place->name;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool v6 = host.find(':') != std::string::npos;
  if (!place->port || v6 != bracketed || !names_host(host)) {
    return bad("\"" + text + "\" is not HOST:PORT, [IPv6]:PORT or unix:/path");
  }
  return LocalTarget(HostTarget{host, *place->port});
}

bool Rule::same_as(const Rule& other) const {
  return network == other.network && direction == other.direction && kind == other.kind &&
         port == other.port && bind == other.bind && targets == other.targets &&
         from == other.from && to == other.to;
}

std::string Rule::origin_text(const codec::PeerId& self) const {
  const std::string at = ":" + std::to_string(port.value());
  if (direction == RuleDirection::egress) return self.to_string() + at;
  return (from ? from->to_string() : "*") + at;
}

std::string Rule::target_text(const codec::PeerId& self) const {
  if (direction == RuleDirection::ingress)
    return self.to_string() + ":" + std::to_string(port.value());
  std::string out;
  for (const PeerTarget& target : targets) {
    if (!out.empty()) out += ',';
    out += target.peer.to_string() + ":" + std::to_string(target.port.value());
  }
  return out;
}

Outcome<Rule> parse_rule(const RuleText& text, const RuleContext& context) {
  for (const std::string* part :
       {&text.origin, &text.target, &text.network, &text.bind, &text.to}) {
    if (part->size() > kMaxRuleText * (part == &text.target ? kMaxTargets : 1))
      return bad("a value is too long");
  }
  Rule rule;
  rule.created = context.now;
  rule.enabled = !text.disabled;
  if (text.kind != "tcp" && !text.kind.empty()) {
    const bool planned =
        text.kind == "udp" || text.kind == "tls" || text.kind == "http" || text.kind == "sni";
    if (planned)
      return Fault(FaultCode::kind_unsupported, "this version has no rules of kind " + text.kind);
    return bad("\"" + text.kind + "\" is no kind of rule");
  }
  if (text.tags.size() > kMaxTags) return bad("a rule has at most 16 tags");
  for (const std::string& tag : text.tags) {
    if (tag.empty() || tag.size() > overlay::kMaxNetworkName) return bad("a tag has 1 to 64 bytes");
  }
  rule.tags = text.tags;
  if (text.expires_in_seconds) {
    if (*text.expires_in_seconds == 0 || *text.expires_in_seconds > kMaxExpiry) {
      return bad("--expires-in is between one second and ten years");
    }
    rule.expires = context.now + std::chrono::seconds(*text.expires_in_seconds);
  }
  if (context.networks.empty())
    return Fault(FaultCode::network_unknown, "this node is in no network");
  rule.network = context.networks.front();
  if (!text.network.empty()) {
    const auto found = std::ranges::find(context.networks, overlay::NetworkName(text.network));
    if (found == context.networks.end()) {
      return Fault(FaultCode::network_unknown, "this node is not in network " + text.network);
    }
    rule.network = *found;
  }
  if (text.direction == "egress") {
    rule.direction = RuleDirection::egress;
    return parse_egress(text, context, std::move(rule));
  }
  if (text.direction == "ingress") {
    rule.direction = RuleDirection::ingress;
    return parse_ingress(text, context, std::move(rule));
  }
  return bad("the direction is egress or ingress, not \"" + text.direction + "\"");
}

}  // namespace oc::tunnel
