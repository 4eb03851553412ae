// Runs a node in the foreground: the composition root and its life cycle.
#pragma once

#include "node/config.hpp"

namespace oc::node {

// A graceful end (SIGINT, SIGTERM) takes at most this long; then the process ends as it is.
inline constexpr int kShutdownSeconds = 5;

// Returns the process's exit status: 0 after a graceful end, 1 when the node could not start (the
// fault then stands on standard error). Standard output gets the node's addresses, once, and at the
// first start the generated password.
int run_node(NodeConfig config);

}  // namespace oc::node
