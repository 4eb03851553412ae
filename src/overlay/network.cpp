#include "overlay/network.hpp"

#include <algorithm>

#include "crypto/sha.hpp"

namespace oc::overlay {

Result<NetworkName> parse_network_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxNetworkName) return Errc::malformed;
  const bool plain = std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && c != ':';
  });
  if (!plain) return Errc::malformed;
  return NetworkName(std::string(text));
}

NetworkId network_id(const NetworkName& name) {
  return crypto::sha256({as_bytes("open-chat network id v1: "), as_bytes(name.value())});
}

}  // namespace oc::overlay
