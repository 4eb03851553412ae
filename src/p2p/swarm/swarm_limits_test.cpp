// What a swarm does to peers that want too much, and what that costs the others.
#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::close_all;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

constexpr const char* kHold = "/hold/1.0.0";
constexpr const char* kEcho = "/echo/1.0.0";

// Keeps its stream and reads nothing, ever.
awaitable<void> hold(ConnectionPtr, StreamPtr) {
  Event never;
  (void)co_await never.wait();
}

awaitable<void> echo(ConnectionPtr, StreamPtr stream) {
  FixedBytes<1> byte;
  if (!co_await stream->read_some(byte)) co_return;
  (void)co_await stream->write(byte);
  (void)co_await stream->close_write();
}

awaitable<Result<void>> call_echo(ConnectionPtr connection) {
  CO_TRY(auto stream, co_await connection->open_stream(kEcho));
  FixedBytes<1> byte{};
  CO_CHECK(co_await stream->write(byte));
  co_return co_await net::read_exactly(*stream, byte);
}

// Somebody who keeps to no limit.
SwarmOptions lawless() {
  SwarmOptions options;
  options.limits.untrusted = {};
  options.limits.untrusted_peer = {};
  return options;
}

SwarmOptions limited(ResourceLimits limits) {
  SwarmOptions options;
  options.limits = limits;
  return options;
}

std::uint64_t refused(const SwarmRig& rig, Scope scope, Resource resource) {
  const auto refusals = rig.swarm.refusals();
  const auto found = refusals.find({scope, resource});
  return found == refusals.end() ? 0 : found->second;
}

// A stranger with a connection, and all the streams it opened on it.
struct Sybil {
  Sybil(Executor executor, std::uint64_t seed) : rig(executor, seed, lawless()) {}

  awaitable<void> connect_to(SwarmRig& victim) {
    auto dialed = co_await rig.swarm.dial(victim.id(), victim.addresses());
    EXPECT_TRUE(dialed);
    if (dialed) connection = *dialed;
  }
  // Opens streams and writes one byte on each; to somebody who waits for the protocol's name it is
  // the length of another proposal.
  awaitable<void> open(std::size_t count, std::string protocol) {
    const FixedBytes<1> byte{16};
    for (std::size_t i = 0; i < count; ++i) {
      auto stream = co_await connection->open_stream(protocol);
      if (!stream) co_return;
      (void)co_await (*stream)->write(byte);
      streams.push_back(*std::move(stream));
    }
  }
  awaitable<std::size_t> resets() {
    std::size_t count = 0;
    for (StreamPtr& stream : streams) {
      test::Operation<void> reading(rig.swarm.executor(), stream->readable());
      co_await test::turns(3);
      if (!reading.done()) reading.cancel();
      FixedBytes<1> byte;
      auto read = co_await reading.result();
      if (read) {
        auto got = co_await stream->read_some(byte);
        read = got ? success() : Result<void>(got.error());
      }
      count += !read && read.error() == Errc::reset ? 1 : 0;
    }
    co_return count;
  }
  awaitable<void> close() {
    streams.clear();
    connection.reset();
    (void)co_await rig.close();
  }

  SwarmRig rig;
  ConnectionPtr connection;
  std::vector<StreamPtr> streams;
};

// CVE-2022-23492: many connections of many keys, each with many streams that nobody reads.
TEST(SwarmLimits, a_flood_of_streams_stays_within_every_bound_and_leaves_members_alone) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    ResourceLimits limits;
    limits.untrusted.streams = {.in = 600, .out = 600, .all = 600};
    limits.transient.streams.in = 200;
    limits.untrusted_connection.streams_in = 64;
    SwarmRig victim(executor, 1, limited(limits)), member(executor, 2);
    victim.swarm.handle(kHold, hold, {.all = 600, .of_peer = 40});
    victim.swarm.handle(kEcho, echo);
    auto friendly = co_await test::connect(member, victim);
    victim.swarm.connection_to(member.id())->trust();
    std::vector<std::unique_ptr<Sybil>> sybils;
    for (std::uint64_t seed = 10; seed < 50; ++seed) {
      sybils.push_back(std::make_unique<Sybil>(executor, seed));
      co_await sybils.back()->connect_to(victim);
      // The later ones name no protocol that there is, and so never get past negotiating.
      co_await sybils.back()->open(250, seed < 30 ? kHold : "/nobody/speaks/this");
    }
    co_await test::settle();
    const ResourceUsage& strangers = victim.swarm.ledger().usage(Scope::untrusted);
    EXPECT_EQ(strangers.streams_in, limits.transient.streams.in + 300);
    EXPECT_EQ(victim.swarm.ledger().usage(Scope::transient).streams_in,
              limits.transient.streams.in);
    for (const auto& sybil : sybils) {
      const auto connection = victim.swarm.connection_to(sybil->rig.id());
      EXPECT_NE(connection, nullptr) << "streams are refused, the connection stays";
      if (connection) {
        EXPECT_LE(connection->stream_count(), limits.untrusted_connection.streams_in);
      }
    }
    EXPECT_GT(refused(victim, Scope::connection, Resource::stream_in), 0u);
    EXPECT_GT(refused(victim, Scope::transient, Resource::stream_in), 0u);
    EXPECT_GT(refused(victim, Scope::protocol, Resource::stream_in), 0u);
    EXPECT_GT(refused(victim, Scope::protocol_peer, Resource::stream_in), 0u);
    EXPECT_LE(victim.swarm.ledger().memory(Scope::system), strangers.streams_in);
    EXPECT_EQ(co_await sybils.front()->resets(), 250u - 40u);
    EXPECT_TRUE(co_await call_echo(friendly));
    friendly.reset();
    for (auto& sybil : sybils) co_await sybil->close();
    co_await close_all(member, victim);
    EXPECT_TRUE(victim.swarm.ledger().usage(Scope::system).empty());
    EXPECT_EQ(victim.swarm.ledger().memory(Scope::system), 0u);
  });
}

TEST(SwarmLimits, what_strangers_send_and_nobody_reads_is_bounded_for_each_and_for_all) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    ResourceLimits limits;
    limits.untrusted_connection.memory = 300'000;
    limits.untrusted.memory = 1'000'000;
    SwarmRig victim(executor, 1, limited(limits));
    victim.swarm.handle(kHold, hold);
    std::vector<std::unique_ptr<Sybil>> sybils;
    const Bytes much(200'000);
    for (std::uint64_t seed = 10; seed < 20; ++seed) {
      sybils.push_back(std::make_unique<Sybil>(executor, seed));
      co_await sybils.back()->connect_to(victim);
      co_await sybils.back()->open(2, kHold);
      for (StreamPtr& stream : sybils.back()->streams) {
        (void)co_await stream->write(much);
        co_await test::settle();
      }
    }
    EXPECT_LE(victim.swarm.ledger().memory(Scope::untrusted), limits.untrusted.memory);
    EXPECT_GT(victim.swarm.ledger().memory(Scope::untrusted), limits.untrusted.memory / 2);
    EXPECT_GT(refused(victim, Scope::connection, Resource::memory), 0u);
    EXPECT_GT(refused(victim, Scope::untrusted, Resource::memory), 0u);
    for (auto& sybil : sybils) co_await sybil->close();
    (void)co_await victim.close();
    EXPECT_EQ(victim.swarm.ledger().memory(Scope::system), 0u);
  });
}

TEST(SwarmLimits, streams_of_a_protocol_end_and_make_room) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kHold, hold, {.all = 10, .of_peer = 1});
    b.swarm.handle(kEcho, echo, {.all = 10, .of_peer = 1});
    auto connection = co_await test::connect(a, b);
    auto held = co_await connection->open_stream(kHold);
    auto refused_one = co_await connection->open_stream(kHold);
    EXPECT_TRUE(held && refused_one);
    co_await test::settle();
    EXPECT_EQ(refused(b, Scope::protocol_peer, Resource::stream_in), 1u);
    EXPECT_EQ(b.swarm.ledger().usage(Scope::system).streams_in, 1u);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(co_await call_echo(connection)) << i;
    held = Errc::closed;
    refused_one = Errc::closed;
    co_await close_all(a, b);
  });
}

TEST(SwarmLimits, connections_over_the_bound_are_refused_before_the_handshake) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    ResourceLimits limits;
    limits.system.connections = {.in = 1, .out = 1, .all = 1};
    SwarmRig a(executor, 1), b(executor, 2, limited(limits)), c(executor, 3);
    (void)co_await test::connect(a, b);
    auto dialed = co_await c.swarm.dial(b.id(), b.addresses());
    EXPECT_FALSE(dialed);
    EXPECT_EQ(b.swarm.counters().accepted, 1u);
    EXPECT_EQ(b.swarm.counters().refused, 1u);
    EXPECT_EQ(refused(b, Scope::system, Resource::connection_in), 1u);
    auto out = co_await b.swarm.dial(c.id(), c.addresses());
    EXPECT_EQ(out.error(), P2pErrc::connection_limit);
    // What our own bound refused is not held against the peer.
    (void)co_await a.close();
    co_await test::settle();
    EXPECT_TRUE(co_await b.swarm.dial(c.id(), c.addresses()));
    co_await close_all(b, c);
  });
}

TEST(SwarmLimits, visitors_that_say_nothing_make_room_for_one_that_does) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    ResourceLimits limits;
    limits.transient.connections = {.in = 4, .out = 4, .all = 8};
    SwarmRig hub(executor, 1, limited(limits)), member(executor, 2);
    std::vector<std::unique_ptr<net::SocketStream>> silent;
    for (int i = 0; i < 4; ++i) silent.push_back(*co_await net::tcp_connect(hub.address()));
    co_await test::settle();
    EXPECT_EQ(hub.swarm.counters().accepted, 4u);
    hub.clock.advance(kHandshakePatience);
    EXPECT_NE(co_await test::connect(member, hub), nullptr);
    EXPECT_EQ(hub.swarm.counters().upgrades_failed, 1u);
    EXPECT_EQ(hub.swarm.ledger().usage(Scope::transient).connections_in, 3u);
    silent.clear();
    co_await close_all(member, hub);
    EXPECT_TRUE(hub.swarm.ledger().usage(Scope::system).empty());
  });
}

TEST(SwarmLimits, strangers_that_prove_nothing_make_room_for_one_that_may) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    ResourceLimits limits;
    limits.untrusted.connections = {.in = 2, .out = 2, .all = 4};
    SwarmRig hub(executor, 1, limited(limits)), a(executor, 2), b(executor, 3), late(executor, 4);
    (void)co_await test::connect(a, hub);
    (void)co_await test::connect(b, hub);
    hub.clock.advance(kStrangerPatience);
    EXPECT_NE(co_await test::connect(late, hub), nullptr);
    EXPECT_EQ(hub.swarm.connection_to(a.id()), nullptr);
    EXPECT_NE(hub.swarm.connection_to(b.id()), nullptr);
    for (SwarmRig* rig : {&a, &b, &late, &hub}) (void)co_await rig->close();
    EXPECT_TRUE(hub.swarm.ledger().usage(Scope::system).empty());
  });
}

TEST(SwarmLimits, a_swarm_with_too_many_connections_closes_the_least_valuable) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmOptions options;
    options.trim = {.high_water = 4, .low_water = 2};
    SwarmRig hub(executor, 1, options);
    std::vector<std::unique_ptr<SwarmRig>> peers;
    for (std::uint64_t seed = 2; seed <= 6; ++seed) {
      peers.push_back(std::make_unique<SwarmRig>(executor, seed));
      (void)co_await test::connect(*peers.back(), hub);
    }
    hub.swarm.connection_to(peers[3]->id())->trust();
    hub.swarm.trimmer().protect(peers[4]->id(), "test");
    hub.clock.advance(TrimOptions().untrusted_grace - 1s);
    co_await test::settle();
    EXPECT_EQ(hub.swarm.connections().size(), 5u) << "all are in their grace period";
    hub.clock.advance(kTrimInterval);
    co_await test::settle();
    EXPECT_EQ(hub.swarm.counters().trimmed, 3u);
    for (std::size_t i = 0; i < peers.size(); ++i) {
      EXPECT_EQ(hub.swarm.connection_to(peers[i]->id()) != nullptr, i >= 3) << i;
      EXPECT_EQ(peers[i]->swarm.connection_to(hub.id()) != nullptr, i >= 3) << i;
    }
    for (auto& peer : peers) (void)co_await peer->close();
    (void)co_await hub.close();
  });
}

TEST(SwarmLimits, of_two_connections_to_a_peer_the_idle_one_is_closed_by_one_side) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    test::Operation<ConnectionPtr> there(executor, a.swarm.dial(b.id(), b.addresses()));
    test::Operation<ConnectionPtr> back(executor, b.swarm.dial(a.id(), a.addresses()));
    EXPECT_TRUE(co_await there.result());
    EXPECT_TRUE(co_await back.result());
    co_await test::settle();
    EXPECT_EQ(a.swarm.connections_to(b.id()).size(), 2u);
    SwarmRig& smaller = a.id() < b.id() ? a : b;
    SwarmRig& larger = a.id() < b.id() ? b : a;
    const auto kept = smaller.swarm.connection_to(larger.id());
    larger.clock.advance(TrimOptions().untrusted_grace + kTrimInterval);
    co_await test::settle();
    EXPECT_EQ(larger.swarm.counters().trimmed, 0u);
    smaller.clock.advance(TrimOptions().untrusted_grace + kTrimInterval);
    co_await test::settle();
    EXPECT_EQ(smaller.swarm.counters().trimmed, 1u);
    EXPECT_EQ(smaller.swarm.connection_to(larger.id()), kept);
    EXPECT_NE(larger.swarm.connection_to(smaller.id()), nullptr);
    co_await close_all(a, b);
  });
}

}  // namespace
}  // namespace oc::p2p
