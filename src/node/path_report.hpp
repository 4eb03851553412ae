// What `client path` shows of the ways to a member.
#pragma once

#include "api/node_face.hpp"
#include "overlay/members.hpp"

namespace oc::node {

// The peer's connections, best first, and what was tried lately, newest first. `name` and `reason`
// stay empty. Thread: the network thread.
api::PathView path_report(const p2p::Swarm& swarm, const overlay::Members& members,
                          const Clock& clock, const codec::PeerId& peer);

// Why an attempt did not lead to a connection, as a user meets it.
Fault attempt_fault(error_code why);

}  // namespace oc::node
