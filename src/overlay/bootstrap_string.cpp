#include "overlay/bootstrap_string.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "codec/base64.hpp"

namespace oc::overlay {
namespace {

using codec::Multiaddr;
using codec::PeerId;
using codec::Protocol;
using nlohmann::json;

Fault bad(std::string message) { return {FaultCode::bad_bootstrap_string, std::move(message)}; }

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_host(Protocol code) {
  switch (code) {
    case Protocol::ip4:
    case Protocol::ip6:
    case Protocol::ip6zone:
    case Protocol::dns:
    case Protocol::dns4:
    case Protocol::dns6: return true;
    default: return false;
  }
}

Outcome<json> read_json(std::string_view text) {
  std::string compact;
  compact.reserve(std::min(text.size(), kMaxBootstrapText));
  for (const char c : text) {
    if (is_space(c)) continue;
    if (compact.size() == kMaxBootstrapText) return bad("the bootstrap string is too long");
    compact += c;
  }
  while (compact.ends_with('=')) compact.pop_back();
  if (compact.empty()) return bad("the bootstrap string is empty");
  const Result<Bytes> bytes = codec::base64_decode(compact);
  if (!bytes) return bad("the bootstrap string is not base64, or a part of it is missing");
  json value = json::parse(bytes->begin(), bytes->end(), nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return bad("the bootstrap string does not hold a JSON object");
  return value;
}

Outcome<std::vector<Multiaddr>> read_addresses(const json& object) {
  auto list = object.find("connect_multiadress");
  if (list == object.end()) list = object.find("addresses");
  if (list == object.end() || !list->is_array())
    return bad("the bootstrap string lists no addresses");
  if (list->size() > kMaxBootstrapAddresses) {
    return bad("the bootstrap string lists more than " + std::to_string(kMaxBootstrapAddresses) +
               " addresses");
  }
  std::vector<Multiaddr> addresses;
  std::size_t number = 0;
  for (const json& entry : *list) {
    const std::string which = "address " + std::to_string(++number) + " of the bootstrap string";
    if (!entry.is_string()) return bad(which + " is not text");
    Result<Multiaddr> address = Multiaddr::parse(entry.get_ref<const std::string&>());
    if (address) {
      addresses.push_back(*std::move(address));
    } else if (address.error() != Errc::unsupported) {
      return bad(which + " is not a multiaddr");
    }
  }
  return addresses;
}

Outcome<PeerId> read_id(const json& object, const std::vector<Multiaddr>& addresses) {
  if (const auto id = object.find("id"); id != object.end()) {
    const Result<PeerId> parsed = PeerId::parse(id->is_string() ? id->get<std::string>() : "");
    if (!parsed) return bad("the id in the bootstrap string is not a peer id");
    return *parsed;
  }
  for (const Multiaddr& address : addresses) {
    if (auto id = address.peer_id()) return *std::move(id);
  }
  return bad("the bootstrap string names no peer id");
}

}  // namespace

bool names_endpoint(const Multiaddr& address) {
  const auto steps = address.components();
  if (steps.empty() || address.scope() == codec::AddressScope::unspecified) return false;
  if (steps.front().code == Protocol::dnsaddr) return true;
  if (!is_host(steps.front().code)) return false;
  for (const auto& step : steps) {
    if (step.code == Protocol::tcp || step.code == Protocol::udp) {
      return get_be16(step.value.data()) != 0;
    }
  }
  return false;
}

std::string encode_bootstrap(const BootstrapPeer& peer) {
  // What fits into kMaxBootstrapText after base64, less the object around the addresses.
  std::size_t room = kMaxBootstrapText / 4 * 3 - 256;
  auto addresses = nlohmann::ordered_json::array();
  for (const Multiaddr& address : peer.addresses) {
    std::string text = address.with_peer(peer.id).to_string();
    if (addresses.size() == kMaxBootstrapAddresses || text.size() + 3 > room) break;
    room -= text.size() + 3;
    addresses.push_back(std::move(text));
  }
  nlohmann::ordered_json object;
  object["id"] = peer.id.to_string();
  object["connect_multiadress"] = std::move(addresses);
  return codec::base64_encode(as_bytes(object.dump()));
}

Outcome<BootstrapPeer> decode_bootstrap(std::string_view text) {
  const Outcome<json> object = read_json(text);
  if (!object) return object.error();
  const auto addresses = read_addresses(*object);
  if (!addresses) return addresses.error();
  auto id = read_id(*object, *addresses);
  if (!id) return id.error();

  BootstrapPeer peer{*std::move(id), {}};
  for (const Multiaddr& address : *addresses) {
    const std::optional<PeerId> named = address.peer_id();
    if (named && *named != peer.id) {
      return bad("the bootstrap string of " + peer.id.to_string() + " lists an address of " +
                 named->to_string());
    }
    if (names_endpoint(address)) peer.addresses.push_back(address.with_peer(peer.id));
  }
  if (peer.addresses.empty()) {
    return bad("the bootstrap string of " + peer.id.to_string() +
               " lists no address that can be dialed");
  }
  return peer;
}

}  // namespace oc::overlay
