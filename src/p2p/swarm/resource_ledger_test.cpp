#include "p2p/swarm/resource_ledger.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.hpp"
#include "crypto/keys.hpp"
#include "p2p/swarm/connection_trimmer.hpp"

namespace oc::p2p {
namespace {

using ConnectionSlot = ResourceLedger::ConnectionSlot;
using StreamSlot = ResourceLedger::StreamSlot;

constexpr Resource kConnectionIn = Resource::connection_in;
constexpr Resource kConnectionOut = Resource::connection_out;
constexpr Resource kStreamIn = Resource::stream_in;
constexpr Resource kStreamOut = Resource::stream_out;

codec::PeerId peer_of(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random).peer_id();
}

class Ledger : public testing::Test {
 protected:
  // A ledger with other limits.
  void limit(ResourceLimits limits) { ledger_.emplace(limits); }

  Granted<ConnectionSlot> accept(const std::string& source = "192.0.2.1") {
    return ledger_->accept(boost::asio::ip::make_address(source), TimePoint{});
  }
  // An inbound connection of a peer.
  ConnectionSlot connected(std::uint64_t peer, bool trusted = false) {
    auto slot = accept("127.0.0.1");
    EXPECT_TRUE(slot && slot->identify(peer_of(peer)));
    if (trusted) slot->trust();
    return *std::move(slot);
  }
  // How many streams a connection gets of `tries`; keeps them in streams_.
  std::size_t open(const ConnectionSlot& slot, Resource direction, std::size_t tries) {
    std::size_t granted = 0;
    for (std::size_t i = 0; i < tries; ++i) {
      auto stream = slot.open_stream(direction);
      if (!stream) continue;
      streams_.push_back(*std::move(stream));
      ++granted;
    }
    return granted;
  }
  std::uint64_t refused(Scope scope, Resource resource) const {
    const auto found = ledger_->refusals().find({scope, resource});
    return found == ledger_->refusals().end() ? 0 : found->second;
  }
  void expect_nothing_taken() const {
    for (const Scope scope : {Scope::system, Scope::transient, Scope::untrusted})
      EXPECT_TRUE(ledger_->usage(scope).empty()) << to_text(scope);
    EXPECT_EQ(ledger_->peers(), 0u);
    EXPECT_EQ(ledger_->memory(Scope::system), 0u);
  }

  std::optional<ResourceLedger> ledger_{std::in_place};
  std::vector<StreamSlot> streams_;
};

TEST_F(Ledger, a_connection_is_transient_then_untrusted_then_neither) {
  {
    auto slot = accept();
    ASSERT_TRUE(slot);
    EXPECT_EQ(ledger_->usage(Scope::system).connections_in, 1u);
    EXPECT_EQ(ledger_->usage(Scope::transient).connections_in, 1u);
    ASSERT_TRUE(slot->identify(peer_of(1)));
    EXPECT_TRUE(ledger_->usage(Scope::transient).empty());
    EXPECT_EQ(ledger_->usage(Scope::untrusted).connections_in, 1u);
    EXPECT_EQ(ledger_->peers(), 1u);
    slot->trust();
    slot->trust();
    EXPECT_TRUE(slot->trusted());
    EXPECT_TRUE(ledger_->usage(Scope::untrusted).empty());
    EXPECT_EQ(ledger_->usage(Scope::system).connections_in, 1u);
  }
  expect_nothing_taken();
}

TEST_F(Ledger, a_slot_gives_back_what_it_holds_at_any_stage) {
  for (int stage = 0; stage < 4; ++stage) {
    auto slot = accept();
    ASSERT_TRUE(slot);
    if (stage > 0) {
      ASSERT_TRUE(slot->identify(peer_of(1)));
    }
    if (stage > 1) slot->trust();
    if (stage > 2) {
      ConnectionSlot moved = *std::move(slot);
      *slot = std::move(moved);
    }
    *slot = ConnectionSlot();
    expect_nothing_taken();
  }
}

TEST_F(Ledger, the_system_has_so_many_connections_each_way_and_together) {
  ResourceLimits limits;
  limits.system.connections = {.in = 2, .out = 2, .all = 3};
  limit(limits);
  auto a = accept(), b = accept(), c = accept();
  EXPECT_TRUE(a && b);
  EXPECT_EQ(c.error(), (Refusal{Scope::system, kConnectionIn}));
  auto d = ledger_->dial(), e = ledger_->dial();
  EXPECT_TRUE(d);
  EXPECT_EQ(e.error(), (Refusal{Scope::system, kConnectionOut})) << "three are there together";
  EXPECT_EQ(refused(Scope::system, kConnectionIn), 1u);
  EXPECT_EQ(refused(Scope::system, kConnectionOut), 1u);
}

TEST_F(Ledger, handshakes_under_way_are_bounded_and_make_room_when_done) {
  ResourceLimits limits;
  limits.transient.connections = {.in = 2, .out = 1, .all = 3};
  limit(limits);
  auto a = accept(), b = accept();
  EXPECT_EQ(accept().error(), (Refusal{Scope::transient, kConnectionIn}));
  EXPECT_TRUE(a->identify(peer_of(1)));
  EXPECT_TRUE(accept());
  auto dialed = ledger_->dial();
  EXPECT_EQ(ledger_->dial().error(), (Refusal{Scope::transient, kConnectionOut}));
}

TEST_F(Ledger, strangers_leave_room_for_those_who_are_trusted) {
  ResourceLimits limits;
  limits.untrusted.connections = {.in = 2, .out = 2, .all = 2};
  limit(limits);
  auto third = accept();
  ASSERT_TRUE(third);
  std::vector<ConnectionSlot> slots;
  for (std::uint64_t peer = 1; peer <= 2; ++peer) slots.push_back(connected(peer));
  EXPECT_EQ(third->identify(peer_of(3)).error(), (Refusal{Scope::untrusted, kConnectionIn}));
  EXPECT_EQ(accept().error(), (Refusal{Scope::untrusted, kConnectionIn}))
      << "no handshake is spent on what would be refused after it";
  EXPECT_EQ(ledger_->dial().error(), (Refusal{Scope::untrusted, kConnectionOut}));
  slots[0].trust();
  EXPECT_TRUE(third->identify(peer_of(3)));
}

TEST_F(Ledger, one_peer_has_so_many_connections_and_its_refused_one_stays_transient) {
  std::vector<ConnectionSlot> slots;
  for (int i = 0; i < 8; ++i) slots.push_back(connected(1, i % 2 == 0));
  auto ninth = accept("127.0.0.1");
  EXPECT_EQ(ninth->identify(peer_of(1)).error(), (Refusal{Scope::peer, kConnectionIn}));
  EXPECT_EQ(ledger_->usage(Scope::transient).connections_in, 1u);
  EXPECT_TRUE(ninth->identify(peer_of(2)));
}

TEST_F(Ledger, a_source_counts_until_its_peer_is_trusted) {
  ResourceLimits limits;
  limits.source = {.connections = 2, .burst = 3, .per_second = 0};
  limit(limits);
  std::vector<ConnectionSlot> members;
  for (std::uint64_t i = 0; i < 20; ++i) {
    auto slot = accept();
    ASSERT_TRUE(slot) << "all members of a network may sit behind one address";
    ASSERT_TRUE(slot->identify(peer_of(i)));
    slot->trust();
    members.push_back(*std::move(slot));
  }
  auto a = accept(), b = accept();
  EXPECT_TRUE(a && b);
  EXPECT_EQ(accept().error(), (Refusal{Scope::source, kConnectionIn}));
  *a = ConnectionSlot();
  EXPECT_TRUE(accept());
  EXPECT_EQ(accept().error(), (Refusal{Scope::source, Resource::rate})) << "three tokens are gone";
  EXPECT_TRUE(accept("192.0.2.2"));
}

TEST_F(Ledger, one_host_with_many_members_ids_leaves_room_for_members_elsewhere) {
  const ResourceLimits limits;
  std::vector<ConnectionSlot> slots;
  std::size_t trusted = 0;
  for (std::uint64_t i = 0; i < limits.system.connections.in; ++i) {
    auto slot = accept();
    if (!slot) break;
    ASSERT_TRUE(slot->identify(peer_of(i / 8)));
    const bool taken = slot->trust().has_value();
    trusted += taken ? 1 : 0;
    EXPECT_EQ(slot->trusted(), taken);
    if (taken) slots.push_back(*std::move(slot));
  }
  EXPECT_GT(limits.system.connections.in / 2, limits.source.trusted);
  EXPECT_EQ(trusted, limits.system.connections.in / 2) << "while there is room, it is anybody's";
  EXPECT_GT(refused(Scope::source, kConnectionIn), 0u);
  EXPECT_TRUE(ledger_->usage(Scope::untrusted).empty())
      << "a refused one is a stranger's till its end";
  auto elsewhere = accept("192.0.2.2");
  ASSERT_TRUE(elsewhere && elsewhere->identify(peer_of(5000)));
  EXPECT_TRUE(elsewhere->trust());
  slots.pop_back();
  auto again = accept("192.0.2.3");
  ASSERT_TRUE(again && again->identify(peer_of(5001)));
  EXPECT_TRUE(again->trust());
}

TEST_F(Ledger, a_relay_hands_over_so_many_circuits_and_leaves_room_for_those_who_come_directly) {
  std::vector<ConnectionSlot> circuits;
  const std::size_t each = ledger_->limits().relay.connections;
  for (std::uint64_t i = 0; i < 3 * each; ++i) {
    auto slot = ledger_->accept_circuit(peer_of(i % 2), TimePoint{});
    if (slot) circuits.push_back(*std::move(slot));
  }
  EXPECT_EQ(circuits.size(), 2 * each);
  EXPECT_EQ(refused(Scope::source, kConnectionIn), each);
  EXPECT_TRUE(accept());
  for (std::size_t i = 0; i < circuits.size(); ++i) {
    ASSERT_TRUE(circuits[i].identify(peer_of(100 + i)));
    circuits[i].trust();
  }
  EXPECT_TRUE(ledger_->accept_circuit(peer_of(0), TimePoint{})) << "members do not count";
}

// Inbound connections that may be cut, and who was.
struct Crowd {
  explicit Crowd(ResourceLedger& in) : ledger(in) {}

  // Whether one more from there got in.
  bool come(const std::string& source, TimePoint now = TimePoint{}) {
    auto slot = ledger.accept(boost::asio::ip::make_address(source), now);
    if (!slot) return false;
    const std::size_t number = slots.size();
    slot->on_cut([this, number] { cut.push_back(number); });
    slots.push_back(*std::move(slot));
    return true;
  }
  bool identify(std::size_t number) {
    const bool taken = slots[number].identify(peer_of(number)).has_value();
    slots[number].on_cut([this, number] { cut.push_back(number); });
    return taken;
  }

  ResourceLedger& ledger;
  std::vector<ConnectionSlot> slots;
  std::vector<std::size_t> cut;  // places in slots
};
using Numbers = std::vector<std::size_t>;

TEST_F(Ledger, silent_connections_of_few_sources_make_room_for_a_newcomer_at_once) {
  ResourceLimits limits;
  limits.transient.connections = {.in = 4, .out = 4, .all = 8};
  limit(limits);
  Crowd crowd(*ledger_);
  for (const char* source : {"192.0.2.9", "192.0.2.1", "192.0.2.1", "192.0.2.1"})
    EXPECT_TRUE(crowd.come(source));
  EXPECT_TRUE(crowd.come("192.0.2.2"));
  EXPECT_EQ(crowd.cut, (Numbers{1})) << "the oldest of the source that has most";
  EXPECT_FALSE(crowd.slots[1].identify(peer_of(1))) << "its place is taken";
  EXPECT_TRUE(crowd.come("192.0.2.3"));
  EXPECT_EQ(crowd.cut, (Numbers{1, 2}));
  EXPECT_FALSE(crowd.come("192.0.2.4")) << "nobody has more than the others";
  EXPECT_FALSE(crowd.come("192.0.2.1"));
  crowd.slots[1] = ConnectionSlot();
  EXPECT_EQ(ledger_->usage(Scope::transient).connections_in, 4u) << "it gave its place back before";
  EXPECT_EQ(crowd.cut, (Numbers{1, 2}));
  crowd.slots.clear();
  expect_nothing_taken();
}

TEST_F(Ledger, a_handshake_that_takes_long_makes_room_when_all_places_are_taken) {
  ResourceLimits limits;
  limits.transient.connections = {.in = 3, .out = 3, .all = 6};
  limit(limits);
  Crowd crowd(*ledger_);
  const TimePoint later = TimePoint{} + kHandshakePatience;
  EXPECT_TRUE(crowd.come("192.0.2.1"));
  EXPECT_TRUE(crowd.come("192.0.2.2", later));
  EXPECT_TRUE(crowd.come("192.0.2.3", later));
  EXPECT_EQ(crowd.cut, Numbers()) << "there is room yet";
  EXPECT_TRUE(crowd.come("192.0.2.4", later));
  EXPECT_EQ(crowd.cut, (Numbers{0}));
  EXPECT_FALSE(crowd.come("192.0.2.5", later));
}

TEST_F(Ledger, a_newcomer_makes_nobody_go_who_has_fewer_connections) {
  ResourceLimits limits;
  limits.untrusted.connections = {.in = 3, .out = 3, .all = 6};
  limit(limits);
  Crowd crowd(*ledger_);
  EXPECT_TRUE(crowd.come("192.0.2.9") && crowd.identify(0));
  EXPECT_TRUE(crowd.come("192.0.2.1") && crowd.identify(1));
  EXPECT_TRUE(crowd.come("192.0.2.1") && crowd.identify(2));
  EXPECT_TRUE(crowd.come("192.0.2.1", TimePoint{} + kStrangerPatience) && crowd.identify(3));
  EXPECT_EQ(crowd.cut, (Numbers{1}));
  crowd.slots.clear();
  expect_nothing_taken();
}

TEST_F(Ledger, strangers_that_prove_nothing_make_room_and_members_never) {
  ResourceLimits limits;
  limits.untrusted.connections = {.in = 4, .out = 4, .all = 8};
  limit(limits);
  Crowd crowd(*ledger_);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(crowd.come("192.0.2.1") && crowd.identify(i));
  }
  EXPECT_TRUE(crowd.slots[0].trust());
  EXPECT_TRUE(crowd.come("192.0.2.1") && crowd.identify(4));
  EXPECT_TRUE(crowd.come("192.0.2.2") && crowd.identify(5));
  EXPECT_EQ(crowd.cut, (Numbers{1})) << "the first one is trusted";
  EXPECT_FALSE(crowd.slots[1].trust()) << "too late";
  EXPECT_EQ(ledger_->usage(Scope::untrusted).connections_in, 4u);
  EXPECT_TRUE(crowd.slots[5].trust());
  EXPECT_TRUE(crowd.come("192.0.2.1", TimePoint{} + kStrangerPatience) && crowd.identify(6));
  EXPECT_TRUE(crowd.come("192.0.2.1", TimePoint{} + kStrangerPatience) && crowd.identify(7));
  EXPECT_EQ(crowd.cut, (Numbers{1, 2}));
  crowd.slots.clear();
  expect_nothing_taken();
}

TEST_F(Ledger, streams_are_counted_by_direction_in_every_scope) {
  const ConnectionSlot stranger = connected(1), member = connected(2, true);
  EXPECT_EQ(open(stranger, kStreamIn, 2), 2u);
  EXPECT_EQ(open(stranger, kStreamOut, 1), 1u);
  EXPECT_EQ(open(member, kStreamIn, 4), 4u);
  EXPECT_EQ(open(member, kStreamOut, 5), 5u);
  EXPECT_EQ(ledger_->usage(Scope::system).streams_in, 6u);
  EXPECT_EQ(ledger_->usage(Scope::system).streams_out, 6u);
  EXPECT_EQ(ledger_->usage(Scope::untrusted).streams_in, 2u);
  EXPECT_EQ(ledger_->usage(Scope::untrusted).streams_out, 1u);
  EXPECT_EQ(ledger_->usage(Scope::transient).streams_in, 2u);
  EXPECT_EQ(ledger_->usage(Scope::transient).streams_out, 0u) << "what we open has a protocol";
  streams_.clear();
  EXPECT_EQ(ledger_->usage(Scope::system).streams_in, 0u);
}

TEST_F(Ledger, a_stranger_has_fewer_streams_than_a_trusted_peer) {
  ResourceLimits limits;
  limits.peer.streams = {.in = 10, .out = 8, .all = 12};
  limits.untrusted_peer.streams = {.in = 3, .out = 2, .all = 4};
  limit(limits);
  const ConnectionSlot stranger = connected(1), again = connected(1), member = connected(2, true);
  EXPECT_EQ(open(stranger, kStreamIn, 2), 2u);
  EXPECT_EQ(open(again, kStreamIn, 2), 1u) << "the bound is the peer's";
  EXPECT_EQ(open(again, kStreamOut, 2), 1u);
  EXPECT_EQ(refused(Scope::peer, kStreamIn), 1u);
  EXPECT_EQ(refused(Scope::peer, kStreamOut), 1u);
  EXPECT_EQ(open(member, kStreamIn, 20), 10u);
  EXPECT_EQ(open(member, kStreamOut, 20), 2u);
}

TEST_F(Ledger, strangers_that_name_no_protocol_do_not_keep_members_from_opening_streams) {
  ResourceLimits limits;
  limits.transient.streams.in = 5;
  limit(limits);
  std::vector<ConnectionSlot> strangers;
  for (std::uint64_t peer = 1; peer <= 3; ++peer) strangers.push_back(connected(peer));
  EXPECT_EQ(open(strangers[0], kStreamIn, 3), 3u);
  EXPECT_EQ(open(strangers[1], kStreamIn, 3), 2u);
  EXPECT_EQ(open(strangers[2], kStreamIn, 3), 0u);
  EXPECT_EQ(refused(Scope::transient, kStreamIn), 4u);
  EXPECT_EQ(open(connected(4, true), kStreamIn, 3), 3u);
  ASSERT_TRUE(streams_[0].negotiate("/a", {}));
  EXPECT_EQ(open(strangers[2], kStreamIn, 3), 1u);
}

TEST_F(Ledger, strangers_together_have_so_many_streams) {
  ResourceLimits limits;
  limits.untrusted.streams = {.in = 4, .out = 4, .all = 5};
  limit(limits);
  const ConnectionSlot a = connected(1), b = connected(2);
  EXPECT_EQ(open(a, kStreamIn, 3), 3u);
  EXPECT_EQ(open(b, kStreamIn, 3), 1u);
  EXPECT_EQ(open(b, kStreamOut, 3), 1u);
  EXPECT_EQ(refused(Scope::untrusted, kStreamIn), 2u);
  EXPECT_EQ(refused(Scope::untrusted, kStreamOut), 2u);
}

TEST_F(Ledger, a_protocol_has_so_many_streams_of_all_and_of_one_peer) {
  const StreamLimits limits{.all = 3, .of_peer = 2};
  const ConnectionSlot a = connected(1, true), b = connected(2, true);
  std::vector<StreamSlot> served;
  const auto serve = [&](const ConnectionSlot& slot, const std::string& protocol) {
    auto stream = slot.open_stream(kStreamIn);
    EXPECT_TRUE(stream);
    auto negotiated = stream->negotiate(protocol, limits);
    if (negotiated) served.push_back(*std::move(stream));
    return negotiated;
  };
  EXPECT_TRUE(serve(a, "/a"));
  EXPECT_TRUE(serve(a, "/a"));
  EXPECT_EQ(serve(a, "/a").error(), (Refusal{Scope::protocol_peer, kStreamIn}));
  EXPECT_TRUE(serve(a, "/b")) << "another protocol has its own";
  EXPECT_TRUE(serve(b, "/a"));
  EXPECT_EQ(serve(b, "/a").error(), (Refusal{Scope::protocol, kStreamIn}));
  served.erase(served.begin());
  EXPECT_TRUE(serve(b, "/a"));
  EXPECT_EQ(ledger_->usage(Scope::transient).streams_in, 0u) << "refused ones are gone as well";
}

TEST_F(Ledger, strangers_together_have_half_of_a_protocols_streams) {
  const StreamLimits limits{.all = 8, .of_peer = 2};
  std::vector<ConnectionSlot> connections;
  std::vector<StreamSlot> served;
  const auto serve = [&](const ConnectionSlot& slot) {
    auto stream = slot.open_stream(kStreamIn);
    const bool granted = stream && stream->negotiate("/a", limits);
    if (granted) served.push_back(*std::move(stream));
    return granted;
  };
  for (std::uint64_t peer = 1; peer <= 8; ++peer) {
    connections.push_back(connected(peer));
    EXPECT_EQ(serve(connections.back()), peer <= 4) << peer;
  }
  EXPECT_EQ(refused(Scope::protocol, kStreamIn), 4u);
  const ConnectionSlot members[] = {connected(9, true), connected(10, true)};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(serve(members[i % 2])) << i;
  served.erase(served.begin());
  EXPECT_TRUE(serve(connections.back())) << "one of them has ended";
}

TEST_F(Ledger, a_session_is_bounded_by_its_connections_trust) {
  ResourceLimits limits;
  limits.untrusted_connection = {.streams_in = 7, .memory = 100};
  limits.connection = {.streams_in = 70, .memory = 1000};
  limit(limits);
  ConnectionSlot slot = connected(1);
  ReceiveBudget session(0);
  slot.bound(session);
  EXPECT_EQ(slot.limits().streams_in, 7u);
  EXPECT_TRUE(session.take(100));
  EXPECT_FALSE(session.take(1));
  EXPECT_EQ(refused(Scope::connection, Resource::memory), 1u);
  EXPECT_EQ(ledger_->memory(Scope::untrusted), 100u);
  slot.trust();
  slot.bound(session);
  EXPECT_EQ(slot.limits().streams_in, 70u);
  EXPECT_EQ(ledger_->memory(Scope::untrusted), 0u);
  EXPECT_EQ(ledger_->memory(Scope::system), 100u);
  EXPECT_TRUE(session.take(900));
}

TEST_F(Ledger, memory_is_bounded_for_strangers_for_a_peer_and_for_all) {
  ResourceLimits limits;
  limits.untrusted.memory = 100;
  limits.peer.memory = 200;
  limits.system.memory = 350;
  limit(limits);
  const ConnectionSlot strangers[] = {connected(1), connected(2)};
  const ConnectionSlot members[] = {connected(3, true), connected(3, true), connected(4, true)};
  ReceiveBudget of_stranger(0), of_other(0), first(0), second(0), of_member(0);
  strangers[0].bound(of_stranger);
  strangers[1].bound(of_other);
  members[0].bound(first);
  members[1].bound(second);
  members[2].bound(of_member);
  EXPECT_TRUE(of_stranger.take(60));
  EXPECT_FALSE(of_other.take(60));
  EXPECT_EQ(refused(Scope::untrusted, Resource::memory), 1u);
  EXPECT_TRUE(first.take(150));
  EXPECT_FALSE(second.take(60)) << "one peer, though over two connections";
  EXPECT_EQ(refused(Scope::peer, Resource::memory), 1u);
  EXPECT_TRUE(of_member.take(140));
  EXPECT_FALSE(of_member.take(1));
  EXPECT_EQ(refused(Scope::system, Resource::memory), 1u);
}

TEST_F(Ledger, streams_that_the_muxer_refused_are_counted_too) {
  const ConnectionSlot slot = connected(1);
  slot.refused_streams(0);
  EXPECT_TRUE(ledger_->refusals().empty());
  slot.refused_streams(5);
  EXPECT_EQ(refused(Scope::connection, kStreamIn), 5u);
}

TEST_F(Ledger, slots_may_outlive_connection_and_ledger) {
  ConnectionSlot slot = connected(1);
  EXPECT_EQ(open(slot, kStreamIn, 2), 2u);
  EXPECT_TRUE(streams_[0].negotiate("/a", {}));
  slot = ConnectionSlot();
  EXPECT_EQ(ledger_->peers(), 1u) << "its streams are still there";
  streams_.pop_back();
  ledger_.reset();
  streams_.clear();
}

TEST_F(Ledger, an_empty_slot_holds_nothing_and_refuses_nothing) {
  ConnectionSlot slot;
  EXPECT_TRUE(slot.identify(peer_of(1)));
  slot.trust();
  EXPECT_EQ(open(slot, kStreamIn, 10), 10u);
  EXPECT_TRUE(streams_[0].negotiate("/a", {.all = 0, .of_peer = 0}));
}

TEST(ResourceLimits, one_source_leaves_room_for_others) {
  const ResourceLimits limits;
  for (const SourceLimits& source : {limits.source, limits.source_v6_48, limits.relay}) {
    const std::size_t streams = source.connections * limits.untrusted_connection.streams_in;
    EXPECT_LT(source.connections, limits.transient.connections.in);
    EXPECT_LT(source.connections, limits.untrusted.connections.in);
    EXPECT_LT(streams, limits.transient.streams.in);
    EXPECT_LT(streams, limits.untrusted.streams.in);
    EXPECT_LT(source.connections * limits.untrusted_connection.memory, limits.untrusted.memory);
  }
}

TEST(ResourceLimits, one_source_of_members_leaves_room_for_others) {
  const ResourceLimits limits;
  for (const SourceLimits& source : {limits.source, limits.source_v6_48, limits.relay}) {
    EXPECT_GE(source.trusted, source.connections);
    EXPECT_LT(source.trusted, limits.system.connections.in / 3);
  }
}

TEST(ResourceLimits, inbound_leaves_room_for_outbound) {
  const ResourceLimits limits;
  for (const ScopeLimits* scope : {&limits.system, &limits.transient, &limits.untrusted}) {
    EXPECT_LT(scope->connections.in, scope->connections.all);
    EXPECT_LT(scope->streams.in, scope->streams.all);
  }
  EXPECT_LT(limits.untrusted_peer.streams.in, limits.untrusted_peer.streams.all);
}

TEST(ResourceLimits, strangers_leave_room_for_members) {
  const ResourceLimits limits;
  EXPECT_LE(limits.untrusted.connections.all, limits.system.connections.all / 2);
  EXPECT_LE(limits.untrusted.streams.all, limits.system.streams.all / 2);
  EXPECT_LE(limits.untrusted.memory, limits.system.memory / 2);
  EXPECT_LT(TrimOptions().high_water, limits.system.connections.all);
  EXPECT_LT(TrimOptions().low_water, TrimOptions().high_water);
}

TEST(ResourceLimits, a_strangers_streams_never_reach_the_number_above_which_rust_takes_none) {
  constexpr std::size_t kRustYamux = 512;
  EXPECT_LE(ResourceLimits().untrusted_peer.streams.all, kRustYamux / 2);
}

TEST(ResourceNames, are_each_their_own) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Scope::source); ++i)
    EXPECT_TRUE(names.insert(to_text(static_cast<Scope>(i))).second);
  for (int i = 0; i <= static_cast<int>(Resource::rate); ++i)
    EXPECT_TRUE(names.insert(to_text(static_cast<Resource>(i))).second);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace oc::p2p
