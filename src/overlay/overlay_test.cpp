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
  stranger.relay_client().least_reservation = 1s;
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
