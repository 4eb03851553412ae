#include <algorithm>

#include "codec/multiaddr.hpp"

namespace oc::codec {
namespace {

AddressScope scope_of_ip4(BytesView ip) {
  const auto in = [&ip](Byte first, Byte low, Byte high) {
    return ip[0] == first && ip[1] >= low && ip[1] <= high;
  };
  if (ip[0] == 0 || ip[0] >= 224) return AddressScope::unspecified;
  if (ip[0] == 127) return AddressScope::loopback;
  if (in(169, 254, 254)) return AddressScope::link_local;
  if (in(100, 64, 127)) return AddressScope::shared_cgnat;
  if (ip[0] == 10 || in(172, 16, 31) || in(192, 168, 168)) return AddressScope::private_use;
  return AddressScope::public_internet;
}

constexpr Byte kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // ::ffff:0:0/96
constexpr Byte kNat64[12] = {0x00, 0x64, 0xff, 0x9b};                     // 64:ff9b::/96
constexpr Byte kCompatible[12] = {};                                      // ::/96
constexpr Byte k6to4[2] = {0x20, 0x02};                                   // 2002::/16

bool starts_with(BytesView ip, BytesView prefix) { return equal(ip.first(prefix.size()), prefix); }

AddressScope scope_of_ip6(BytesView ip) {
  if (starts_with(ip, kMapped) || starts_with(ip, kNat64)) return scope_of_ip4(ip.subspan(12));
  if (starts_with(ip, k6to4)) return scope_of_ip4(ip.subspan(2, 4));
  if (starts_with(ip, kCompatible)) {
    return get_be32(&ip[12]) == 1 ? AddressScope::loopback : AddressScope::unspecified;
  }
  if (ip[0] == 0xff) return AddressScope::unspecified;
  if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) return AddressScope::link_local;
  if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0xc0) return AddressScope::private_use;
  if ((ip[0] & 0xfe) == 0xfc) return AddressScope::private_use;
  return AddressScope::public_internet;
}

// Special names of RFC 6761 and RFC 6762.
AddressScope scope_of_name(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower.ends_with('.')) lower.pop_back();
  if (lower == "localhost" || lower.ends_with(".localhost")) return AddressScope::loopback;
  if (lower.ends_with(".local")) return AddressScope::link_local;
  return AddressScope::public_internet;
}

}  // namespace

AddressScope Multiaddr::scope() const {
  for (const Component& component : components()) {
    switch (component.code) {
      case Protocol::ip4: return scope_of_ip4(component.value);
      case Protocol::ip6: return scope_of_ip6(component.value);
      case Protocol::dns:
      case Protocol::dns4:
      case Protocol::dns6:
      case Protocol::dnsaddr: return scope_of_name(as_text(component.value));
      default: break;
    }
  }
  return AddressScope::public_internet;
}

}  // namespace oc::codec
