// What a node tells others of itself.
#include "overlay/overlay.hpp"

#include "support/overlay_world.hpp"

namespace oc::overlay {
namespace {

using test::key_of;
using test::network_of;
using test::OverlayNode;
using test::World;
using namespace std::chrono_literals;

awaitable<void> the_sequence_number_only_grows(World& world) {
  const auto now = static_cast<std::uint64_t>(unix_milliseconds(world.clock.wall_now()));
  OverlayNode& ahead =
      world.add({.seed = 1, .networks = {network_of("home", "p")}, .last_seq = now + 1'000'000});
  ahead.overlay.start();
  EXPECT_EQ(ahead.seqs, std::vector<std::uint64_t>{now + 1'000'001});
  // A store that lost it: the clock is the floor.
  OverlayNode& fresh = world.add({.seed = 2, .networks = {network_of("home", "p")}});
  fresh.overlay.start();
  EXPECT_EQ(fresh.seqs, std::vector<std::uint64_t>{now});
  co_await world.pass(20s, 100ms);
  EXPECT_EQ(fresh.seqs.size(), 1u) << "what did not change is not issued again";
  world.clock.advance(kRecordRefresh);
  co_await world.pass(kRecordCheck);
  CO_ASSERT_TRUE(fresh.seqs.size() == 2);
  EXPECT_GT(fresh.seqs[1], fresh.seqs[0]);
}
TEST(OwnAddresses, the_sequence_number_only_grows) {
  test::in_world(the_sequence_number_only_grows);
}

codec::Multiaddr address(const std::string& text) { return *codec::Multiaddr::parse(text); }

const codec::Multiaddr kSeenAs = address("/ip4/203.0.113.7/tcp/4001");

// Another peer, somewhere else, sees the node at kSeenAs.
void is_seen_from_outside(World& world, OverlayNode& node, std::uint32_t observer) {
  p2p::Observation seen;
  seen.observer = key_of(1000 + observer).peer_id();
  seen.remote = address("/ip4/198.51.100." + std::to_string(observer) + "/tcp/4001");
  seen.local = address("/ip4/192.168.1.2/tcp/4001");
  seen.observed = kSeenAs;
  seen.at_listen_port = true;
  node.host.identify().observed().observe(p2p::ConnectionId(1'000'000 + observer), std::move(seen),
                                          world.clock.now());
}

awaitable<void> an_address_that_enough_peers_see_is_told_to_all(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  world.introduce(b, a);
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
  for (std::uint32_t observer = 1; observer <= 4; ++observer)
    is_seen_from_outside(world, a, observer);
  EXPECT_EQ(a.overlay.own_addresses(), std::vector{kSeenAs}) << "and loopback no more";
  const auto connection = b.host.swarm().connection_to(a.id());
  CO_ASSERT_TRUE(co_await world.until([&] {
    return b.overlay.membership().find_record(a.id())->record.addresses == std::vector{kSeenAs} &&
           connection->info()->listen_addresses == std::vector{kSeenAs};
  }));
  EXPECT_EQ(a.seqs.size(), 2u);
  // When nobody sees it there any more, that is told, too.
  for (std::uint32_t observer = 1; observer <= 4; ++observer) {
    a.host.identify().observed().ended(p2p::ConnectionId(1'000'000 + observer), world.clock.now());
  }
  world.clock.advance(p2p::kObservationLife);
  EXPECT_EQ(a.overlay.own_addresses(), a.host.swarm().listen_addresses());
}
TEST(OwnAddresses, an_address_that_enough_peers_see_is_told_to_all) {
  test::in_world(an_address_that_enough_peers_see_is_told_to_all);
}

awaitable<void> announced_addresses_come_before_what_peers_see(World& world) {
  const auto announced = address("/dns4/node.example/tcp/4001");
  OverlayNode& node = world.add({.seed = 1, .announce = {announced}});
  EXPECT_EQ(node.overlay.own_addresses(), std::vector{announced});
  for (std::uint32_t observer = 1; observer <= 4; ++observer)
    is_seen_from_outside(world, node, observer);
  EXPECT_EQ(node.overlay.own_addresses(), (std::vector{announced, kSeenAs}));
  co_return;
}
TEST(OwnAddresses, announced_addresses_come_before_what_peers_see) {
  test::in_world(announced_addresses_come_before_what_peers_see);
}

awaitable<void> an_address_that_a_router_maps_is_told_at_once(World& world) {
  const auto mapped = address("/ip4/203.0.113.7/tcp/50000");
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  world.introduce(b, a);
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
  for (std::uint32_t observer = 1; observer <= 4; ++observer)
    is_seen_from_outside(world, a, observer);
  a.mapped = mapped;
  a.overlay.addresses_changed();
  EXPECT_EQ(a.overlay.own_addresses(), (std::vector{mapped, kSeenAs}));
  const TimePoint begin = world.clock.now();
  CO_ASSERT_TRUE(co_await world.until([&] {
    return b.overlay.membership().find_record(a.id())->record.addresses.front() == mapped;
  }));
  EXPECT_LT(world.clock.now() - begin, kRecordCheck);
}
TEST(OwnAddresses, an_address_that_a_router_maps_is_told_at_once) {
  test::in_world(an_address_that_a_router_maps_is_told_at_once);
}

awaitable<void> an_address_that_does_not_work_is_told_only_where_there_is_no_circuit(World& world) {
  const auto mapped = address("/ip4/203.0.113.7/tcp/50000");
  OverlayNode& a = world.member(1);
  OverlayNode& relay = world.member(2);
  const auto is_told = [&] {
    const auto told = a.overlay.own_addresses();
    return std::ranges::find(told, mapped) != told.end();
  };
  world.introduce(relay, a);
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(relay) && relay.knows(a); }));
  a.mapped = a.unreachable = mapped;
  EXPECT_TRUE(is_told()) << "better than none";
  relay.host.relay_service().serve(true);
  CO_ASSERT_TRUE(co_await world.until([&] {
    a.overlay.look_for_relays();
    return !a.overlay.relays().addresses().empty();
  }));
  EXPECT_FALSE(is_told());
  a.unreachable.reset();
  EXPECT_TRUE(is_told());
}
TEST(OwnAddresses, an_address_that_does_not_work_is_told_only_where_there_is_no_circuit) {
  test::in_world(an_address_that_does_not_work_is_told_only_where_there_is_no_circuit);
}

awaitable<void> more_addresses_than_a_record_holds_are_no_change_every_time(World& world) {
  std::vector<codec::Multiaddr> many;
  for (std::size_t i = 0; i < 2 * kMaxRecordAddresses; ++i) {
    many.push_back(address("/ip4/203.0.113.7/tcp/" + std::to_string(i + 1)));
  }
  OverlayNode& node =
      world.add({.seed = 1, .networks = {network_of("home", "p")}, .announce = many});
  node.overlay.start();
  co_await world.pass(20s, 100ms);
  EXPECT_EQ(node.seqs.size(), 1u);
}
TEST(OwnAddresses, more_addresses_than_a_record_holds_are_no_change_every_time) {
  test::in_world(more_addresses_than_a_record_holds_are_no_change_every_time);
}

awaitable<void> records_that_were_not_renewed_for_a_month_are_forgotten(World& world) {
  OverlayNode& node = world.member(1);
  const auto key = key_of(5);
  NodeRecord record;
  record.peer = key.peer_id();
  record.issued = world.clock.wall_now() - kMaxRecordAge + 10s;
  node.overlay.restore(NetworkName("home"), seal_record(key, record).envelope, std::nullopt);
  EXPECT_EQ(node.overlay.members().size(), 1u);
  co_await world.pass(20s, 100ms);
  EXPECT_TRUE(node.overlay.members().empty());
}
TEST(OwnAddresses, records_that_were_not_renewed_for_a_month_are_forgotten) {
  test::in_world(records_that_were_not_renewed_for_a_month_are_forgotten);
}

}  // namespace
}  // namespace oc::overlay
