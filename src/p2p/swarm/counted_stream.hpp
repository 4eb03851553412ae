// A stream that holds its place in the books.
#pragma once

#include <memory>

#include "net/stream.hpp"
#include "p2p/swarm/resource_ledger.hpp"

namespace oc::p2p {

// The same stream; the slot goes with it.
std::unique_ptr<net::Stream> with_slot(std::unique_ptr<net::Stream> stream,
                                       ResourceLedger::StreamSlot slot);

}  // namespace oc::p2p
