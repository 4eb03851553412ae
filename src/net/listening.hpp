// Whether somebody on this machine listens on a TCP port, without connecting to it.
#pragma once

#include <optional>

#include "net/tcp.hpp"

namespace oc::net {

// Asks the kernel (sock_diag) for a listener that would take a connection to `at`, a local address.
// Nothing when the kernel cannot say. Takes some microseconds.
std::optional<bool> is_listening(const TcpAddress& at);

}  // namespace oc::net
