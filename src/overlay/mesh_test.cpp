// Whom a node dials, when, and when not.
#include "overlay/overlay.hpp"

#include "support/overlay_world.hpp"

namespace oc::overlay {
namespace {

using test::key_of;
using test::network_of;
using test::OverlayNode;
using test::World;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<net::Stream>;

const NetworkId kHome = network_of("home", "password").id;

awaitable<void> a_node_that_comes_back_is_found_again(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  world.introduce(b, a);
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
  // b has the bootstrap string; a has only b's record, and finds it by that.
  const std::uint16_t port = b.port();
  const codec::PeerId b_id = b.id();
  co_await world.remove(b);
  CO_ASSERT_TRUE(
      co_await world.until([&] { return a.overlay.membership().connection_to(b_id) == nullptr; }));
  CO_ASSERT_TRUE(a.overlay.members().size() == 1);
  EXPECT_FALSE(a.overlay.members()[0].online);
  EXPECT_EQ(a.changes.back(), b_id.to_string() + "-home");
  co_await world.pass(5s);
  OverlayNode& again =
      world.add({.seed = 2, .port = port, .networks = {network_of("home", "password")}});
  again.overlay.start();
  CO_ASSERT_TRUE(co_await world.until([&] { return a.is_connected_to(again) && again.knows(a); }));
  EXPECT_EQ(a.changes.back(), b_id.to_string() + "+home");
}
TEST(Mesh, a_node_that_comes_back_is_found_again) {
  test::in_world(a_node_that_comes_back_is_found_again);
}

awaitable<void> a_restarted_node_finds_its_peers_by_what_its_store_remembers(World& world) {
  OverlayNode& a = world.member(1);
  co_await world.pass(100ms);
  const SealedRecord& record = *a.overlay.membership().find_record(a.id());
  OverlayNode& b = world.add({.seed = 2, .networks = {network_of("home", "password")}});
  b.overlay.restore(NetworkName("home"), record.envelope, world.clock.wall_now() - 1h);
  CO_ASSERT_TRUE(b.overlay.members().size() == 1);
  EXPECT_EQ(b.overlay.members()[0].last_contact, world.clock.wall_now() - 1h);
  b.overlay.start();
  CO_ASSERT_TRUE(co_await world.until([&] { return b.is_connected_to(a); }));
}
TEST(Mesh, a_restarted_node_finds_its_peers_by_what_its_store_remembers) {
  test::in_world(a_restarted_node_finds_its_peers_by_what_its_store_remembers);
}

awaitable<void> a_peer_that_speaks_no_open_chat_is_not_dialed_all_the_time(World& world) {
  asio::any_io_executor executor = world.executor();
  FakeRandom random(9);
  p2p::IdentifyOptions identify;
  identify.addresses = [] { return std::vector<codec::Multiaddr>(); };
  identify.record_seq = [] { return std::uint64_t{1}; };
  p2p::Host plain(executor, world.clock, random, key_of(9), identify);
  CO_ASSERT_TRUE(plain.swarm().listen({asio::ip::address_v4::loopback(), 0}));
  OverlayNode& node = world.member(1);
  BootstrapPeer peer{plain.swarm().self(), {}};
  for (const auto& address : plain.swarm().listen_addresses()) {
    peer.addresses.push_back(address.with_peer(peer.id));
  }
  EXPECT_TRUE(node.overlay.add_bootstrap(peer));
  co_await world.pass(10s);
  EXPECT_GE(node.host.swarm().counters().dials, 2u);
  EXPECT_LE(node.host.swarm().counters().dials, 8u);
  EXPECT_TRUE(node.overlay.members().empty());
  EXPECT_TRUE(co_await world.finish(plain.swarm().close(1s)));
}
TEST(Mesh, a_peer_that_speaks_no_open_chat_is_not_dialed_all_the_time) {
  test::in_world(a_peer_that_speaks_no_open_chat_is_not_dialed_all_the_time);
}

awaitable<void> a_peer_that_hangs_up_is_not_dialed_all_the_time(World& world) {
  OverlayNode& rude = world.add({.seed = 2, .networks = {network_of("home", "password")}});
  p2p::SwarmEvents hang_up;
  hang_up.connected = [](const p2p::ConnectionPtr& connection) { connection->abort(Errc::reset); };
  rude.host.swarm().observe(std::move(hang_up));
  OverlayNode& node = world.member(1);
  world.introduce(node, rude);
  co_await world.pass(10s);
  EXPECT_GE(node.host.swarm().counters().dials, 2u);
  EXPECT_LE(node.host.swarm().counters().dials, 8u);
}
TEST(Mesh, a_peer_that_hangs_up_is_not_dialed_all_the_time) {
  test::in_world(a_peer_that_hangs_up_is_not_dialed_all_the_time);
}

awaitable<void> connecting_fails_fast_where_there_is_no_way(World& world) {
  OverlayNode& node = world.member(1);
  const auto unknown = co_await world.result_of(node.overlay.connect(kHome, key_of(77).peer_id()));
  EXPECT_EQ(unknown.error(), Errc::not_found);
  BootstrapPeer gone{key_of(78).peer_id(), {}};
  gone.addresses.push_back(codec::Multiaddr::parse("/ip4/127.0.0.1/tcp/1")->with_peer(gone.id));
  EXPECT_TRUE(node.overlay.add_bootstrap(gone));
  const auto refused = co_await world.result_of(node.overlay.connect(kHome, gone.id));
  EXPECT_EQ(refused.error(), boost::system::errc::connection_refused);
}
TEST(Mesh, connecting_fails_fast_where_there_is_no_way) {
  test::in_world(connecting_fails_fast_where_there_is_no_way);
}

awaitable<void> asking_for_a_dead_peer_again_and_again_dials_it_now_and_then(World& world) {
  OverlayNode& node = world.add({.seed = 1, .networks = {network_of("home", "password")}});
  BootstrapPeer gone{key_of(78).peer_id(), {}};
  gone.addresses.push_back(codec::Multiaddr::parse("/ip4/127.0.0.1/tcp/1")->with_peer(gone.id));
  EXPECT_TRUE(node.overlay.add_bootstrap(gone));
  for (int i = 0; i < 200; ++i) {
    const auto refused = co_await world.result_of(node.overlay.connect(kHome, gone.id));
    EXPECT_EQ(refused.error(), boost::system::errc::connection_refused) << "whether dialed or not";
    co_await world.pass(100ms, 100ms);
  }
  EXPECT_GE(node.host.swarm().counters().dials, 4u);
  EXPECT_LE(node.host.swarm().counters().dials, 10u);
  EXPECT_GE(node.host.swarm().counters().dials_backed_off, 190u);
}
TEST(Mesh, asking_for_a_dead_peer_again_and_again_dials_it_now_and_then) {
  test::in_world(asking_for_a_dead_peer_again_and_again_dials_it_now_and_then);
}

awaitable<void> peers_that_were_away_for_minutes_are_back_in_half_of_one(World& world) {
  OverlayNode& node = world.member(1);
  std::vector<std::uint16_t> ports;
  for (std::uint64_t seed = 2; seed <= 4; ++seed) {
    OverlayNode& peer = world.member(seed);
    ports.push_back(peer.port());
    world.introduce(node, peer);
  }
  const auto connected = [&] { return node.overlay.membership().connected(kHome).size(); };
  CO_ASSERT_TRUE(co_await world.until([&] { return connected() == 3; }));
  for (std::size_t i = 0; i < ports.size(); ++i) co_await world.remove(world.node(1));
  co_await world.pass(5min, 250ms);
  EXPECT_EQ(connected(), 0u);
  for (std::uint64_t seed = 2; seed <= 4; ++seed) {
    OverlayNode& peer = world.add(
        {.seed = seed, .port = ports[seed - 2], .networks = {network_of("home", "password")}});
    peer.overlay.start();
  }
  const TimePoint back = world.clock.now();
  CO_ASSERT_TRUE(co_await world.until([&] { return connected() == 3; }));
  EXPECT_LT(world.clock.now() - back, 30s);
}
TEST(Mesh, peers_that_were_away_for_minutes_are_back_in_half_of_one) {
  test::in_world(peers_that_were_away_for_minutes_are_back_in_half_of_one);
}

awaitable<void> a_waiting_connect_can_be_cancelled(World& world) {
  OverlayNode& member = world.member(1);
  OverlayNode& outsider = world.add({.seed = 2, .networks = {network_of("other", "password")}});
  world.introduce(outsider, member);
  TaskScope tasks(world.executor());
  const auto wait = [](OverlayNode& from, codec::PeerId to) -> awaitable<void> {
    (void)co_await from.overlay.connect(kHome, to);
  };
  tasks.spawn("connect", wait(outsider, member.id()));
  CO_ASSERT_TRUE(co_await world.until(
      [&] { return outsider.host.swarm().connection_to(member.id()) != nullptr; }));
  co_await tasks.close();
  EXPECT_EQ(tasks.size(), 0u);
}
TEST(Mesh, a_waiting_connect_can_be_cancelled) {
  test::in_world(a_waiting_connect_can_be_cancelled);
}

awaitable<void> takes_a_bounded_number_of_bootstrap_peers(World& world) {
  OverlayNode& node = world.add({.seed = 1});
  EXPECT_FALSE(node.overlay.add_bootstrap(node.overlay.own_bootstrap()));
  for (std::size_t i = 0; i < kMaxBootstrapPeers; ++i) {
    EXPECT_TRUE(node.overlay.add_bootstrap({key_of(100 + i).peer_id(), {}}));
  }
  EXPECT_FALSE(node.overlay.add_bootstrap({key_of(99).peer_id(), {}}));
  EXPECT_TRUE(node.overlay.add_bootstrap({key_of(100).peer_id(), {}})) << "a known one may change";
  co_return;
}
TEST(Mesh, takes_a_bounded_number_of_bootstrap_peers) {
  test::in_world(takes_a_bounded_number_of_bootstrap_peers);
}

awaitable<void> a_candidate_that_is_a_member_becomes_one(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  EXPECT_TRUE(b.overlay.add_candidate(a.id(), a.host.swarm().listen_addresses()));
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
  EXPECT_FALSE(b.overlay.add_candidate(b.id(), b.host.swarm().listen_addresses())) << "itself";
}
TEST(Mesh, a_candidate_that_is_a_member_becomes_one) {
  test::in_world(a_candidate_that_is_a_member_becomes_one);
}

awaitable<void> a_candidate_of_another_network_is_left_alone(World& world) {
  OverlayNode& node = world.member(1);
  OverlayNode& other = world.member(2, "another password");
  const auto tell = [&] {
    EXPECT_TRUE(node.overlay.add_candidate(other.id(), other.host.swarm().listen_addresses()));
  };
  tell();
  CO_ASSERT_TRUE(co_await world.until([&] {
    return other.overlay.counters().proofs_failed == 1 &&
           node.host.swarm().connection_to(other.id()) == nullptr;
  }));
  for (int minute = 0; minute < 9; ++minute) {
    tell();
    co_await world.pass(1min, 1s);
  }
  EXPECT_EQ(node.host.swarm().counters().dials, 1u);
  EXPECT_EQ(node.overlay.last_refusal(other.id()), std::nullopt) << "nothing of it is kept";
  EXPECT_TRUE(node.overlay.members().empty());
  EXPECT_EQ(node.host.swarm().connection_to(other.id()), nullptr);
  tell();
  co_await world.pass(1min, 1s);
  EXPECT_TRUE(co_await world.until([&] { return node.host.swarm().counters().dials == 2; }))
      << "somebody may have mended it";
}
TEST(Mesh, a_candidate_of_another_network_is_left_alone) {
  test::in_world(a_candidate_of_another_network_is_left_alone);
}

awaitable<void> invented_candidates_are_dialed_at_a_bounded_rate_beside_members(World& world) {
  OverlayNode& node = world.member(1);
  OverlayNode& member = world.member(2);
  OverlayNode& gone = world.add({.seed = 3});
  const auto nowhere = gone.host.swarm().listen_addresses();
  co_await world.remove(gone);
  for (std::uint64_t seed = 100; seed < 100 + kMaxCandidates; ++seed)
    EXPECT_TRUE(node.overlay.add_candidate(key_of(seed).peer_id(), nowhere));
  EXPECT_FALSE(node.overlay.add_candidate(key_of(9).peer_id(), nowhere));
  world.introduce(node, member);
  CO_ASSERT_TRUE(co_await world.until([&] { return node.is_connected_to(member); }));
  co_await world.pass(60s, 100ms);
  EXPECT_GE(node.host.swarm().counters().dials, 1u + kCandidateBurst);
  EXPECT_LE(node.host.swarm().counters().dials, 1u + kCandidateBurst + 7);
}
TEST(Mesh, invented_candidates_are_dialed_at_a_bounded_rate_beside_members) {
  test::in_world(invented_candidates_are_dialed_at_a_bounded_rate_beside_members);
}

awaitable<void> a_member_that_moved_is_found_where_the_lan_says(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  world.introduce(a, b);
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
  const codec::PeerId b_id = b.id();
  co_await world.remove(b);
  co_await world.pass(30s, 100ms);
  EXPECT_FALSE(a.overlay.members().at(0).online);
  OverlayNode& moved = world.member(2);
  EXPECT_TRUE(a.overlay.add_candidate(b_id, moved.host.swarm().listen_addresses()));
  CO_ASSERT_TRUE(co_await world.until([&] { return a.is_connected_to(moved); }));
}
TEST(Mesh, a_member_that_moved_is_found_where_the_lan_says) {
  test::in_world(a_member_that_moved_is_found_where_the_lan_says);
}

awaitable<void> invented_members_keep_nobody_from_those_that_were_there(World& world) {
  OverlayNode& node = world.member(1);
  OverlayNode& friendly = world.member(2);
  world.introduce(friendly, node);
  CO_ASSERT_TRUE(
      co_await world.until([&] { return node.knows(friendly) && friendly.knows(node); }));
  const std::uint16_t port = friendly.port();
  co_await world.remove(friendly);
  const TimePoint begin = world.clock.now();
  const std::uint64_t before = node.host.swarm().counters().dials;
  // Nobody answers there, nor says no.
  auto deaf = net::TcpListener::open(world.executor(), {asio::ip::address_v4::loopback(), 0});
  constexpr std::uint64_t kInvented = 200;
  for (std::uint64_t seed = 100; seed < 100 + kInvented; ++seed) {
    NodeRecord record;
    record.peer = key_of(seed).peer_id();
    record.addresses = {net::to_multiaddr(deaf->local())};
    record.issued = world.clock.wall_now();
    record.seq = 1;
    node.overlay.restore(NetworkName("home"), seal_record(key_of(seed), record).envelope,
                         std::nullopt);
  }
  co_await world.pass(60s, 100ms);
  world.add({.seed = 2, .port = port, .networks = {network_of("home", "password")}});
  EXPECT_TRUE(co_await world.until([&] { return node.is_connected_to(world.node(1)); }));
  const auto seconds = (world.clock.now() - begin) / 1s;
  EXPECT_LE(node.host.swarm().counters().dials - before,
            kHearsayBurst + static_cast<std::uint64_t>(seconds) + 20)
      << "with those of the one that was away";
}
TEST(Mesh, invented_members_keep_nobody_from_those_that_were_there) {
  test::in_world(invented_members_keep_nobody_from_those_that_were_there);
}

}  // namespace
}  // namespace oc::overlay
