// A stream from which only so much may be read.
#pragma once

#include <cstdint>
#include <memory>

#include "net/stream.hpp"

namespace oc::net {

// Forwards everything to `below`; after `bytes` bytes it reads as if the other side had ended its
// half there.
std::unique_ptr<Stream> limit_reads(std::unique_ptr<Stream> below, std::uint64_t bytes);

}  // namespace oc::net
