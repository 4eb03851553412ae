#include "p2p/protocols/dcutr/dcutr.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"

namespace oc::p2p {
namespace {

using codec::AddressScope;

bool may_dial_by_default(const Connection& connection, const codec::Multiaddr& address) {
  const AddressScope scope = address.scope();
  if (connection.trusted())
    return scope != AddressScope::loopback && scope != AddressScope::unspecified;
  return scope == AddressScope::public_internet;
}

awaitable<Result<void>> say(net::Stream& stream, DcutrMessage message) {
  const Bytes bytes = encode(message);
  co_return co_await net::write_delimited(stream, bytes);
}

awaitable<Result<DcutrMessage>> hear(net::Stream& stream, DcutrMessage::Type expected) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxDcutrMessage));
  CO_TRY(DcutrMessage message, decode_dcutr(bytes));
  if (message.type != expected) co_return Errc::protocol_violation;
  co_return message;
}

// What B has after an exchange.
struct Agreed {
  std::vector<codec::Multiaddr> addresses;
  Duration round_trip{};
};

awaitable<Result<Agreed>> exchange(net::Stream& stream, Clock& clock,
                                   std::vector<codec::Multiaddr> own) {
  DcutrMessage message;
  message.addresses = std::move(own);
  const TimePoint start = clock.now();
  CO_CHECK(co_await say(stream, std::move(message)));
  CO_TRY(DcutrMessage theirs, co_await hear(stream, DcutrMessage::Type::connect));
  Agreed agreed;
  agreed.round_trip = clock.now() - start;
  agreed.addresses = std::move(theirs.addresses);
  DcutrMessage sync;
  sync.type = DcutrMessage::Type::sync;
  CO_CHECK(co_await say(stream, std::move(sync)));
  (void)co_await stream.close_write();
  co_return agreed;
}

}  // namespace

Dcutr::Dcutr(Swarm& swarm, Clock& clock, DcutrOptions options)
    : swarm_(swarm), clock_(clock), options_(std::move(options)) {
  if (!options_.may_dial) options_.may_dial = may_dial_by_default;
  swarm_.handle(
      kDcutrId,
      [this](ConnectionPtr circuit, std::unique_ptr<net::Stream> stream) {
        return answer(std::move(circuit), std::move(stream));
      },
      kDcutrLimits);
  SwarmEvents events;
  events.connected = [this](const ConnectionPtr& connection) {
    const Connection::Facts& facts = connection->facts();
    if (!facts.direct() && facts.direction == Direction::inbound)
      connection->tasks().spawn("hole punching", keep_direct(connection));
  };
  events.disconnected = [this](const ConnectionPtr& connection, error_code) {
    asked_.erase(connection->facts().id);
  };
  swarm_.observe(std::move(events));
}

bool Dcutr::may_try(const Connection& circuit) {
  return circuit.trusted() || stranger_tries_.take(clock_.now());
}

bool Dcutr::may_be_asked(const Connection& circuit) {
  const TokenBucket fresh(kAskedInterval, kAskedTries);
  return asked_.try_emplace(circuit.facts().id, fresh).first->second.take(clock_.now());
}

bool Dcutr::is_direct(const codec::PeerId& peer) const {
  const ConnectionPtr best = swarm_.connection_to(peer);
  return best != nullptr && best->facts().direct();
}

Dcutr::Addresses Dcutr::usable(const Connection& circuit, const Addresses& claimed) const {
  const Addresses own = swarm_.listen_addresses();
  Addresses out;
  for (const codec::Multiaddr& address : claimed) {
    codec::Multiaddr bare = address.without_peer();
    const bool ours = std::ranges::find(own, bare) != own.end();
    const bool known = std::ranges::find(out, bare) != out.end();
    if (out.size() == kMaxPunchAddresses) break;
    if (!ours && !known && is_plain_tcp(bare) && options_.may_dial(circuit, bare))
      out.push_back(std::move(bare));
  }
  return out;
}

awaitable<void> Dcutr::keep_direct(ConnectionPtr circuit) {
  Duration pause = kPunchPause;
  for (;;) {
    Duration wait = kDirectCheck;
    if (is_direct(circuit->peer())) {
      pause = kPunchPause;
    } else if (!is_others_turn(circuit->peer())) {
      const bool done = co_await become_direct(circuit);
      if (!done) {
        log::debug("no direct path to {} yet", circuit->peer().to_string());
        wait = pause;
        pause = std::min(pause * 2, kMaxPunchPause);
      }
    }
    // Cancellation that came while something was dialed does not interrupt a later wait.
    const bool cancelled = co_await was_cancelled();
    if (cancelled) co_return;
    if (auto slept = co_await clock_.sleep_for(wait); !slept) co_return;
  }
}

bool Dcutr::is_others_turn(const codec::PeerId& peer) const {
  if (swarm_.self() < peer) return false;
  return std::ranges::any_of(swarm_.connections_to(peer), [](const ConnectionPtr& connection) {
    const Connection::Facts& facts = connection->facts();
    return connection->alive() && !facts.direct() && facts.direction == Direction::outbound;
  });
}

awaitable<bool> Dcutr::become_direct(ConnectionPtr circuit) {
  const bool reversed = co_await reverse(circuit);
  if (reversed) {
    ++counters_.reversals;
    co_return true;
  }
  for (int i = 1; i <= kPunchTries; ++i) {
    if (is_direct(circuit->peer())) co_return true;
    const bool cancelled = co_await was_cancelled();
    if (cancelled || is_others_turn(circuit->peer()) || !may_try(*circuit)) co_return false;
    ++counters_.tries;
    auto tried = co_await try_as_called(circuit, i);
    if (tried || is_direct(circuit->peer())) {
      ++counters_.punched;
      log::info("direct path to {}, after {} tries", circuit->peer().to_string(), i);
      co_return true;
    }
    log::debug("try {} of a direct path to {}: {}", i, circuit->peer().to_string(),
               tried.error().message());
    // It does not speak the protocol, or has nothing to dial: no further try changes that.
    if (tried.error() == P2pErrc::negotiation_failed || tried.error() == P2pErrc::no_addresses)
      break;
  }
  co_return false;
}

awaitable<bool> Dcutr::reverse(ConnectionPtr circuit) {
  constexpr int kLooks = 10;
  for (int i = 0; i < kLooks && !circuit->info(); ++i) {
    if (auto slept = co_await clock_.sleep_for(kDcutrSettle / kLooks); !slept) co_return false;
  }
  if (is_direct(circuit->peer())) co_return true;
  if (!circuit->info()) co_return false;
  const Addresses& told = circuit->info()->listen_addresses;
  // Who has circuits is not reachable.
  const auto is_circuit = [](const codec::Multiaddr& address) {
    return address.has(codec::Protocol::p2p_circuit);
  };
  if (std::ranges::any_of(told, is_circuit)) co_return false;
  Addresses addresses = usable(*circuit, told);
  if (addresses.empty() || !may_try(*circuit)) co_return false;
  auto dialed = co_await dial_all(circuit->peer(), std::move(addresses), Direction::outbound,
                                  Origin::reversed, kReversalTimeout);
  co_return dialed.has_value();
}

awaitable<Result<void>> Dcutr::try_as_called(ConnectionPtr circuit, int attempt) {
  CO_TRY(auto stream, co_await circuit->open_agreed_stream(kDcutrId));
  CO_TRY(const Agreed agreed,
         co_await with_deadline<Agreed>(clock_, kDcutrTimeout,
                                        exchange(*stream, clock_, options_.addresses())));
  Addresses addresses = usable(*circuit, agreed.addresses);
  if (addresses.empty()) co_return P2pErrc::no_addresses;
  const bool at_once = attempt == 1 && agreed.round_trip < kNearRoundTrip;
  if (!at_once) CO_CHECK(co_await clock_.sleep_for(agreed.round_trip / 2));
  const Direction role = attempt == kPunchTries ? Direction::outbound : Direction::inbound;
  co_return co_await dial_all(circuit->peer(), std::move(addresses), role, Origin::punched,
                              kPunchTimeout);
}

awaitable<void> Dcutr::answer(ConnectionPtr circuit, std::unique_ptr<net::Stream> stream) {
  // Only who was called asks, and only on the circuit that is to be replaced.
  const Connection::Facts& facts = circuit->facts();
  if (facts.direct() || facts.direction != Direction::outbound || !may_be_asked(*circuit)) {
    stream->reset();
    co_return;
  }
  auto addresses =
      co_await with_deadline<Addresses>(clock_, kDcutrTimeout, answer_exchange(circuit, *stream));
  if (!addresses) {
    stream->reset();
    co_return;
  }
  (void)co_await stream->close_write();
  auto punched = co_await dial_all(circuit->peer(), *std::move(addresses), Direction::outbound,
                                   Origin::punched, kPunchTimeout);
  if (!punched) {
    log::debug("no direct path to {}: {}", circuit->peer().to_string(), punched.error().message());
  }
}

awaitable<Result<Dcutr::Addresses>> Dcutr::answer_exchange(ConnectionPtr circuit,
                                                           net::Stream& stream) {
  CO_TRY(const DcutrMessage theirs, co_await hear(stream, DcutrMessage::Type::connect));
  DcutrMessage own;
  own.addresses = options_.addresses();
  CO_CHECK(co_await say(stream, std::move(own)));
  CO_CHECK(co_await hear(stream, DcutrMessage::Type::sync));
  co_return usable(*circuit, theirs.addresses);
}

awaitable<void> Dcutr::dial_one(codec::PeerId peer, codec::Multiaddr address, Direction role,
                                Origin how, Duration limit, Event& done) {
  auto connection = co_await swarm_.connect_once(std::move(peer), address, role, how, limit);
  if (connection) {
    done.set();
  } else {
    log::debug("punching {}: {}", address.to_string(), connection.error().message());
  }
}

awaitable<Result<void>> Dcutr::dial_all(codec::PeerId peer, Addresses addresses, Direction role,
                                        Origin how, Duration limit) {
  if (addresses.empty()) co_return P2pErrc::no_addresses;
  co_await asio::this_coro::throw_if_cancelled(false);
  TaskScope attempts(swarm_.executor());
  Event done;
  for (codec::Multiaddr& address : addresses)
    attempts.spawn("hole punch", dial_one(peer, std::move(address), role, how, limit, done));
  // The other side's SYN may also have come to our listener: looked at when the time is over. The
  // attempts end before, by themselves.
  auto dialed = co_await with_deadline<void>(clock_, limit + kEndOfAttempts, done.wait());
  co_await attempts.close();
  co_return dialed;
}

}  // namespace oc::p2p
