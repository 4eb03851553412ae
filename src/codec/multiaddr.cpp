#include "codec/multiaddr.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "codec/varint.hpp"

namespace oc::codec {
namespace {

struct Step {
  const ProtocolEntry* protocol;
  BytesView value;
};

// Takes one step off the front, without judging its value.
Result<Step> take_step(BytesView& in) {
  BytesView rest = in;
  TRY(const std::uint64_t code, take_uvarint(rest));
  const ProtocolEntry* protocol = find_protocol(code);
  if (protocol == nullptr) return Errc::unsupported;
  BytesView value;
  if (protocol->size == ProtocolEntry::kVariable) {
    TRY(value, take_length_prefixed(rest));
  } else {
    const auto size = static_cast<std::size_t>(protocol->size);
    if (rest.size() < size) return Errc::truncated;
    value = rest.first(size);
    rest = rest.subspan(size);
  }
  in = rest;
  return Step{protocol, value};
}

bool value_valid(const ProtocolEntry& protocol, BytesView value) {
  if (protocol.size >= 0 && value.size() != static_cast<std::size_t>(protocol.size)) return false;
  return protocol.valid == nullptr || protocol.valid(value);
}

void put_step(Bytes& out, const ProtocolEntry& protocol, BytesView value) {
  put_uvarint(out, static_cast<std::uint64_t>(protocol.code));
  if (protocol.size == ProtocolEntry::kVariable) {
    put_length_prefixed(out, value);
  } else {
    append(out, value);
  }
}

void put_step(Bytes& out, Protocol code, BytesView value) {
  const ProtocolEntry* protocol = find_protocol(static_cast<std::uint64_t>(code));
  ASSERT(protocol != nullptr && value_valid(*protocol, value));
  put_step(out, *protocol, value);
}

// Takes the text up to the next slash, and that slash.
std::string_view take_part(std::string_view& text) {
  const std::size_t slash = text.find('/');
  const std::string_view part = text.substr(0, slash);
  text.remove_prefix(slash == text.npos ? text.size() : slash + 1);
  return part;
}

// Takes "name" or "name/value" off the front and appends its bytes.
Result<void> parse_step(std::string_view& text, Bytes& out) {
  const ProtocolEntry* protocol = find_protocol(take_part(text));
  if (protocol == nullptr) return Errc::unsupported;
  Bytes value;
  if (protocol->path) {
    TRY(value, protocol->from_text('/' + std::string(text)));
    text = {};
  } else if (protocol->from_text != nullptr) {
    TRY(value, protocol->from_text(take_part(text)));
  }
  if (!value_valid(*protocol, value)) return Errc::malformed;
  put_step(out, *protocol, value);
  return success();
}

}  // namespace

Result<Multiaddr> Multiaddr::parse(std::string_view text) {
  if (text.size() > kMaxText) return Errc::limit_exceeded;
  if (!text.starts_with('/')) return Errc::malformed;
  text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return Errc::malformed;
  Bytes bytes;
  for (std::size_t steps = 0; !text.empty(); ++steps) {
    if (steps == kMaxComponents) return Errc::limit_exceeded;
    CHECK(parse_step(text, bytes));
  }
  if (bytes.size() > kMaxBytes) return Errc::limit_exceeded;
  return Multiaddr(std::move(bytes));
}

Result<Multiaddr> Multiaddr::from_bytes(BytesView bytes) {
  if (bytes.size() > kMaxBytes) return Errc::limit_exceeded;
  if (bytes.empty()) return Errc::malformed;
  std::size_t steps = 0;
  for (BytesView rest = bytes; !rest.empty(); ++steps) {
    if (steps == kMaxComponents) return Errc::limit_exceeded;
    TRY(const Step step, take_step(rest));
    if (!value_valid(*step.protocol, step.value)) return Errc::malformed;
    // Text could not say what lies behind a path.
    if (step.protocol->path && !rest.empty()) return Errc::malformed;
  }
  return Multiaddr(to_bytes(bytes));
}

Multiaddr Multiaddr::from_tcp(const TcpEndpoint& endpoint) {
  Bytes bytes;
  if (!endpoint.zone.empty()) put_step(bytes, Protocol::ip6zone, as_bytes(endpoint.zone));
  const BytesView ip(endpoint.address.data(), endpoint.v6 ? 16 : 4);
  put_step(bytes, endpoint.v6 ? Protocol::ip6 : Protocol::ip4, ip);
  FixedBytes<2> port;
  put_be16(port.data(), endpoint.port);
  put_step(bytes, Protocol::tcp, port);
  return Multiaddr(std::move(bytes));
}

std::string Multiaddr::to_string() const {
  std::string text;
  for (const Component& component : components()) {
    const ProtocolEntry* protocol = find_protocol(static_cast<std::uint64_t>(component.code));
    text += '/';
    text += protocol->name;
    if (protocol->to_text == nullptr) continue;
    if (!protocol->path) text += '/';
    text += protocol->to_text(component.value);
  }
  return text;
}

std::vector<Multiaddr::Component> Multiaddr::components() const& {
  std::vector<Component> all;
  for (BytesView rest = bytes_; !rest.empty();) {
    const Result<Step> step = take_step(rest);
    ASSERT(step.has_value());
    all.push_back({step->protocol->code, step->value});
  }
  return all;
}

bool Multiaddr::has(Protocol code) const {
  const std::vector<Component> all = components();
  return std::any_of(all.begin(), all.end(), [code](const auto& c) { return c.code == code; });
}

std::optional<TcpEndpoint> Multiaddr::tcp_endpoint() const {
  const std::vector<Component> all = components();
  auto it = all.begin();
  TcpEndpoint endpoint;
  if (it != all.end() && it->code == Protocol::ip6zone) endpoint.zone = as_text(it++->value);
  if (it == all.end()) return std::nullopt;
  endpoint.v6 = it->code == Protocol::ip6;
  if (!endpoint.v6 && (it->code != Protocol::ip4 || !endpoint.zone.empty())) return std::nullopt;
  std::copy(it->value.begin(), it->value.end(), endpoint.address.begin());
  if (++it == all.end() || it->code != Protocol::tcp) return std::nullopt;
  endpoint.port = get_be16(it->value.data());
  if (++it != all.end() && it->code == Protocol::p2p) ++it;
  if (it != all.end()) return std::nullopt;
  return endpoint;
}

std::optional<PeerId> Multiaddr::peer_id() const {
  const std::vector<Component> all = components();
  if (all.empty() || all.back().code != Protocol::p2p) return std::nullopt;
  return *PeerId::from_bytes(all.back().value);
}

Multiaddr Multiaddr::with_peer(const PeerId& peer) const {
  Bytes bytes = without_peer().bytes_;
  put_step(bytes, Protocol::p2p, peer.bytes());
  return Multiaddr(std::move(bytes));
}

Multiaddr Multiaddr::without_peer() const {
  const std::vector<Component> all = components();
  if (all.empty() || all.back().code != Protocol::p2p) return *this;
  Bytes bytes;
  for (auto it = all.begin(); it + 1 != all.end(); ++it) put_step(bytes, it->code, it->value);
  return Multiaddr(std::move(bytes));
}

Result<Multiaddr> Multiaddr::concat(const Multiaddr& inner) const {
  Bytes bytes = bytes_;
  append(bytes, inner.bytes_);
  if (bytes.empty()) return Multiaddr();
  return from_bytes(bytes);
}

}  // namespace oc::codec
