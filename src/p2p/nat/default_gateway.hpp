// The router that this machine sends to when it knows no better way.
#pragma once

#include <boost/asio/ip/address_v4.hpp>
#include <optional>
#include <string_view>

#include "base/async.hpp"

namespace oc::p2p {

// Of IPv4, and of the lowest metric when there are several; nothing when there is none. Asks the
// kernel, which answers at once.
std::optional<asio::ip::address_v4> default_gateway();

// The same from the text of /proc/net/route.
std::optional<asio::ip::address_v4> default_gateway_of(std::string_view route_table);

}  // namespace oc::p2p
