// A hostile member: one who knows the network's password (docs/wire/network-handshake.md).
#pragma once

#include <string>
#include <vector>

#include "overlay/network.hpp"
#include "session.hpp"
#include "visit.hpp"

namespace oc::hostile {

overlay::Network network_of(const std::string& name, const std::string& password);

// Proves membership on a new session of this identity; null when the node did not accept it.
std::unique_ptr<Session> join(Visit& visit, const crypto::PrivateKey& identity,
                              const overlay::Network& network);

// Pushes sealed records (docs/wire/sync.md) on a stream of its own. False when the node is gone.
bool push_records(Session& session, const overlay::Network& network,
                  const std::vector<Bytes>& envelopes);

}  // namespace oc::hostile
