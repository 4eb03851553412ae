// Networks: their names, ids and secrets.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/strong.hpp"
#include "crypto/secret.hpp"

namespace oc::overlay {

// A network's name: 1 to 64 bytes of printable UTF-8 without ':', which separates the password.
using NetworkName = Strong<struct NetworkNameTag, std::string>;
inline constexpr std::size_t kMaxNetworkName = 64;
Result<NetworkName> parse_network_name(std::string_view text);

// What names a network on the wire: a hash of its name and nothing else, so that an observer who
// does not know the name does not learn it.
using NetworkId = FixedBytes<32>;
NetworkId network_id(const NetworkName& name);

// What proves membership: stretched from the password (crypto::derive_network_secret).
using NetworkSecret = crypto::Secret<32>;

struct Network {
  NetworkName name;
  NetworkId id;
  NetworkSecret secret;
};

}  // namespace oc::overlay
