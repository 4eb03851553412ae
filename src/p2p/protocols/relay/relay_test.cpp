#include "p2p/protocols/relay/relay_client.hpp"
#include "p2p/protocols/relay/relay_service.hpp"
#include "p2p/swarm/circuit_address.hpp"
#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::Operation;
using test::settle;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

constexpr const char* kEchoId = "/echo";

awaitable<void> echo(StreamPtr stream) {
  for (;;) {
    auto chain = co_await stream->read_chain();
    if (!chain) break;
    auto written = co_await stream->write_chain(*std::move(chain));
    if (!written) co_return;
  }
  (void)co_await stream->close_write();
}

struct PeerRig : SwarmRig {
  PeerRig(Executor executor, std::uint64_t seed, RelayOptions options = {})
      : SwarmRig(executor, seed),
        client(swarm, clock),
        service(swarm, clock, with_addresses(std::move(options))) {
    swarm.handle(kEchoId, [](ConnectionPtr, StreamPtr stream) { return echo(std::move(stream)); });
  }
  RelayOptions with_addresses(RelayOptions options) {
    options.addresses = [this] { return swarm.listen_addresses(); };
    return options;
  }

  RelayClient client;
  RelayService service;
};

// A relay, and two that are connected to it.
struct Meeting {
  explicit Meeting(Executor executor, RelayOptions options = {})
      : relay(executor, 1, std::move(options)), a(executor, 2), b(executor, 3) {
    relay.service.serve(true);
  }

  // As members are connected, or as strangers.
  awaitable<void> gather(bool members) {
    to_a = co_await test::connect(a, relay);
    to_b = co_await test::connect(b, relay);
    for (PeerRig* peer : {&a, &b}) {
      if (members) relay.swarm.connection_to(peer->id())->trust();
    }
  }
  codec::Multiaddr circuit() const { return make_circuit(relay.addresses().front(), relay.id()); }
  awaitable<Result<ConnectionPtr>> dial() {
    std::vector<codec::Multiaddr> addresses{circuit()};
    co_return co_await a.swarm.dial(b.id(), std::move(addresses));
  }
  awaitable<void> close() {
    to_a.reset();
    to_b.reset();
    (void)co_await a.close();
    (void)co_await b.close();
    (void)co_await relay.close();
  }

  PeerRig relay, a, b;
  ConnectionPtr to_a, to_b;  // the relay, from there
};

template <class Test>
void with_meeting(Test test, RelayOptions options = {}) {
  test::run_async([test, options]() -> awaitable<void> {
    Meeting meeting(co_await asio::this_coro::executor, options);
    co_await test(meeting);
    co_await meeting.close();
  });
}

awaitable<bool> echoes(ConnectionPtr connection, std::size_t size) {
  auto stream = co_await connection->open_stream(kEchoId);
  if (!stream) co_return false;
  const Bytes sent(size, 0x5a);
  Operation<void> writing(co_await asio::this_coro::executor, (*stream)->write(sent));
  Bytes got(size);
  auto read = co_await net::read_exactly(**stream, got);
  auto written = co_await writing.result();
  co_return read.has_value() && written.has_value() && got == sent;
}

TEST(Relay, members_meet_through_it_without_limits) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    auto reserved = co_await m.b.client.reserve(m.to_b);
    EXPECT_TRUE(reserved && reserved->expires > m.b.clock.wall_now());
    EXPECT_FALSE(reserved->voucher.empty());
    EXPECT_EQ(reserved->addresses.front().peer_id(), m.relay.id());
    auto dialed = co_await m.dial();
    EXPECT_TRUE(dialed) << dialed.error().message();
    if (!dialed) co_return;
    const Connection::Facts& facts = (*dialed)->facts();
    EXPECT_EQ(facts.peer, m.b.id());
    EXPECT_FALSE(facts.direct());
    EXPECT_FALSE(facts.limited);
    EXPECT_EQ(parse_circuit(facts.remote_address)->relay, m.relay.id());
    EXPECT_TRUE(co_await echoes(*dialed, 1'000'000));
    EXPECT_EQ(m.relay.service.circuits(), 1u);
    EXPECT_GT(m.relay.service.counters().bytes, 2'000'000u);
    const ConnectionPtr other_end = m.b.swarm.connection_to(m.a.id());
    EXPECT_NE(other_end, nullptr);
    EXPECT_TRUE(other_end && !other_end->facts().direct() &&
                other_end->facts().direction == Direction::inbound);
  });
}

TEST(Relay, a_dialer_finds_its_own_way_to_the_relay) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    m.to_b = co_await test::connect(m.b, m.relay);
    m.relay.swarm.connection_to(m.b.id())->trust();
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    // As a network has it: the relay comes to trust the dialer before it is asked.
    int waited = 0;
    m.a.client.ready = [&](ConnectionPtr relay) -> awaitable<Result<void>> {
      ++waited;
      EXPECT_EQ(relay->peer(), m.relay.id());
      co_await settle();
      m.relay.swarm.connection_to(m.a.id())->trust();
      co_return success();
    };
    auto dialed = co_await m.dial();
    EXPECT_TRUE(dialed && co_await echoes(*dialed, 10));
    EXPECT_EQ(waited, 1);
  });
}

TEST(Relay, a_circuit_comes_on_the_connection_on_which_it_was_asked_for_last) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    auto newer = co_await m.b.swarm.connect_once(m.relay.id(), m.relay.addresses().front(),
                                                 Direction::outbound, Origin::dialed, kDialTimeout);
    EXPECT_TRUE(newer);
    co_await settle();
    for (const ConnectionPtr& connection : m.relay.swarm.connections_to(m.b.id()))
      connection->trust();
    EXPECT_TRUE(co_await m.b.client.reserve(*newer));
    auto dialed = co_await m.dial();
    EXPECT_TRUE(dialed);
    EXPECT_EQ((*newer)->counters().streams_in, 1u);
    EXPECT_EQ(m.to_b->counters().streams_in, 0u);
    newer = Errc::closed;
  });
}

TEST(Relay, strangers_are_refused_unless_it_is_public) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(false);
    auto reserved = co_await m.b.client.reserve(m.to_b);
    EXPECT_EQ(reserved.error(), P2pErrc::relay_refused);
    m.relay.swarm.connection_to(m.b.id())->trust();
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    auto dialed = co_await m.dial();
    EXPECT_EQ(dialed.error(), P2pErrc::relay_refused) << "the one that comes is a stranger still";
    EXPECT_EQ(m.relay.service.counters().circuits_refused, 1u);
  });
}

RelayOptions public_relay(CircuitLimit limit = {2min, 128 * 1024}) {
  RelayOptions options;
  options.serve_strangers = true;
  options.stranger_limit = limit;
  return options;
}

TEST(Relay, a_strangers_circuit_is_limited_in_bytes) {
  with_meeting(
      [](Meeting& m) -> awaitable<void> {
        co_await m.gather(false);
        EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
        auto dialed = co_await m.dial();
        EXPECT_TRUE(dialed) << dialed.error().message();
        if (!dialed) co_return;
        EXPECT_TRUE((*dialed)->facts().limited);
        EXPECT_TRUE(co_await echoes(*dialed, 20'000));
        EXPECT_FALSE(co_await echoes(*dialed, 50'000)) << "20 KB are gone";
        co_await settle();
        EXPECT_EQ(m.a.swarm.connection_to(m.b.id()), nullptr);
      },
      public_relay({2min, 50'000}));
}

TEST(Relay, a_strangers_circuit_is_limited_in_time) {
  with_meeting(
      [](Meeting& m) -> awaitable<void> {
        co_await m.gather(false);
        EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
        auto dialed = co_await m.dial();
        EXPECT_TRUE(dialed && co_await echoes(*dialed, 10));
        m.relay.clock.advance(119s);
        co_await settle();
        EXPECT_TRUE(co_await echoes(*dialed, 10));
        m.relay.clock.advance(1s);
        co_await settle();
        EXPECT_FALSE((*dialed)->alive());
        EXPECT_EQ(m.relay.service.circuits(), 0u);
      },
      public_relay());
}

TEST(Relay, a_stranger_has_so_many_circuits) {
  RelayOptions options = public_relay();
  options.circuits_of_stranger = 0;
  with_meeting(
      [](Meeting& m) -> awaitable<void> {
        co_await m.gather(false);
        EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
        auto dialed = co_await m.dial();
        EXPECT_EQ(dialed.error(), P2pErrc::relay_full);
      },
      options);
}

TEST(Relay, nobody_is_reached_without_a_reservation) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    auto dialed = co_await m.dial();
    EXPECT_EQ(dialed.error(), P2pErrc::no_reservation);
  });
}

TEST(Relay, a_reservation_ends_with_the_connection) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    EXPECT_TRUE(m.b.client.reserved(m.relay.id()));
    m.to_b->abort(Errc::cancelled);
    co_await settle();
    EXPECT_FALSE(m.b.client.reserved(m.relay.id()));
    EXPECT_EQ(m.relay.service.reservations(), 0u);
  });
}

TEST(Relay, a_reservation_ends_in_time_and_can_be_renewed) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    m.relay.clock.advance(59min);
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    m.relay.clock.advance(59min);
    EXPECT_TRUE(co_await m.dial());
  });
}

TEST(Relay, a_promise_that_is_past_already_is_void) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    m.b.clock.advance(2h);  // its clock is ahead by so much
    auto reserved = co_await m.b.client.reserve(m.to_b);
    EXPECT_EQ(reserved.error(), P2pErrc::bad_reservation);
    EXPECT_FALSE(m.b.client.reserved(m.relay.id()));
  });
}

// Streams from a relay that names ever new peers, each with a circuit on which nobody speaks.
awaitable<std::vector<StreamPtr>> invent_circuits(ConnectionPtr to_victim, std::size_t count) {
  std::vector<StreamPtr> out;
  FakeRandom random(99);
  for (std::size_t i = 0; i < count; ++i) {
    auto stream = co_await to_victim->open_stream(kStopId);
    if (!stream) break;
    StopMessage message;
    message.type = StopMessage::Type::connect;
    message.peer = crypto::PrivateKey::generate(random).peer_id();
    const Bytes request = encode(message);
    EXPECT_TRUE(co_await net::write_delimited(**stream, request));
    out.push_back(*std::move(stream));
  }
  co_await settle();
  co_return out;
}

TEST(Relay, one_that_invents_circuits_leaves_room_for_those_who_come_directly) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    m.to_b->trust();  // the worst case: a relay that is a member
    auto circuits = co_await invent_circuits(m.relay.swarm.connection_to(m.b.id()), 200);
    const ResourceLedger& ledger = m.b.swarm.ledger();
    EXPECT_EQ(ledger.usage(Scope::transient).connections_in, ledger.limits().relay.connections);
    EXPECT_EQ(ledger.refusals().at({Scope::source, Resource::connection_in}),
              circuits.size() - ledger.limits().relay.connections);
    EXPECT_NE(co_await test::connect(m.a, m.b), nullptr);
    circuits.clear();
  });
}

// What a reservation comes to at a relay that promises it until then.
awaitable<Result<Reservation>> reserve_until(Meeting& m, WallTime expires) {
  m.relay.swarm.handle(kHopId, [expires](ConnectionPtr, StreamPtr stream) -> awaitable<void> {
    (void)co_await net::read_delimited(*stream, kMaxRelayMessage);
    HopMessage message;
    message.status = RelayStatus::ok;
    message.reservation.emplace();
    message.reservation->expires = expires;
    const Bytes answer = encode(message);
    EXPECT_TRUE(co_await net::write_delimited(*stream, answer));
    (void)co_await stream->close_write();
    (void)co_await stream->read_chain();  // until it was taken: a reset overtakes what was sent
  });
  co_return co_await m.b.client.reserve(m.to_b);
}

TEST(Relay, a_promise_too_short_to_be_told_to_anybody_is_void) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    const WallTime now = m.b.clock.wall_now();
    auto reserved = co_await reserve_until(m, now + kLeastReservation - 1s);
    EXPECT_EQ(reserved.error(), P2pErrc::bad_reservation);
    EXPECT_FALSE(m.b.client.reserved(m.relay.id()));
    EXPECT_TRUE(co_await reserve_until(m, now + kLeastReservation));
  });
}

TEST(Relay, a_promise_for_centuries_is_taken_for_an_hour) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    auto reserved = co_await reserve_until(m, WallTime::max());
    EXPECT_TRUE(reserved && reserved->expires == m.b.clock.wall_now() + kMostReservation);
  });
}

TEST(Relay, a_circuit_from_a_relay_that_was_not_chosen_is_refused) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    const ConnectionPtr to_victim = m.relay.swarm.connection_to(m.b.id());
    auto stream = co_await to_victim->open_stream(kStopId);
    StopMessage message;
    message.type = StopMessage::Type::connect;
    message.peer = m.a.id();
    const Bytes request = encode(message);
    EXPECT_TRUE(co_await net::write_delimited(**stream, request));
    auto answer = co_await net::read_delimited(**stream, kMaxRelayMessage);
    EXPECT_TRUE(answer);
    const auto decoded = decode_stop(*answer);
    EXPECT_TRUE(decoded && decoded->status == RelayStatus::permission_denied);
    stream = Errc::closed;
  });
}

TEST(Relay, a_circuit_leads_to_no_second_relay) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    auto dialed = co_await m.dial();
    EXPECT_TRUE(dialed);
    co_await settle();
    m.b.service.serve(true);
    m.b.swarm.connection_to(m.a.id())->trust();
    auto reserved = co_await m.a.client.reserve(*dialed);
    EXPECT_EQ(reserved.error(), P2pErrc::relay_refused) << "our own rule";
    auto stream = co_await (*dialed)->open_stream(kHopId);
    HopMessage message;
    message.type = HopMessage::Type::reserve;
    const Bytes request = encode(message);
    EXPECT_TRUE(co_await net::write_delimited(**stream, request));
    auto answer = co_await net::read_delimited(**stream, kMaxRelayMessage);
    EXPECT_TRUE(answer);
    const auto decoded = decode_hop(*answer);
    EXPECT_TRUE(decoded && decoded->status == RelayStatus::permission_denied);
    stream = Errc::closed;
  });
}

TEST(Relay, when_it_goes_the_circuits_through_it_end) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
    auto dialed = co_await m.dial();
    EXPECT_TRUE(dialed);
    for (const ConnectionPtr& connection : m.relay.swarm.connections())
      connection->abort(Errc::cancelled);
    co_await settle();
    EXPECT_FALSE((*dialed)->alive());
    EXPECT_EQ(m.b.swarm.connection_to(m.a.id()), nullptr);
  });
}

TEST(Relay, nonsense_is_answered_as_the_specification_says) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    HopMessage status;
    HopMessage nowhere;
    nowhere.type = HopMessage::Type::connect;
    const std::vector<std::pair<Bytes, RelayStatus>> cases{
        {encode(status), RelayStatus::unexpected_message},
        {encode(nowhere), RelayStatus::malformed_message},
        {Bytes{0xff, 0xff}, RelayStatus::malformed_message}};
    for (const auto& [request, expected] : cases) {
      auto stream = co_await m.to_a->open_stream(kHopId);
      EXPECT_TRUE(co_await net::write_delimited(**stream, request));
      auto answer = co_await net::read_delimited(**stream, kMaxRelayMessage);
      EXPECT_TRUE(answer);
      const auto decoded = decode_hop(*answer);
      EXPECT_TRUE(decoded && decoded->status == expected);
    }
  });
}

TEST(Relay, a_message_that_claims_to_be_huge_ends_the_stream) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    auto stream = co_await m.to_a->open_stream(kHopId);
    const Bytes prefix{0x80, 0x80, 0x80, 0x80, 0x80, 0x20};  // 2^40
    EXPECT_TRUE(co_await (*stream)->write(prefix));
    auto answer = co_await net::read_delimited(**stream, kMaxRelayMessage);
    EXPECT_FALSE(answer);
    stream = Errc::closed;
  });
}

TEST(Relay, offers_itself_only_while_it_serves) {
  with_meeting([](Meeting& m) -> awaitable<void> {
    co_await m.gather(true);
    m.relay.service.serve(false);
    auto reserved = co_await m.b.client.reserve(m.to_b);
    EXPECT_FALSE(reserved);
    m.relay.service.serve(true);
    EXPECT_TRUE(co_await m.b.client.reserve(m.to_b));
  });
}

}  // namespace
}  // namespace oc::p2p
