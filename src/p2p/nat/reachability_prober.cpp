#include "p2p/nat/reachability_prober.hpp"

#include "base/log.hpp"
#include "p2p/protocols/identify/observed_addresses.hpp"

namespace oc::p2p {
namespace {

ProbeOutcome outcome_of(const Result<DialAnswer>& answer) {
  if (!answer) return ProbeOutcome::failed;
  switch (answer->verdict) {
    case DialVerdict::reachable: return ProbeOutcome::reachable;
    case DialVerdict::unreachable: return ProbeOutcome::unreachable;
    case DialVerdict::refused: return ProbeOutcome::refused;
    case DialVerdict::rejected: return ProbeOutcome::failed;
  }
  return ProbeOutcome::failed;
}

std::string_view to_text(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::reachable: return "reachable";
    case ProbeOutcome::unreachable: return "unreachable";
    case ProbeOutcome::refused: return "refused";
    case ProbeOutcome::failed: return "no answer";
  }
  return "";
}

}  // namespace

ReachabilityProber::ReachabilityProber(Swarm& swarm, AutonatClient& client, Clock& clock,
                                       Random& random)
    : swarm_(swarm),
      client_(client),
      clock_(clock),
      reachability_(random),
      tasks_(swarm.executor()) {}

void ReachabilityProber::start(OwnAddresses addresses) {
  tasks_.spawn("reachability", run(std::move(addresses)));
}

awaitable<void> ReachabilityProber::close() { return tasks_.close(); }

std::vector<ReachabilityServer> ReachabilityProber::servers() const {
  std::vector<ReachabilityServer> out;
  std::set<codec::PeerId> seen;
  for (const ConnectionPtr& connection : swarm_.connections()) {
    if (!AutonatClient::is_server(*connection) || !seen.insert(connection->peer()).second) continue;
    const ConnectionPtr best = swarm_.connection_to(connection->peer());
    if (best == nullptr || !best->facts().direct() || !AutonatClient::is_server(*best)) continue;
    const Connection::Facts& facts = best->facts();
    if (!best->trusted() && facts.origin != Origin::dialed) continue;
    out.push_back({best->peer(), place_of(facts.remote_address), facts.remote_address.scope(),
                   best->trusted()});
  }
  return out;
}

awaitable<void> ReachabilityProber::run(OwnAddresses addresses) {
  for (;;) {
    const TimePoint now = clock_.now();
    reachability_.set_addresses(addresses(), now);
    const std::vector<ReachabilityServer> connected = servers();
    while (auto next = reachability_.next(connected, now)) {
      ConnectionPtr server = swarm_.connection_to(next->server);
      tasks_.spawn("reachability probe", probe(*std::move(next), std::move(server)));
    }
    if (auto slept = co_await clock_.sleep_for(kProberTick); !slept) co_return;
  }
}

awaitable<void> ReachabilityProber::probe(ReachabilityProbe probe, ConnectionPtr server) {
  std::vector<codec::Multiaddr> addresses(1, probe.address);
  const auto answer = co_await client_.ask(std::move(server), std::move(addresses));
  const ProbeOutcome outcome = outcome_of(answer);
  log::debug("{} says of {}: {}", probe.server.to_string(), probe.address.to_string(),
             to_text(outcome));
  reachability_.answered(probe, outcome, clock_.now());
}

NatMappingFinding ReachabilityProber::nat_mapping() const {
  std::vector<ObserverView> views;
  for (const ConnectionPtr& connection : swarm_.connections()) {
    const Connection::Facts& facts = connection->facts();
    const auto local = facts.local_address.tcp_endpoint();
    const bool at_listen_port = local && swarm_.listens_on(local->v6, local->port);
    const auto& info = connection->info();
    if (!at_listen_port || !info || !info->observed_address) continue;
    views.push_back({facts.remote_address, facts.local_address, *info->observed_address,
                     facts.direction == Direction::outbound});
  }
  return find_nat_mapping(views);
}

}  // namespace oc::p2p
