// perf (libp2p/specs perf/perf.md), id /perf/1.0.0: how fast bytes get through a stream.
//
//   client                                          server
//     64 bits, big-endian: how many to send back ──▶
//     as many bytes as it likes, end of its half ──▶
//                                                ◀──  so many bytes, end of stream
#pragma once

#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

inline constexpr const char* kPerfId = "/perf/1.0.0";

struct PerfTimes {
  Duration upload{};    // from the opening until the server, having read everything, answered
  Duration download{};  // from then on until its last byte
};

// Serves perf to every peer, as much as it asks for: for measuring, not for a node among strangers.
// A stream holds no more memory than any other.
void serve_perf(Swarm& swarm);

// Sends and asks for so many bytes on a stream of its own. Errors: those of the stream, and
// Errc::protocol_violation when another number of bytes comes back. Time-outs are the caller's;
// when cancelled it resets the stream.
awaitable<Result<PerfTimes>> measure_perf(ConnectionPtr connection, Clock& clock,
                                          std::uint64_t upload, std::uint64_t download);

}  // namespace oc::p2p
