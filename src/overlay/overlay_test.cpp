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

constexpr const char* kEcho = "/test/echo";
const NetworkId kHome = network_of("home", "password").id;

awaitable<void> echo(StreamPtr stream) {
  FixedBytes<64> bytes;
  const auto n = co_await stream->read_some(bytes);
  if (!n) co_return;
  (void)co_await stream->write(BytesView(bytes).first(*n));
  (void)co_await stream->close_write();
}

// Serves kEcho for members, and counts.
void serve_echo(OverlayNode& node, int& served) {
  node.overlay.handle(kEcho, [&served](p2p::ConnectionPtr, StreamPtr stream) {
    ++served;
    return echo(std::move(stream));
  });
}

awaitable<Result<std::size_t>> call_echo(p2p::ConnectionPtr connection) {
  CO_TRY(auto stream, co_await connection->open_stream(kEcho));
  CO_CHECK(co_await stream->write(as_bytes("hello")));
  FixedBytes<64> bytes;
  co_return co_await stream->read_some(bytes);
}

awaitable<void> two_nodes_with_one_bootstrap_string_become_members(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  world.introduce(b, a);
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
  for (OverlayNode* node : {&a, &b}) {
    OverlayNode& other = node == &a ? b : a;
    const auto members = node->overlay.members();
    CO_ASSERT_TRUE(members.size() == 1);
    EXPECT_EQ(members[0].peer, other.id());
    EXPECT_TRUE(members[0].online);
    EXPECT_EQ(members[0].networks, std::set<std::string>{"home"});
    EXPECT_EQ(members[0].record.addresses, other.host.swarm().listen_addresses());
    EXPECT_EQ(members[0].last_contact, world.clock.wall_now());
    EXPECT_EQ(node->changes, std::vector{other.id().to_string() + "+home"});
  }
}
TEST(Overlay, two_nodes_with_one_bootstrap_string_become_members) {
  test::in_world(two_nodes_with_one_bootstrap_string_become_members);
}

awaitable<void> a_bootstrap_peer_is_found_by_its_name(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  b.resolver.add_host("a.example", {"127.0.0.1"});
  b.resolver.add_text("_dnsaddr.example",
                      "dnsaddr=/dns4/a.example/tcp/" + std::to_string(a.port()));
  BootstrapPeer peer{a.id(), {codec::Multiaddr::parse("/dnsaddr/example")->with_peer(a.id())}};
  EXPECT_TRUE(b.overlay.add_bootstrap(peer));
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
}
TEST(Overlay, a_bootstrap_peer_is_found_by_its_name) {
  test::in_world(a_bootstrap_peer_is_found_by_its_name);
}

awaitable<void> five_nodes_that_know_one_become_a_full_mesh(World& world) {
  std::vector<OverlayNode*> nodes;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) nodes.push_back(&world.member(seed));
  for (OverlayNode* node : nodes) {
    if (node != nodes.front()) world.introduce(*node, *nodes.front());
  }
  CO_ASSERT_TRUE(co_await world.until([&] {
    for (OverlayNode* from : nodes) {
      for (OverlayNode* to : nodes) {
        if (from != to && !from->is_connected_to(*to)) return false;
      }
    }
    return true;
  }));
}
TEST(Overlay, five_nodes_that_know_one_become_a_full_mesh) {
  test::in_world(five_nodes_that_know_one_become_a_full_mesh);
}

awaitable<void> a_wrong_password_gives_no_membership_and_nothing_else(World& world) {
  OverlayNode& member = world.member(1);
  OverlayNode& stranger = world.member(2, "guess");
  world.introduce(stranger, member);
  CO_ASSERT_TRUE(
      co_await world.until([&] { return stranger.overlay.last_refusal(member.id()).has_value(); }));
  EXPECT_EQ(*stranger.overlay.last_refusal(member.id()), HandshakeErrc::refused);
  co_await world.pass(3s);
  EXPECT_FALSE(member.knows(stranger));
  EXPECT_FALSE(stranger.knows(member));
  EXPECT_TRUE(member.overlay.members().empty());
  EXPECT_TRUE(member.changes.empty());
  EXPECT_EQ(member.overlay.counters().proofs_ok, 0u);
  EXPECT_EQ(member.overlay.counters().proofs_failed, 1u) << "it is not tried again and again";
  EXPECT_EQ(member.host.swarm().connection_to(stranger.id()), nullptr);
}
TEST(Overlay, a_wrong_password_gives_no_membership_and_nothing_else) {
  test::in_world(a_wrong_password_gives_no_membership_and_nothing_else);
}

awaitable<void> a_strangers_streams_are_reset_unread(World& world) {
  OverlayNode& member = world.member(1);
  int served = 0;
  serve_echo(member, served);
  OverlayNode& stranger = world.add({.seed = 2});
  const auto dialed = co_await world.result_of(
      stranger.host.swarm().dial(member.id(), member.host.swarm().listen_addresses()));
  CO_ASSERT_TRUE(dialed);
  for (const char* protocol : {kEcho, kSyncProtocol}) {
    auto stream = co_await (*dialed)->open_stream(protocol);
    CO_ASSERT_TRUE(stream);
    (void)co_await (*stream)->write(as_bytes("hello"));
    FixedBytes<64> bytes;
    const auto got = co_await world.result_of((*stream)->read_some(bytes));
    EXPECT_EQ(got.error(), Errc::reset) << protocol;
  }
  EXPECT_EQ(served, 0);
}
TEST(Overlay, a_strangers_streams_are_reset_unread) {
  test::in_world(a_strangers_streams_are_reset_unread);
}

awaitable<void> connecting_to_a_peer_with_another_password_says_so(World& world) {
  OverlayNode& member = world.member(1);
  OverlayNode& stranger = world.add({.seed = 2, .networks = {network_of("home", "guess")}});
  world.introduce(stranger, member);
  const auto connection = co_await world.result_of(stranger.overlay.connect(
      stranger.overlay.membership().networks().begin()->first, member.id()));
  EXPECT_EQ(connection.error(), HandshakeErrc::refused);
}
TEST(Overlay, connecting_to_a_peer_with_another_password_says_so) {
  test::in_world(connecting_to_a_peer_with_another_password_says_so);
}

awaitable<void> a_peer_that_proves_nothing_is_dropped_after_ten_seconds(World& world) {
  OverlayNode& member = world.member(1);
  OverlayNode& stranger = world.add({.seed = 2});
  const auto dialed = co_await world.result_of(
      stranger.host.swarm().dial(member.id(), member.host.swarm().listen_addresses()));
  CO_ASSERT_TRUE(dialed);
  co_await world.pass(kProofTimeout - 1s, 50ms);
  EXPECT_TRUE((*dialed)->alive());
  co_await world.pass(2s, 50ms);
  EXPECT_FALSE((*dialed)->alive());
  EXPECT_EQ(member.overlay.counters().strangers_dropped, 1u);
}
TEST(Overlay, a_peer_that_proves_nothing_is_dropped_after_ten_seconds) {
  test::in_world(a_peer_that_proves_nothing_is_dropped_after_ten_seconds);
}

awaitable<void> a_stranger_that_is_relayed_to_stays_as_long_as_it_is(World& world) {
  p2p::RelayOptions relay;
  relay.serve_strangers = true;
  relay.reservations.lifetime = 30s;
  OverlayNode& member = world.add({.seed = 1, .relay = std::move(relay)});
  member.overlay.start();
  member.host.relay_service().serve(true);
  FakeRandom random(9);
  p2p::IdentifyOptions identify;
  identify.addresses = [] { return std::vector<codec::Multiaddr>(); };
  identify.record_seq = [] { return std::uint64_t{1}; };
  p2p::Host stranger(world.executor(), world.clock, random, key_of(9), identify);
  auto dialed = co_await world.result_of(
      stranger.swarm().dial(member.id(), member.host.swarm().listen_addresses()));
  CO_ASSERT_TRUE(dialed);
  const auto reserved = co_await world.result_of(stranger.relay_client().reserve(*dialed));
  EXPECT_TRUE(reserved);
  co_await world.pass(kProofTimeout * 2 + 1s, 50ms);
  EXPECT_TRUE((*dialed)->alive());
  co_await world.pass(kProofTimeout * 2, 50ms);
  EXPECT_FALSE((*dialed)->alive()) << "the reservation has expired";
  dialed = Errc::closed;
  EXPECT_TRUE(co_await world.finish(stranger.swarm().close()));
}
TEST(Overlay, a_stranger_that_is_relayed_to_stays_as_long_as_it_is) {
  test::in_world(a_stranger_that_is_relayed_to_stays_as_long_as_it_is);
}

awaitable<void> nothing_is_proved_on_a_connection_dialed_anew(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  const auto address = b.host.swarm().listen_addresses().front();
  auto dialed = co_await world.result_of(a.host.swarm().dial_anew(b.id(), address));
  CO_ASSERT_TRUE(dialed);
  co_await world.pass(kProofTimeout - 1s, 50ms);
  EXPECT_TRUE((*dialed)->alive());
  EXPECT_EQ(a.overlay.counters().proofs_ok, 0u);
  EXPECT_FALSE(a.is_connected_to(b));
  EXPECT_EQ(a.overlay.counters().strangers_dropped, 0u);
}
TEST(Overlay, nothing_is_proved_on_a_connection_dialed_anew) {
  test::in_world(nothing_is_proved_on_a_connection_dialed_anew);
}

awaitable<void> a_member_stays(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  world.introduce(a, b);
  CO_ASSERT_TRUE(co_await world.until([&] { return b.is_connected_to(a); }));
  const auto connection = b.overlay.membership().connection_to(a.id());
  co_await world.pass(60s, 100ms);
  EXPECT_TRUE(connection->alive());
  EXPECT_EQ(a.overlay.counters().strangers_dropped + b.overlay.counters().strangers_dropped, 0u);
}
TEST(Overlay, a_member_stays) { test::in_world(a_member_stays); }

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
TEST(Overlay, a_node_that_comes_back_is_found_again) {
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
TEST(Overlay, a_restarted_node_finds_its_peers_by_what_its_store_remembers) {
  test::in_world(a_restarted_node_finds_its_peers_by_what_its_store_remembers);
}

awaitable<void> what_the_store_remembers_is_checked_again(World& world) {
  OverlayNode& node = world.add({.seed = 1, .networks = {network_of("home", "password")}});
  const auto key = key_of(5);
  NodeRecord record;
  record.peer = key.peer_id();
  record.issued = world.clock.wall_now() - kMaxRecordAge - 1h;
  node.overlay.restore(NetworkName("home"), seal_record(key, record).envelope, std::nullopt);
  record.issued = world.clock.wall_now();
  const Bytes good = seal_record(key, record).envelope;
  node.overlay.restore(NetworkName("left"), good, std::nullopt);
  Bytes forged = good;
  forged.back() ^= 1;
  node.overlay.restore(NetworkName("home"), forged, std::nullopt);
  EXPECT_TRUE(node.overlay.members().empty());
  node.overlay.restore(NetworkName("home"), good, std::nullopt);
  EXPECT_EQ(node.overlay.members().size(), 1u);
  co_return;
}
TEST(Overlay, what_the_store_remembers_is_checked_again) {
  test::in_world(what_the_store_remembers_is_checked_again);
}

awaitable<void> peers_meet_in_the_network_that_they_share(World& world) {
  OverlayNode& both =
      world.add({.seed = 1, .networks = {network_of("home", "password"), network_of("work", "w")}});
  both.overlay.start();
  OverlayNode& one = world.member(2);
  world.introduce(both, one);
  CO_ASSERT_TRUE(
      co_await world.until([&] { return both.is_connected_to(one) && one.is_connected_to(both); }));
  co_await world.pass(500ms);
  const NetworkId work = network_of("work", "w").id;
  for (const auto& [node, other] : {std::pair(&both, &one), std::pair(&one, &both)}) {
    const auto connection = node->overlay.membership().connection_to(other->id());
    EXPECT_TRUE(node->overlay.membership().is_member(*connection, kHome));
    EXPECT_FALSE(node->overlay.membership().is_member(*connection, work));
    EXPECT_EQ(node->overlay.membership().proved_on(*connection), std::vector{kHome});
  }
  const auto stream = co_await world.result_of(both.overlay.connect(work, one.id()));
  EXPECT_FALSE(stream);
}
TEST(Overlay, peers_meet_in_the_network_that_they_share) {
  test::in_world(peers_meet_in_the_network_that_they_share);
}

// One proof on a stream of its own.
awaitable<Result<void>> try_password(OverlayNode& from, p2p::ConnectionPtr connection,
                                     std::string password) {
  CO_TRY(auto stream, co_await connection->open_stream(kNetworkProtocol));
  const HandshakeParties parties{from.id(), connection->peer(), to_bytes(connection->binding())};
  const Network network = network_of("home", password);
  co_return co_await prove_membership(*stream, parties, network, from.random);
}

awaitable<void> guesses_are_limited_to_a_few_a_minute(World& world) {
  OverlayNode& member = world.member(1);
  OverlayNode& guesser = world.add({.seed = 2});
  const auto connect = [&]() {
    return world.result_of(
        guesser.host.swarm().dial(member.id(), member.host.swarm().listen_addresses()));
  };
  auto connection = co_await connect();
  CO_ASSERT_TRUE(connection);
  for (std::size_t i = 0; i < kMaxFailedProofs; ++i) {
    const std::string guess = "guess " + std::to_string(i);
    const auto tried = co_await world.result_of(try_password(guesser, *connection, guess));
    EXPECT_EQ(tried.error(), HandshakeErrc::refused) << i;
  }
  auto tried = co_await world.result_of(try_password(guesser, *connection, "password"));
  EXPECT_EQ(tried.error(), HandshakeErrc::too_many_attempts);
  EXPECT_FALSE(member.is_connected_to(guesser));
  // Another key from the same address does no better.
  OverlayNode& again = world.add({.seed = 3});
  auto other = co_await world.result_of(
      again.host.swarm().dial(member.id(), member.host.swarm().listen_addresses()));
  CO_ASSERT_TRUE(other);
  tried = co_await world.result_of(try_password(again, *other, "password"));
  EXPECT_EQ(tried.error(), HandshakeErrc::too_many_attempts);
  co_await world.pass(kFailedProofWindow, 100ms);
  connection = co_await connect();
  CO_ASSERT_TRUE(connection);
  tried = co_await world.result_of(try_password(guesser, *connection, "password"));
  EXPECT_TRUE(tried);
}
TEST(Overlay, guesses_are_limited_to_a_few_a_minute) {
  test::in_world(guesses_are_limited_to_a_few_a_minute);
}

struct Guesses {
  int refused = 0, limited = 0, cut = 0;
};

awaitable<void> count_guess(OverlayNode& from, p2p::ConnectionPtr connection, Guesses& guesses) {
  const auto tried = co_await try_password(from, connection, "guess");
  if (tried.error() == HandshakeErrc::refused) {
    ++guesses.refused;
  } else if (tried.error() == HandshakeErrc::too_many_attempts) {
    ++guesses.limited;
  } else {
    ++guesses.cut;
  }
}

awaitable<void> guesses_at_the_same_time_are_limited_just_the_same(World& world) {
  OverlayNode& member = world.member(1);
  Guesses guesses;
  TaskScope tasks(world.executor());
  for (std::uint64_t seed = 2; seed < 6; ++seed) {
    OverlayNode& guesser = world.add({.seed = seed});
    auto connection = co_await world.result_of(
        guesser.host.swarm().dial(member.id(), member.host.swarm().listen_addresses()));
    CO_ASSERT_TRUE(connection);
    for (int i = 0; i < 20; ++i) tasks.spawn("guess", count_guess(guesser, *connection, guesses));
  }
  CO_ASSERT_TRUE(co_await world.until([&] { return tasks.size() == 0; }));
  EXPECT_EQ(guesses.refused, static_cast<int>(kMaxFailedProofs));
  EXPECT_GT(guesses.limited, 0);
  EXPECT_GT(guesses.cut, 0) << "only so many handshakes are served at once";
}
TEST(Overlay, guesses_at_the_same_time_are_limited_just_the_same) {
  test::in_world(guesses_at_the_same_time_are_limited_just_the_same);
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
TEST(Overlay, a_peer_that_speaks_no_open_chat_is_not_dialed_all_the_time) {
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
TEST(Overlay, a_peer_that_hangs_up_is_not_dialed_all_the_time) {
  test::in_world(a_peer_that_hangs_up_is_not_dialed_all_the_time);
}

awaitable<void> streams_are_opened_to_members_and_served_for_members(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  int served = 0;
  serve_echo(b, served);
  world.introduce(a, b);
  const auto connection = co_await world.result_of(a.overlay.connect(kHome, b.id()));
  CO_ASSERT_TRUE(connection);
  const auto echoed = co_await world.result_of(call_echo(*connection));
  EXPECT_EQ(echoed.value(), 5u);
  EXPECT_EQ(served, 1);
}
TEST(Overlay, streams_are_opened_to_members_and_served_for_members) {
  test::in_world(streams_are_opened_to_members_and_served_for_members);
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
TEST(Overlay, connecting_fails_fast_where_there_is_no_way) {
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
TEST(Overlay, asking_for_a_dead_peer_again_and_again_dials_it_now_and_then) {
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
TEST(Overlay, peers_that_were_away_for_minutes_are_back_in_half_of_one) {
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
TEST(Overlay, a_waiting_connect_can_be_cancelled) {
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
TEST(Overlay, takes_a_bounded_number_of_bootstrap_peers) {
  test::in_world(takes_a_bounded_number_of_bootstrap_peers);
}

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
TEST(Overlay, the_sequence_number_only_grows) { test::in_world(the_sequence_number_only_grows); }

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
TEST(Overlay, an_address_that_enough_peers_see_is_told_to_all) {
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
TEST(Overlay, announced_addresses_come_before_what_peers_see) {
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
TEST(Overlay, an_address_that_a_router_maps_is_told_at_once) {
  test::in_world(an_address_that_a_router_maps_is_told_at_once);
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
TEST(Overlay, more_addresses_than_a_record_holds_are_no_change_every_time) {
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
TEST(Overlay, records_that_were_not_renewed_for_a_month_are_forgotten) {
  test::in_world(records_that_were_not_renewed_for_a_month_are_forgotten);
}

awaitable<void> a_candidate_that_is_a_member_becomes_one(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  EXPECT_TRUE(b.overlay.add_candidate(a.id(), a.host.swarm().listen_addresses()));
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
  EXPECT_FALSE(b.overlay.add_candidate(b.id(), b.host.swarm().listen_addresses())) << "itself";
}
TEST(Overlay, a_candidate_that_is_a_member_becomes_one) {
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
TEST(Overlay, a_candidate_of_another_network_is_left_alone) {
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
TEST(Overlay, invented_candidates_are_dialed_at_a_bounded_rate_beside_members) {
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
TEST(Overlay, a_member_that_moved_is_found_where_the_lan_says) {
  test::in_world(a_member_that_moved_is_found_where_the_lan_says);
}

awaitable<void> closing_in_the_middle_of_everything_leaves_nothing_behind(World& world) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    OverlayNode& node = world.member(seed);
    for (std::uint64_t other = 1; other < seed; ++other)
      world.introduce(node, world.node(other - 1));
  }
  co_await world.pass(20ms);
  // The world closes all of them now, in the middle of dials, proofs and syncs.
}
TEST(Overlay, closing_in_the_middle_of_everything_leaves_nothing_behind) {
  test::in_world(closing_in_the_middle_of_everything_leaves_nothing_behind);
}

}  // namespace
}  // namespace oc::overlay
