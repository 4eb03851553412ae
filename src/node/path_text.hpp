// How a connection leads to its peer, for people.
#pragma once

#include <string>

#include "codec/multiaddr.hpp"

namespace oc::node {

// "direct tcp /ip4/…", "lan tcp /ip4/…" or "circuit via <relay> /ip4/…", by the connection's remote
// address.
std::string path_text(const codec::Multiaddr& remote);

}  // namespace oc::node
