// The attacks, by name. Each takes a bounded time and says in JSON what it did and saw.
#pragma once

#include <span>

#include "options.hpp"
#include "visit.hpp"

namespace oc::hostile {

struct Attack {
  const char* name;
  const char* options;  // for the list of attacks
  Json (*run)(Visit& visit, const Options& options);
};

// By the sections of README.md.
std::span<const Attack> connection_attacks();
std::span<const Attack> record_attacks();
std::span<const Attack> negotiation_attacks();
std::span<const Attack> handshake_attacks();
std::span<const Attack> tls_attacks();
std::span<const Attack> frame_attacks();
std::span<const Attack> flood_attacks();
std::span<const Attack> reflector_attacks();

// Whether the node answers a ping on a new stream: it takes this peer for a decent one.
bool serves(Session& session);
// The report of a session, and whether the node serves it: a session that it refused is null.
Json report_of(Session* session);

}  // namespace oc::hostile
