#include "overlay/network.hpp"

#include "codec/utf8.hpp"
#include "crypto/sha.hpp"

namespace oc::overlay {

Result<NetworkName> parse_network_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxNetworkName) return Errc::malformed;
  if (!codec::is_printable_utf8(text) || text.find(':') != text.npos) return Errc::malformed;
  return NetworkName(std::string(text));
}

NetworkId network_id(const NetworkName& name) {
  return crypto::sha256({as_bytes("open-chat network id v1: "), as_bytes(name.value())});
}

}  // namespace oc::overlay
