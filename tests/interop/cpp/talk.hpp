// What cases and served protocols do with streams over and over.
#pragma once

#include <memory>
#include <string>

#include "p2p/swarm/swarm.hpp"
#include "pattern.hpp"

namespace oc::interop {

using StreamPtr = std::unique_ptr<net::Stream>;

// All bytes to the end, which must be a clean one; Errc::limit_exceeded when there are more than
// `most`.
awaitable<Result<std::string>> read_rest(net::Stream& stream, std::size_t most);
// Reads to the end, which must be a clean one, and gives the number of bytes; they go into the
// digest.
awaitable<Result<std::uint64_t>> read_digest(net::Stream& stream, Digest& digest);
// Writes so much of the pattern, and ends this half; the bytes go into the digest.
awaitable<Result<void>> write_pattern(net::Stream& stream, std::uint64_t size, Digest& digest);
// Sends a text and the end, and gives all that comes back.
awaitable<Result<std::string>> ask(p2p::ConnectionPtr connection, std::string protocol,
                                   std::string text);

}  // namespace oc::interop
