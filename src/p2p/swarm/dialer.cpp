#include "p2p/swarm/dialer.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "base/deadline.hpp"
#include "base/log.hpp"

namespace oc::p2p {

// One peer being dialed.
struct Dialer::Dial {
  explicit Dial(codec::PeerId p) : peer(std::move(p)) {}

  struct Waiting {
    codec::Multiaddr address;
    TimePoint due{};
  };

  codec::PeerId peer;
  std::set<codec::Multiaddr> known;     // waiting, under way or failed; names, too
  std::vector<Waiting> waiting;         // by due
  std::vector<codec::Multiaddr> names;  // to be looked up
  std::size_t looking_up = 0;
  std::size_t running = 0;
  bool force = false;
  bool has_circuits = false;
  bool hurry = false;  // an attempt failed, so the next one starts before its time
  std::optional<ConnectionPtr> winner;
  error_code last_error = P2pErrc::no_addresses;
  Event progress;
  std::vector<Event*> callers;
  std::optional<Result<ConnectionPtr>> result;

  bool over() const {
    return winner || (waiting.empty() && names.empty() && looking_up == 0 && running == 0);
  }
  bool has_slot() const { return !waiting.empty() && running < kMaxAttemptsAtOnce; }
};

// Goes with the task of a dial, even one that is cancelled before it starts.
struct Dialer::Ending {
  Ending(Dialer& d, std::shared_ptr<Dial> l) : dialer(d), dial(std::move(l)) {}
  ~Ending() {
    take_no_more();
    if (!dial->result) dial->result = Errc::cancelled;
    for (Event* caller : dial->callers) caller->set();
  }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  // Whoever comes from here on starts a dial of its own.
  void take_no_more() {
    if (auto found = dialer.dials_.find(dial->peer);
        found != dialer.dials_.end() && found->second == dial) {
      dialer.dials_.erase(found);
    }
  }

  Dialer& dialer;
  std::shared_ptr<Dial> dial;  // shared with its callers and attempts
};

Dialer::Dialer(Executor executor, Clock& clock, net::Resolver* resolver, Dialable dialable,
               Connect connect, AttemptLog& log)
    : clock_(clock),
      resolver_(resolver),
      dialable_(std::move(dialable)),
      connect_(std::move(connect)),
      log_(log),
      tasks_(std::move(executor)) {}

awaitable<Result<ConnectionPtr>> Dialer::dial(codec::PeerId peer,
                                              std::vector<codec::Multiaddr> addresses,
                                              DialOptions options) {
  CO_TRY(const std::shared_ptr<Dial> dial, join(peer, addresses, options));
  Event done;
  struct Call {
    Dial& dial;
    Event& event;
    ~Call() { std::erase(dial.callers, &event); }
  } call{*dial, done};
  dial->callers.push_back(&done);
  while (!dial->result) CO_CHECK(co_await done.wait());
  co_return *dial->result;
}

void Dialer::came(const ConnectionPtr& connection) {
  const auto found = dials_.find(connection->peer());
  if (found == dials_.end() || found->second->winner) return;
  found->second->winner = connection;
  found->second->progress.set();
}

Result<std::shared_ptr<Dialer::Dial>> Dialer::join(const codec::PeerId& peer,
                                                   const std::vector<codec::Multiaddr>& addresses,
                                                   DialOptions options) {
  std::vector<codec::Multiaddr> names, numbers;
  for (const auto& address : addresses) {
    (begins_with_name(address) ? names : numbers).push_back(address);
  }
  auto chosen = choose(peer, numbers, options);
  const auto found = dials_.find(peer);
  if (found == dials_.end() && !chosen && names.empty()) return chosen.error();
  auto dial = found != dials_.end() ? found->second : std::make_shared<Dial>(peer);
  dial->force = dial->force || options.force;
  if (chosen) add(*dial, *std::move(chosen));
  add_names(*dial, std::move(names));
  if (found != dials_.end()) return dial;
  dials_.emplace(peer, dial);
  if (!tasks_.spawn("dial", run(std::make_unique<Ending>(*this, dial)))) return Errc::closed;
  return dial;
}

Result<std::vector<RankedAddress>> Dialer::choose(const codec::PeerId& peer,
                                                  const std::vector<codec::Multiaddr>& addresses,
                                                  DialOptions options) {
  if (addresses.empty()) return P2pErrc::no_addresses;
  const Dialable not_waiting = [this, &peer](const codec::Multiaddr& address) {
    return dialable_(address) && !backoff_.waits(peer, address, clock_.now());
  };
  auto ranked = rank_addresses(addresses, options.force ? dialable_ : not_waiting);
  if (!ranked.empty()) return ranked;
  if (rank_addresses(addresses, dialable_).empty()) return Errc::unsupported;
  ++counters_.backed_off;
  return P2pErrc::dial_backoff;
}

void Dialer::add(Dial& dial, std::vector<RankedAddress> addresses) {
  const TimePoint now = clock_.now();
  for (RankedAddress& ranked : addresses) {
    if (dial.known.size() >= kMaxDialAddresses) break;
    if (!dial.known.insert(ranked.address).second) continue;
    if (ranked.address.has(codec::Protocol::p2p_circuit)) dial.has_circuits = true;
    dial.waiting.push_back({std::move(ranked.address), now + ranked.delay});
  }
  std::ranges::stable_sort(dial.waiting, {}, &Dial::Waiting::due);
  dial.progress.set();
}

void Dialer::add_names(Dial& dial, std::vector<codec::Multiaddr> names) {
  for (codec::Multiaddr& name : names) {
    if (dial.known.size() >= kMaxDialAddresses) break;
    if (dial.known.insert(name).second) dial.names.push_back(std::move(name));
  }
  dial.progress.set();
}

awaitable<void> Dialer::look_up(std::shared_ptr<Dial> dial, std::vector<codec::Multiaddr> names) {
  struct Leave {
    Dial& dial;
    ~Leave() {
      --dial.looking_up;
      dial.progress.set();
    }
  } leave{*dial};
  Result<std::vector<codec::Multiaddr>> found = P2pErrc::name_not_resolved;
  if (resolver_ != nullptr) {
    found = co_await resolve_addresses(*resolver_, clock_, dial->peer, names);
  }
  if (!found) {
    for (codec::Multiaddr& name : names)
      LoggedAttempt(log_, clock_, dial->peer, std::move(name), Origin::dialed).end(found.error());
    dial->last_error = found.error();
    co_return;
  }
  DialOptions options;
  options.force = dial->force;
  auto chosen = choose(dial->peer, *found, options);
  if (chosen) {
    add(*dial, *std::move(chosen));
  } else {
    dial->last_error = chosen.error();
  }
}

awaitable<void> Dialer::run(std::unique_ptr<Ending> ending) {
  const std::shared_ptr<Dial> dial = ending->dial;
  ++counters_.dials;
  TaskScope attempts(tasks_.executor());
  // A cancelled dial still has to see its attempts end.
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!dial->over()) {
    const bool cancelled = co_await was_cancelled();
    if (cancelled) break;
    start_due(dial, attempts);
    auto progressed = co_await wait_for_progress(dial);
    if (!progressed && progressed.error() != Errc::timed_out) break;
  }
  ending->take_no_more();
  const bool ended = dial->over();
  co_await attempts.close();
  if (dial->winner) {
    dial->result = *dial->winner;
  } else {
    ++counters_.failed;
    if (ended) dial->result = dial->last_error;
  }
}

void Dialer::start_due(const std::shared_ptr<Dial>& dial, TaskScope& attempts) {
  if (!dial->names.empty()) {
    ++dial->looking_up;
    attempts.spawn("dial look-up", look_up(dial, std::exchange(dial->names, {})));
  }
  const TimePoint now = clock_.now();
  while (dial->has_slot()) {
    const bool due = dial->waiting.front().due <= now;
    if (!due && dial->running != 0 && !dial->hurry) break;
    dial->hurry = false;
    Dial::Waiting next = std::move(dial->waiting.front());
    dial->waiting.erase(dial->waiting.begin());
    // Those behind keep their distance from when it really starts.
    for (Dial::Waiting& later : dial->waiting) later.due += now - next.due;
    ++dial->running;
    attempts.spawn("dial address", attempt(dial, std::move(next.address)));
  }
}

awaitable<Result<void>> Dialer::wait_for_progress(std::shared_ptr<Dial> dial) {
  if (!dial->has_slot()) co_return co_await dial->progress.wait();
  const Duration left = dial->waiting.front().due - clock_.now();
  co_return co_await with_deadline<void>(clock_, left, dial->progress.wait());
}

awaitable<void> Dialer::attempt(std::shared_ptr<Dial> dial, codec::Multiaddr address) {
  struct Leave {
    Dial& dial;
    ~Leave() {
      --dial.running;
      dial.progress.set();
    }
  } leave{*dial};
  LoggedAttempt logged(log_, clock_, dial->peer, address, Origin::dialed);
  const SourcePort from = dial->has_circuits ? SourcePort::any : SourcePort::listening;
  auto connection = co_await with_deadline<ConnectionPtr>(clock_, kDialTimeout,
                                                          connect_(dial->peer, address, from));
  logged.end(connection ? error_code() : connection.error());
  if (!connection) {
    dial->last_error = connection.error();
    dial->hurry = true;
    backoff_.failed(dial->peer, address, connection.error(), clock_.now());
    log::debug("dial {} failed: {}", address.to_string(), connection.error().message());
  } else if (dial->winner) {
    (*connection)->close();  // two answered in the same moment
  } else {
    dial->winner = *connection;
  }
}

void Dialer::ended(const Connection& connection, error_code why) {
  const Connection::Facts& facts = connection.facts();
  if (connection.counters().bytes_in != 0) {
    backoff_.reached(facts.peer);
  } else {
    backoff_.failed(facts.peer, facts.remote_address, why, clock_.now());
  }
}

}  // namespace oc::p2p
