// A stream on which something has to be read off before its first byte: the answer of a lazy
// negotiation, the answer to a tunnel's header.
#pragma once

#include <functional>
#include <memory>

#include "net/stream.hpp"

namespace oc::net {

// Reads the preamble from the stream below, not a byte beyond. An error goes to the reader; both
// halves are then reset.
using ReadPreamble = std::function<awaitable<Result<void>>(Stream& below)>;

// Forwards everything to `below`, but runs `read_preamble` before the first read. Writing does not
// wait for it. A first read that is cancelled resets the stream, unlike later ones.
std::unique_ptr<Stream> with_preamble(std::unique_ptr<Stream> below, ReadPreamble read_preamble);

}  // namespace oc::net
