#include "p2p/protocols/dcutr/dcutr.hpp"

#include "p2p/protocols/relay/relay_client.hpp"
#include "p2p/protocols/relay/relay_service.hpp"
#include "p2p/swarm/circuit_address.hpp"
#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using codec::Multiaddr;
using test::settle;
using test::SwarmRig;

TEST(DcutrMessage, comes_back_as_it_was) {
  DcutrMessage connect;
  connect.addresses = {*Multiaddr::parse("/ip4/192.0.2.1/tcp/1"),
                       *Multiaddr::parse("/ip6/2001:db8::1/tcp/2")};
  DcutrMessage sync;
  sync.type = DcutrMessage::Type::sync;
  for (const DcutrMessage& message : {connect, sync}) {
    const auto back = decode_dcutr(encode(message));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, message);
  }
}

// By the field numbers of the specification.
TEST(DcutrMessage, has_the_bytes_of_the_specification) {
  DcutrMessage sync;
  sync.type = DcutrMessage::Type::sync;
  EXPECT_EQ(to_hex(encode(sync)), "08ac02");
  DcutrMessage connect;
  connect.addresses = {*Multiaddr::parse("/ip4/192.0.2.1/tcp/1985")};
  EXPECT_EQ(to_hex(encode(connect)), "0864120804c00002010607c1");
}

TEST(DcutrMessage, what_is_none_is_refused_and_addresses_are_bounded) {
  EXPECT_FALSE(decode_dcutr({}));
  EXPECT_FALSE(decode_dcutr(Bytes{0x08, 0x01})) << "an unknown type counts as none";
  DcutrMessage many;
  many.addresses.assign(100, *Multiaddr::parse("/ip4/192.0.2.1/tcp/1985"));
  const Bytes bytes = encode(many);
  EXPECT_LE(bytes.size(), kMaxDcutrMessage);
  EXPECT_EQ(decode_dcutr(bytes)->addresses.size(), kMaxPunchAddresses);
}

struct PeerRig : SwarmRig {
  PeerRig(Executor executor, std::uint64_t seed)
      : SwarmRig(executor, seed),
        client(swarm, clock),
        service(swarm, clock, relay_options()),
        dcutr(swarm, clock, dcutr_options()) {}
  RelayOptions relay_options() {
    RelayOptions options;
    options.addresses = [this] { return swarm.listen_addresses(); };
    return options;
  }
  DcutrOptions dcutr_options() {
    DcutrOptions options;
    options.addresses = [this] { return told; };
    options.may_dial = [](const Connection&, const Multiaddr&) { return true; };
    return options;
  }

  std::vector<Multiaddr> told;  // to the other side, as where we may be seen
  RelayClient client;
  RelayService service;
  Dcutr dcutr;
};

// A calls B over a circuit. Neither tells anything of itself by identify.
struct Call {
  explicit Call(Executor executor) : relay(executor, 1), a(executor, 2), b(executor, 3) {
    relay.service.serve(true);
  }
  awaitable<void> begin() {
    to_a = co_await test::connect(a, relay);
    to_b = co_await test::connect(b, relay);
    for (PeerRig* peer : {&a, &b}) relay.swarm.connection_to(peer->id())->trust();
    EXPECT_TRUE(co_await b.client.reserve(to_b));
    std::vector<Multiaddr> circuit{make_circuit(relay.addresses().front(), relay.id())};
    auto dialed = co_await a.swarm.dial(b.id(), std::move(circuit));
    EXPECT_TRUE(dialed);
    co_await settle();
  }
  awaitable<void> pass(Duration time) {
    constexpr Duration kStep = 100ms;
    for (Duration passed{}; passed < time; passed += kStep) {
      for (PeerRig* peer : {&a, &b}) peer->clock.advance(kStep);
      co_await settle();
    }
  }
  bool direct() const {
    const ConnectionPtr there = a.swarm.connection_to(b.id());
    const ConnectionPtr back = b.swarm.connection_to(a.id());
    return there && back && there->facts().direct() && back->facts().direct();
  }
  awaitable<void> close() {
    to_a.reset();
    to_b.reset();
    (void)co_await a.close();
    (void)co_await b.close();
    (void)co_await relay.close();
  }

  PeerRig relay, a, b;
  ConnectionPtr to_a, to_b;
};

template <class Test>
void with_call(Test test) {
  test::run_async([test]() -> awaitable<void> {
    Call call(co_await asio::this_coro::executor);
    co_await test(call);
    co_await call.close();
  });
}

TEST(Dcutr, the_caller_dials_what_the_called_side_tells_and_is_the_client) {
  with_call([](Call& c) -> awaitable<void> {
    c.b.told = c.b.addresses();
    c.a.told = {*Multiaddr::parse("/ip4/127.0.0.1/tcp/1")};  // nobody is there
    co_await c.begin();
    EXPECT_FALSE(c.direct());
    co_await c.pass(kDcutrSettle + kPunchTimeout + 500ms);
    EXPECT_TRUE(c.direct());
    if (!c.direct()) co_return;
    EXPECT_EQ(c.a.swarm.connection_to(c.b.id())->facts().direction, Direction::outbound);
    EXPECT_EQ(c.b.swarm.connection_to(c.a.id())->facts().direction, Direction::inbound);
    EXPECT_EQ(c.b.dcutr.counters().punched, 1u);
    EXPECT_EQ(c.a.swarm.connection_to(c.b.id())->facts().origin, Origin::punched);
    const std::vector<Attempt> tried = c.b.swarm.attempts().of(c.a.id());
    EXPECT_FALSE(tried.empty());
    for (const Attempt& attempt : tried) {
      EXPECT_EQ(attempt.how, Origin::punched);
      EXPECT_TRUE(attempt.outcome) << "nobody listens there";
    }
  });
}

TEST(Dcutr, who_can_be_reached_is_dialed_without_ado) {
  with_call([](Call& c) -> awaitable<void> {
    co_await c.begin();
    PeerInfo info;
    info.listen_addresses = c.a.addresses();
    c.b.swarm.connection_to(c.a.id())->set_info(info);
    co_await c.pass(kDcutrSettle + 500ms);
    EXPECT_TRUE(c.direct());
    EXPECT_EQ(c.b.dcutr.counters().reversals, 1u);
    EXPECT_EQ(c.b.swarm.connection_to(c.a.id())->facts().origin, Origin::reversed);
    EXPECT_EQ(c.a.swarm.connection_to(c.b.id())->facts().origin, Origin::accepted);
    EXPECT_EQ(c.b.dcutr.counters().tries, 0u);
  });
}

TEST(Dcutr, tries_are_bounded_and_come_again_after_a_pause) {
  with_call([](Call& c) -> awaitable<void> {
    c.a.told = c.b.told = {*Multiaddr::parse("/ip4/127.0.0.1/tcp/1")};
    co_await c.begin();
    co_await c.pass(kDcutrSettle + kPunchTries * kPunchTimeout + 1s);
    EXPECT_EQ(c.b.dcutr.counters().tries, 3u);
    co_await c.pass(kPunchPause - 2s);
    EXPECT_EQ(c.b.dcutr.counters().tries, 3u);
    c.b.told = c.b.addresses();
    co_await c.pass(2s + kDcutrSettle + kPunchTimeout + 500ms);
    EXPECT_TRUE(c.direct());
  });
}

TEST(Dcutr, is_for_circuits_only_and_only_for_who_was_called) {
  with_call([](Call& c) -> awaitable<void> {
    co_await c.begin();
    auto on_direct = co_await c.to_a->open_stream(kDcutrId);
    EXPECT_TRUE(on_direct);
    auto by_caller = co_await c.a.swarm.connection_to(c.b.id())->open_stream(kDcutrId);
    EXPECT_TRUE(by_caller);
    for (auto* stream : {&on_direct, &by_caller}) {
      auto answer = co_await net::read_delimited(***stream, kMaxDcutrMessage);
      EXPECT_EQ(answer.error(), Errc::reset);
      *stream = Errc::closed;
    }
  });
}

TEST(Dcutr, who_was_called_may_ask_for_a_few_tries_in_a_row) {
  with_call([](Call& c) -> awaitable<void> {
    c.a.told = c.b.told = {*Multiaddr::parse("/ip4/127.0.0.1/tcp/1")};
    co_await c.begin();
    const Bytes connect = encode(DcutrMessage{});
    int answered = 0;
    for (int i = 0; i < kAskedTries + 3; ++i) {
      auto stream = co_await c.b.swarm.connection_to(c.a.id())->open_stream(kDcutrId);
      EXPECT_TRUE(stream);
      EXPECT_TRUE(co_await net::write_delimited(**stream, connect));
      auto answer = co_await net::read_delimited(**stream, kMaxDcutrMessage);
      if (answer) ++answered;
      stream = Errc::closed;
      co_await settle();
    }
    EXPECT_EQ(answered, kAskedTries);
  });
}

TEST(Dcutr, what_strangers_say_is_dialed_at_a_bounded_rate) {
  with_call([](Call& c) -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    c.a.told = c.b.told = {*Multiaddr::parse("/ip4/127.0.0.1/tcp/1")};
    co_await c.begin();
    std::vector<Multiaddr> circuit{make_circuit(c.relay.addresses().front(), c.relay.id())};
    std::vector<std::unique_ptr<PeerRig>> callers;
    for (std::uint64_t i = 0; i < kStrangerTries; ++i) {
      callers.push_back(std::make_unique<PeerRig>(executor, 10 + i));
      callers.back()->told = c.a.told;
      auto to_relay = co_await test::connect(*callers.back(), c.relay);
      c.relay.swarm.connection_to(callers.back()->id())->trust();
      EXPECT_TRUE(co_await callers.back()->swarm.dial(c.b.id(), circuit));
    }
    constexpr Duration kTime = kDcutrSettle + kPunchTries * kPunchTimeout;
    co_await c.pass(kTime);
    EXPECT_GE(c.b.dcutr.counters().tries, std::uint64_t{kStrangerTries});
    EXPECT_LE(c.b.dcutr.counters().tries,
              std::uint64_t{kStrangerTries} + kTime / kStrangerInterval);
    for (auto& caller : callers) (void)co_await caller->close();
  });
}

TEST(Dcutr, an_attempt_that_ran_out_of_time_says_so) {
  with_call([](Call& c) -> awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    auto deaf = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    c.b.told = {net::to_multiaddr(deaf->local())};
    c.a.told = {net::to_multiaddr(deaf->local())};
    co_await c.begin();
    co_await c.pass(kDcutrSettle + kPunchTimeout + 500ms);
    const std::vector<Attempt> tried = c.b.swarm.attempts().of(c.a.id());
    EXPECT_FALSE(tried.empty());
    if (tried.empty()) co_return;
    EXPECT_EQ(tried.back().outcome, Errc::timed_out);
  });
}

}  // namespace
}  // namespace oc::p2p
