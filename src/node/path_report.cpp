#include "node/path_report.hpp"

#include "node/path_text.hpp"
#include "p2p/error.hpp"

namespace oc::node {
namespace {

namespace errc = boost::system::errc;
using p2p::P2pErrc;

double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

FaultCode attempt_code(error_code why) {
  if (why == Errc::timed_out || why == errc::timed_out) return FaultCode::peer_timed_out;
  if (why == errc::connection_refused) return FaultCode::address_refused;
  if (why == errc::network_unreachable || why == errc::host_unreachable ||
      why == errc::address_not_available || why == errc::address_family_not_supported) {
    return FaultCode::no_route;
  }
  if (why == Errc::reset || why == Errc::eof || why == Errc::truncated ||
      why == errc::connection_reset || why == errc::broken_pipe) {
    return FaultCode::link_lost;
  }
  if (why.category() != p2p::p2p_category()) return FaultCode::peer_unreachable;
  switch (static_cast<P2pErrc>(why.value())) {
    case P2pErrc::name_not_resolved: return FaultCode::name_not_resolved;
    case P2pErrc::wrong_peer: return FaultCode::wrong_peer;
    case P2pErrc::relay_refused:
    case P2pErrc::relay_full:
    case P2pErrc::no_reservation:
    case P2pErrc::relay_failed: return FaultCode::relay_failed;
    case P2pErrc::negotiation_failed:
    case P2pErrc::handshake_failed:
    case P2pErrc::bad_certificate:
    case P2pErrc::decrypt_failed: return FaultCode::bad_handshake;
    default: return FaultCode::peer_unreachable;
  }
}

api::ConnectionView describe(const p2p::Connection& connection, const Clock& clock) {
  const p2p::Connection::Facts& facts = connection.facts();
  api::ConnectionView view;
  view.path = path_text(facts.remote_address);
  view.origin = p2p::to_text(facts.origin);
  view.security = connection.security();
  if (const auto time = connection.round_trip()) view.round_trip_ms = milliseconds(*time);
  view.opened = clock.wall_now() - (clock.now() - facts.opened);
  view.streams = connection.stream_count();
  view.limited = facts.limited;
  return view;
}

api::AttemptView describe(const p2p::Attempt& attempt, const Clock& clock) {
  api::AttemptView view;
  view.address = attempt.address.to_string();
  view.how = p2p::to_text(attempt.how);
  view.started = clock.wall_now() - (clock.now() - attempt.started);
  view.took_ms = milliseconds(attempt.took);
  if (!attempt.outcome) {
    view.result = "connected";
  } else if (attempt.outcome == Errc::cancelled) {
    view.result = "not needed";
  } else {
    view.result = "failed";
    view.reason = attempt_fault(attempt.outcome);
  }
  return view;
}

}  // namespace

Fault attempt_fault(error_code why) { return {attempt_code(why), why.message()}; }

api::PathView path_report(const p2p::Swarm& swarm, const overlay::Members& members,
                          const Clock& clock, const codec::PeerId& peer) {
  api::PathView out;
  out.peer_id = peer.to_string();
  const p2p::ConnectionPtr used = members.connection_to(peer);
  out.online = used != nullptr;
  for (const p2p::ConnectionPtr& connection : swarm.connections_to(peer)) {
    if (!connection->alive() || connection->facts().probe) continue;
    api::ConnectionView view = describe(*connection, clock);
    view.member = members.is_member(*connection);
    view.used = connection == used;
    out.connections.push_back(std::move(view));
  }
  for (const p2p::Attempt& attempt : swarm.attempts().of(peer))
    out.attempts.push_back(describe(attempt, clock));
  return out;
}

}  // namespace oc::node
