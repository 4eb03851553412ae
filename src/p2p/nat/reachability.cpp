#include "p2p/nat/reachability.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

#include "base/assert.hpp"

namespace oc::p2p {
namespace {

using codec::AddressScope;
using codec::Multiaddr;

bool is_local_network(AddressScope scope) {
  return scope == AddressScope::private_use || scope == AddressScope::shared_cgnat;
}

bool can_be_asked_about(const Multiaddr& address) {
  const AddressScope scope = address.scope();
  return address.tcp_endpoint() &&
         (scope == AddressScope::public_internet || is_local_network(scope));
}

ReachabilityState verdict(int balance) {
  if (balance >= kDecisive) return ReachabilityState::reachable;
  if (balance <= -kDecisive) return ReachabilityState::unreachable;
  return ReachabilityState::unknown;
}

}  // namespace

std::string_view to_text(AddressSource source) {
  switch (source) {
    case AddressSource::announced: return "announced";
    case AddressSource::mapped: return "mapped";
    case AddressSource::observed: return "observed";
    case AddressSource::listened: return "listened";
  }
  return "";
}

std::string_view to_text(ReachabilityState state) {
  switch (state) {
    case ReachabilityState::unknown: return "unknown";
    case ReachabilityState::reachable: return "reachable";
    case ReachabilityState::unreachable: return "unreachable";
  }
  return "";
}

Reachability::Entry* Reachability::find(const Multiaddr& address) {
  const auto found = std::ranges::find(
      entries_, address, [](const Entry& e) -> const Multiaddr& { return e.own.address; });
  return found == entries_.end() ? nullptr : &*found;
}

void Reachability::set_addresses(std::vector<OwnAddress> addresses, TimePoint now) {
  if (addresses.size() > kMaxOwnAddresses) addresses.resize(kMaxOwnAddresses);
  if (std::ranges::equal(addresses, entries_, {}, {}, &Entry::own)) return;
  std::vector<Entry> entries;
  for (OwnAddress& own : addresses) {
    Entry entry;
    if (Entry* known = find(own.address)) {
      entry = std::move(*known);
    } else {
      entry.due = now;
    }
    entry.own = std::move(own);
    entries.push_back(std::move(entry));
  }
  entries_ = std::move(entries);
  on_change();
}

void Reachability::network_changed(TimePoint now) {
  for (Entry& entry : entries_) {
    entry.answers.clear();
    entry.not_willing.clear();
    entry.unsettled = 0;
    entry.due = now;
  }
}

Reachability::Voice Reachability::voice_of(const ReachabilityServer& server) {
  // A place has at most 7 bytes, and an id more.
  return server.trusted ? Voice(as_text(server.peer.bytes())) : server.place;
}

bool Reachability::may_judge(const ReachabilityServer& server, const Entry& entry,
                             TimePoint now) const {
  const AddressScope scope = entry.own.address.scope();
  // A stranger dials no local network, and whoever is in ours sees no internet between us.
  if (server.scope != scope || (is_local_network(scope) && !server.trusted)) return false;
  const auto unwilling = entry.not_willing.find(voice_of(server));
  if (unwilling != entry.not_willing.end() && unwilling->second > now) return false;
  const auto known = servers_.find(voice_of(server));
  return known == servers_.end() || known->second.rested <= now;
}

bool Reachability::is_busy(const ReachabilityServer& server, TimePoint now) const {
  const auto known = servers_.find(voice_of(server));
  return known != servers_.end() && (known->second.asked || known->second.free > now);
}

const ReachabilityServer* Reachability::choose(const Entry& entry,
                                               const std::vector<ReachabilityServer>& servers,
                                               TimePoint now) const {
  // How long ago its answer came; one that has given none comes before all.
  const auto age = [&entry](const ReachabilityServer& server) {
    const auto newest =
        std::find_if(entry.answers.rbegin(), entry.answers.rend(),
                     [voice = voice_of(server)](const Answer& a) { return a.voice == voice; });
    return newest - entry.answers.rbegin();
  };
  const auto rank = [&](const ReachabilityServer& server) {
    const bool fresh = age(server) == std::ssize(entry.answers);
    return std::tuple(fresh, fresh && server.trusted, age(server));
  };
  const ReachabilityServer* best = nullptr;
  bool fresh_one_busy = false;
  for (const ReachabilityServer& server : servers) {
    if (!may_judge(server, entry, now)) continue;
    if (is_busy(server, now)) {
      fresh_one_busy = fresh_one_busy || std::get<0>(rank(server));
    } else if (best == nullptr || rank(server) > rank(*best)) {
      best = &server;
    }
  }
  const bool again = best != nullptr && !std::get<0>(rank(*best));
  return again && fresh_one_busy ? nullptr : best;
}

std::optional<ReachabilityProbe> Reachability::next(const std::vector<ReachabilityServer>& servers,
                                                    TimePoint now) {
  std::erase_if(servers_, [now](const auto& item) {
    const ServerState& state = item.second;
    return !state.asked && state.free <= now && state.rested <= now;
  });
  if (under_way_ >= kMaxProbesAtOnce) return std::nullopt;
  for (Entry& entry : entries_) {
    if (entry.due > now || !can_be_asked_about(entry.own.address)) continue;
    // A settled opinion is only looked at; one that is being formed may take all there are.
    const bool settled = entry.unsettled == 0 && entry.state != ReachabilityState::unknown;
    if (settled && entry.under_way != 0) continue;
    const ReachabilityServer* server = choose(entry, servers, now);
    if (server == nullptr) continue;
    ++entry.under_way;
    ++under_way_;
    servers_[voice_of(*server)].asked = true;
    return ReachabilityProbe{server->peer, voice_of(*server), entry.own.address, server->trusted};
  }
  return std::nullopt;
}

void Reachability::answered(const ReachabilityProbe& probe, ProbeOutcome outcome, TimePoint now) {
  ASSERT(under_way_ != 0);
  --under_way_;
  ServerState& server = servers_[probe.voice];
  server.asked = false;
  server.free = now + kServerInterval;
  if (outcome == ProbeOutcome::failed) server.rested = now + kServerRest;
  Entry* entry = find(probe.address);
  if (entry == nullptr) return;
  if (entry->under_way != 0) --entry->under_way;  // it may have gone and come back meanwhile
  if (outcome == ProbeOutcome::failed) return;
  if (outcome == ProbeOutcome::refused) {
    pass_over(*entry, probe.voice, now);
    return;
  }
  const int weight = probe.trusted ? kWeightOfTrustedServer : kWeightOfAnyServer;
  const bool reached = outcome == ProbeOutcome::reachable;
  take(*entry, {probe.voice, reached ? weight : -weight}, now);
}

void Reachability::pass_over(Entry& entry, const Voice& voice, TimePoint now) {
  auto& passed = entry.not_willing;
  std::erase_if(passed, [now](const auto& item) { return item.second <= now; });
  if (passed.size() >= kMaxNotWilling) {
    passed.erase(
        std::ranges::min_element(passed, {}, [](const auto& item) { return item.second; }));
  }
  passed[voice] = now + kRecheckInterval;
}

void Reachability::take(Entry& entry, Answer answer, TimePoint now) {
  entry.answers.push_back(std::move(answer));
  if (entry.answers.size() > kRememberedAnswers) entry.answers.pop_front();
  entry.checked = now;
  const int balance = std::accumulate(entry.answers.begin(), entry.answers.end(), 0,
                                      [](int sum, const Answer& one) { return sum + one.weight; });
  const ReachabilityState told = verdict(balance);
  if (told == ReachabilityState::unknown) {
    ++entry.unsettled;
    entry.due = entry.unsettled < kEagerAnswers ? now : now + kUnsettledInterval;
    return;
  }
  entry.unsettled = 0;
  entry.due = now + recheck_interval();
  if (std::exchange(entry.state, told) != told) on_change();
}

Duration Reachability::recheck_interval() {
  const auto tenth = std::chrono::duration_cast<std::chrono::milliseconds>(kRecheckInterval) / 10;
  const auto spread = static_cast<std::uint64_t>(2 * tenth.count() + 1);
  return kRecheckInterval - tenth + std::chrono::milliseconds(random_.below(spread));
}

std::vector<AddressReachability> Reachability::addresses() const {
  std::vector<AddressReachability> out;
  for (const Entry& entry : entries_) {
    std::set<std::string_view> voices;
    for (const Answer& answer : entry.answers) voices.insert(answer.voice);
    out.push_back({entry.own, entry.state, entry.checked, voices.size()});
  }
  return out;
}

ReachabilityState Reachability::state_of(const Multiaddr& address) const {
  for (const Entry& entry : entries_) {
    if (entry.own.address == address) return entry.state;
  }
  return ReachabilityState::unknown;
}

ReachabilityState Reachability::public_state() const {
  bool any = false;
  bool all_unreachable = true;
  for (const Entry& entry : entries_) {
    if (entry.own.address.scope() != AddressScope::public_internet) continue;
    if (entry.state == ReachabilityState::reachable) return ReachabilityState::reachable;
    any = true;
    all_unreachable = all_unreachable && entry.state == ReachabilityState::unreachable;
  }
  return any && all_unreachable ? ReachabilityState::unreachable : ReachabilityState::unknown;
}

}  // namespace oc::p2p
