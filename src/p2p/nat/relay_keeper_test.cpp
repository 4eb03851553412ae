#include "p2p/nat/relay_keeper.hpp"

#include "p2p/protocols/relay/relay_service.hpp"
#include "p2p/swarm/circuit_address.hpp"
#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::settle;
using test::SwarmRig;

struct RelayRig : SwarmRig {
  RelayRig(Executor executor, std::uint64_t seed)
      : SwarmRig(executor, seed), service(swarm, clock, options()) {
    service.serve(true);
  }
  RelayOptions options() {
    RelayOptions out;
    out.addresses = [this] { return swarm.listen_addresses(); };
    return out;
  }
  RelayService service;
};

// A node that keeps reservations, among relays.
struct World {
  explicit World(Executor executor)
      : node(executor, 1),
        client(node.swarm, node.clock),
        keeper(node.swarm, client, node.clock, options()) {
    for (std::uint64_t i = 0; i < 3; ++i)
      relays.push_back(std::make_unique<RelayRig>(executor, 10 + i));
    keeper.start();
  }
  RelayKeeperOptions options() {
    RelayKeeperOptions out;
    out.needed = [this] { return needed; };
    out.changed = [this] { ++changes; };
    return out;
  }
  // Connects to a relay that trusts us, and offers itself.
  awaitable<ConnectionPtr> meet(std::size_t which, bool trusts_us = true) {
    RelayRig& relay = *relays[which];
    auto connection = co_await test::connect(node, relay);
    if (trusts_us) relay.swarm.connection_to(node.id())->trust();
    connection->trust();
    PeerInfo info;
    info.protocols = relay.swarm.protocols();
    connection->set_info(info);
    keeper.look();
    co_await settle();
    co_return connection;
  }
  awaitable<void> pass(Duration time) {
    node.clock.advance(time);
    co_await settle();
  }
  bool holds(std::size_t which) const {
    for (const HeldReservation& held : keeper.reservations()) {
      if (held.relay == relays[which]->id()) return true;
    }
    return false;
  }
  awaitable<void> close() {
    co_await keeper.close();
    (void)co_await node.close();
    for (auto& relay : relays) (void)co_await relay->close();
  }

  bool needed = true;
  int changes = 0;
  std::vector<std::unique_ptr<RelayRig>> relays;
  SwarmRig node;
  RelayClient client;
  RelayKeeper keeper;
};

template <class Test>
void with_world(Test test) {
  test::run_async([test]() -> awaitable<void> {
    World world(co_await asio::this_coro::executor);
    co_await test(world);
    co_await world.close();
  });
}

TEST(RelayKeeper, takes_two_of_three_and_tells_of_their_circuits) {
  with_world([](World& w) -> awaitable<void> {
    for (std::size_t i = 0; i < 3; ++i) (void)co_await w.meet(i);
    EXPECT_EQ(w.keeper.reservations().size(), kWantedRelays);
    EXPECT_TRUE(w.holds(0) && w.holds(1));
    EXPECT_EQ(w.changes, 2);
    const auto addresses = w.keeper.addresses();
    EXPECT_FALSE(addresses.empty());
    for (const codec::Multiaddr& address : addresses) EXPECT_TRUE(parse_circuit(address));
  });
}

TEST(RelayKeeper, replaces_one_that_goes) {
  with_world([](World& w) -> awaitable<void> {
    auto first = co_await w.meet(0);
    (void)co_await w.meet(1);
    (void)co_await w.meet(2);
    first->abort(Errc::cancelled);
    co_await settle();
    EXPECT_FALSE(w.holds(0));
    EXPECT_TRUE(w.holds(1) && w.holds(2)) << "without time passing";
  });
}

TEST(RelayKeeper, replaces_one_that_stops_relaying) {
  with_world([](World& w) -> awaitable<void> {
    auto first = co_await w.meet(0);
    (void)co_await w.meet(1);
    (void)co_await w.meet(2);
    PeerInfo info;
    info.protocols = {"/ipfs/id/1.0.0"};
    first->set_info(info);
    w.keeper.look();
    co_await settle();
    EXPECT_FALSE(w.holds(0));
    EXPECT_TRUE(w.holds(1) && w.holds(2));
    EXPECT_FALSE(w.client.reserved(w.relays[0]->id()));
  });
}

TEST(RelayKeeper, a_relay_has_stopped_only_when_no_connection_says_otherwise) {
  with_world([](World& w) -> awaitable<void> {
    auto first = co_await w.meet(0);
    PeerInfo none;
    none.protocols = {"/ipfs/id/1.0.0"};
    first->set_info(none);
    auto second =
        co_await w.node.swarm.connect_once(w.relays[0]->id(), w.relays[0]->addresses().front(),
                                           Direction::outbound, Origin::dialed, kDialTimeout);
    EXPECT_TRUE(second);
    (*second)->trust();
    PeerInfo relays;
    relays.protocols = w.relays[0]->swarm.protocols();
    (*second)->set_info(relays);
    co_await settle();
    for (const ConnectionPtr& there : w.relays[0]->swarm.connections_to(w.node.id()))
      there->trust();
    const int before = w.changes;
    w.keeper.look();
    co_await settle();
    for (int i = 0; i < 5; ++i) co_await w.pass(kRelayTick);
    EXPECT_TRUE(w.holds(0));
    EXPECT_LE(w.changes, before + 1);
    second = Errc::closed;
  });
}

TEST(RelayKeeper, renews_before_a_reservation_ends) {
  with_world([](World& w) -> awaitable<void> {
    (void)co_await w.meet(0);
    const WallTime expires = w.keeper.reservations().front().expires;
    co_await w.pass(49min);
    EXPECT_EQ(w.keeper.reservations().front().expires, expires);
    w.relays[0]->clock.advance(50min);
    co_await w.pass(1min);
    EXPECT_GT(w.keeper.reservations().front().expires, expires);
    EXPECT_EQ(w.changes, 1) << "the addresses are the same";
  });
}

TEST(RelayKeeper, leaves_a_relay_that_refuses_alone_a_while) {
  with_world([](World& w) -> awaitable<void> {
    (void)co_await w.meet(0, false);
    const auto asked = [&w] { return w.relays[0]->service.counters().reservations; };
    EXPECT_EQ(asked(), 1u);
    EXPECT_TRUE(w.keeper.reservations().empty());
    co_await w.pass(4s);
    EXPECT_EQ(asked(), 1u);
    co_await w.pass(2s);
    EXPECT_EQ(asked(), 2u);
    co_await w.pass(8s);
    EXPECT_EQ(asked(), 2u) << "twice as long now";
    w.relays[0]->swarm.connection_to(w.node.id())->trust();
    co_await w.pass(3s);
    EXPECT_TRUE(w.holds(0));
  });
}

TEST(RelayKeeper, asks_nobody_while_circuits_are_not_needed) {
  with_world([](World& w) -> awaitable<void> {
    w.needed = false;
    (void)co_await w.meet(0);
    EXPECT_TRUE(w.keeper.reservations().empty());
    w.needed = true;
    w.keeper.look();
    co_await settle();
    EXPECT_TRUE(w.holds(0));
  });
}

TEST(RelayKeeper, asks_only_whom_it_may) {
  with_world([](World& w) -> awaitable<void> {
    RelayRig& relay = *w.relays[0];
    auto connection = co_await test::connect(w.node, relay);
    relay.swarm.connection_to(w.node.id())->trust();
    PeerInfo info;
    info.protocols = relay.swarm.protocols();
    connection->set_info(info);
    w.keeper.look();
    co_await settle();
    EXPECT_TRUE(w.keeper.reservations().empty()) << "we do not trust it";
    connection->trust();
    connection->set_info(PeerInfo{});
    w.keeper.look();
    co_await settle();
    EXPECT_TRUE(w.keeper.reservations().empty()) << "it offers nothing";
  });
}

}  // namespace
}  // namespace oc::p2p
