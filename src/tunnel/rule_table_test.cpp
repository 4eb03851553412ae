#include "tunnel/rule_table.hpp"

#include "net/splice.hpp"
#include "support/tunnel_site.hpp"

namespace oc::tunnel {
namespace {

using test::EchoService;
using test::free_port;
using test::Site;
using test::TunnelWorld;
using test::visit;
using test::Visit;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<net::Stream>;

// front → back → service, whose greeting is "hi ". The world owns them.
struct Pair {
  explicit Pair(TunnelWorld& world)
      : front(world.add_site(1)),
        back(world.add_site(2)),
        service(world.add_service("hi ")),
        port(free_port(world.executor())) {
    world.introduce(front.node, back.node);
  }
  Rule front_rule() const { return front.egress(port, {{back.id(), Port(80)}}); }
  Rule back_rule() const { return back.ingress(Port(80), service.target()); }
  RuleId create_both() {
    EXPECT_TRUE(back.rules.create(back_rule()));
    auto created = front.rules.create(front_rule());
    EXPECT_TRUE(created);
    return created->status.rule.id;
  }
  std::function<bool()> both_up() {
    return [this] { return front.is_up() && back.is_up(); };
  }

  Site& front;
  Site& back;
  EchoService& service;
  Port port;
};

// A visitor that stays.
struct Guest {
  StreamPtr stream;
  Visit seen;
};

awaitable<void> stay(Guest& guest, Port port) {
  auto connected = co_await net::tcp_connect(test::loopback(port.value()));
  EXPECT_TRUE(connected);
  if (!connected) co_return;
  guest.stream = *std::move(connected);
  EXPECT_TRUE(co_await guest.stream->write(as_bytes("hello")));
  FixedBytes<8> bytes;
  EXPECT_TRUE(co_await net::read_exactly(*guest.stream, bytes));
  EXPECT_EQ(as_text(bytes), "hi hello");
}

awaitable<void> await_end(Guest& guest) { guest.seen = co_await test::read_to_end(*guest.stream); }

awaitable<void> a_rule_that_exists_is_found_and_not_made_again(TunnelWorld& world) {
  Pair pair(world);
  const auto first = pair.front.rules.create(pair.front_rule());
  CO_ASSERT_TRUE(first);
  EXPECT_TRUE(first->is_new);
  EXPECT_FALSE(first->status.rule.id.value().empty());
  Rule again = pair.front_rule();
  again.tags = {"other"};
  const auto second = pair.front.rules.create(again);
  CO_ASSERT_TRUE(second);
  EXPECT_FALSE(second->is_new);
  EXPECT_EQ(second->status.rule.id, first->status.rule.id);
  EXPECT_EQ(pair.front.rules.list().size(), 1u);
  co_return;
}
TEST(RuleTable, a_rule_that_exists_is_found_and_not_made_again) {
  test::in_world<TunnelWorld>(a_rule_that_exists_is_found_and_not_made_again);
}

awaitable<void> a_rule_whose_port_is_taken_is_not_created(TunnelWorld& world) {
  Pair pair(world);
  Rule rule = pair.front_rule();
  rule.port = pair.service.port();
  const auto created = pair.front.rules.create(rule);
  CO_ASSERT_TRUE(!created);
  EXPECT_EQ(created.error().code, FaultCode::port_in_use);
  EXPECT_TRUE(pair.front.rules.list().empty());
  // Nor beside another rule that has the port; and nothing is left when the table closes at once.
  EXPECT_TRUE(pair.front.rules.create(pair.front_rule()));
  Rule other = pair.front_rule();
  other.targets.front().port = Port(81);
  EXPECT_EQ(pair.front.rules.create(other).error().code, FaultCode::port_in_use);
  other.enabled = false;
  EXPECT_TRUE(pair.front.rules.create(other));
  co_return;
}
TEST(RuleTable, a_rule_whose_port_is_taken_is_not_created) {
  test::in_world<TunnelWorld>(a_rule_whose_port_is_taken_is_not_created);
}

awaitable<void> a_stored_rule_whose_port_is_taken_waits_for_it(TunnelWorld& world) {
  Pair pair(world);
  EXPECT_TRUE(pair.back.rules.create(pair.back_rule()));
  EchoService& squatter = world.add_service();
  Rule rule = pair.front_rule();
  rule.id = RuleId("stored");
  rule.port = squatter.port();
  pair.front.rules.restore(rule);
  EXPECT_EQ(pair.front.code(), 3101);
  co_await world.pass(4s);
  EXPECT_EQ(pair.front.status().state, RuleState::down);
  EXPECT_EQ(pair.front.code(), 3101);
  co_await squatter.close();
  CO_ASSERT_TRUE(co_await world.until(pair.both_up()));
  EXPECT_EQ((co_await world.result_of(visit(rule.port, "there"))).answer, "hi there");
}
TEST(RuleTable, a_stored_rule_whose_port_is_taken_waits_for_it) {
  test::in_world<TunnelWorld>(a_stored_rule_whose_port_is_taken_waits_for_it);
}

awaitable<void> a_rule_can_be_switched_off_and_on(TunnelWorld& world) {
  Pair pair(world);
  const RuleId id = pair.create_both();
  CO_ASSERT_TRUE(co_await world.until(pair.both_up()));
  Guest guest;
  CO_ASSERT_TRUE(co_await world.finish(stay(guest, pair.port)));
  const auto off = co_await world.result_of(pair.front.rules.enable(id, false));
  CO_ASSERT_TRUE(off);
  EXPECT_EQ(off->state, RuleState::disabled);
  EXPECT_FALSE(off->rule.enabled);
  EXPECT_EQ(off->counters.connections, 1u) << "what it did before still counts";
  EXPECT_EQ(off->counters.open, 0u);
  CO_ASSERT_TRUE(co_await world.finish(await_end(guest)));
  EXPECT_EQ(guest.seen.end, Errc::reset);
  EXPECT_EQ((co_await world.result_of(visit(pair.port, "x"))).end,
            boost::system::errc::connection_refused);
  EXPECT_TRUE(co_await world.result_of(pair.front.rules.enable(id, true)));
  CO_ASSERT_TRUE(co_await world.until(pair.both_up()));
  EXPECT_EQ((co_await world.result_of(visit(pair.port, "there"))).answer, "hi there");
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.rules.open_tunnels() == 0; }));
  EXPECT_EQ(pair.front.status().counters.connections, 2u);
}
TEST(RuleTable, a_rule_can_be_switched_off_and_on) {
  test::in_world<TunnelWorld>(a_rule_can_be_switched_off_and_on);
}

awaitable<void> an_ingress_rule_that_is_off_lets_nothing_out(TunnelWorld& world) {
  Pair pair(world);
  pair.create_both();
  CO_ASSERT_TRUE(co_await world.until(pair.both_up()));
  EXPECT_TRUE(co_await world.result_of(pair.back.rules.enable(pair.back.status().rule.id, false)));
  EXPECT_EQ((co_await world.result_of(visit(pair.port, "x"))).end, Errc::reset);
  EXPECT_EQ(pair.front.code(), 3103);
}
TEST(RuleTable, an_ingress_rule_that_is_off_lets_nothing_out) {
  test::in_world<TunnelWorld>(an_ingress_rule_that_is_off_lets_nothing_out);
}

awaitable<void> what_does_not_exist_is_not_found(TunnelWorld& world) {
  Site& site = world.add_site(1);
  const RuleId id("nothing");
  EXPECT_EQ(site.rules.find(id).error().code, FaultCode::rule_not_found);
  EXPECT_EQ((co_await site.rules.remove(id)).error().code, FaultCode::rule_not_found);
  EXPECT_EQ((co_await site.rules.enable(id, true)).error().code, FaultCode::rule_not_found);
}
TEST(RuleTable, what_does_not_exist_is_not_found) {
  test::in_world<TunnelWorld>(what_does_not_exist_is_not_found);
}

awaitable<void> remove_rule(Site& site) {
  EXPECT_TRUE(co_await site.rules.remove(site.status().rule.id));
}

awaitable<void> remove_with_a_guest(TunnelWorld& world, bool at_the_front, bool half_closed) {
  Pair pair(world);
  pair.create_both();
  CO_ASSERT_TRUE(co_await world.until(pair.both_up()));
  Guest guest;
  CO_ASSERT_TRUE(co_await world.finish(stay(guest, pair.port)));
  if (half_closed) {
    pair.service.hold();
    EXPECT_TRUE(co_await guest.stream->close_write());
  }
  co_await world.pass(100ms);
  EXPECT_EQ(pair.front.rules.open_tunnels(), 1u);
  EXPECT_EQ(pair.back.rules.open_tunnels(), 1u);
  Site& site = at_the_front ? pair.front : pair.back;
  const TimePoint start = world.clock.now();
  CO_ASSERT_TRUE(co_await world.finish(remove_rule(site)));
  EXPECT_LT(world.clock.now() - start, 5s);
  EXPECT_TRUE(site.rules.list().empty());
  EXPECT_EQ(site.rules.open_tunnels(), 0u);
  CO_ASSERT_TRUE(co_await world.finish(await_end(guest)));
  EXPECT_EQ(guest.seen.end, Errc::reset);
  // The far end learns of it at once, or, when it no longer reads from the tunnel, by its silence.
  if (half_closed && at_the_front) co_await world.pass(net::kHalfClosedIdle + 5s, 1s);
  co_await world.pass(100ms);
  EXPECT_EQ(pair.front.rules.open_tunnels(), 0u);
  EXPECT_EQ(pair.back.rules.open_tunnels(), 0u);
}
TEST(RuleTable, removing_the_egress_rule_ends_its_tunnels) {
  test::in_world<TunnelWorld>(
      [](TunnelWorld& world) { return remove_with_a_guest(world, true, false); });
}
TEST(RuleTable, removing_the_ingress_rule_ends_its_tunnels) {
  test::in_world<TunnelWorld>(
      [](TunnelWorld& world) { return remove_with_a_guest(world, false, false); });
}
TEST(RuleTable, removing_the_egress_rule_ends_tunnels_whose_visitor_has_ended_its_half) {
  test::in_world<TunnelWorld>(
      [](TunnelWorld& world) { return remove_with_a_guest(world, true, true); });
}
TEST(RuleTable, removing_the_ingress_rule_ends_tunnels_whose_visitor_has_ended_its_half) {
  test::in_world<TunnelWorld>(
      [](TunnelWorld& world) { return remove_with_a_guest(world, false, true); });
}

awaitable<void> a_removal_whose_caller_goes_away_is_completed(TunnelWorld& world) {
  Pair pair(world);
  const RuleId id = pair.create_both();
  CO_ASSERT_TRUE(co_await world.until(pair.both_up()));
  Guest guest;
  CO_ASSERT_TRUE(co_await world.finish(stay(guest, pair.port)));
  TaskScope caller(world.executor());
  caller.spawn("remove", remove_rule(pair.front));
  co_await caller.close();
  EXPECT_TRUE(pair.front.rules.list().empty());
  TaskScope switcher(world.executor());
  const auto disable = [](Site& site) -> awaitable<void> {
    (void)co_await site.rules.enable(site.status().rule.id, false);
  };
  switcher.spawn("disable", disable(pair.back));
  co_await switcher.close();
  EXPECT_EQ(pair.back.status().state, RuleState::disabled);
  CO_ASSERT_TRUE(co_await world.until(
      [&] { return pair.back.rules.open_tunnels() + pair.front.rules.open_tunnels() == 0; }));
}
TEST(RuleTable, a_removal_whose_caller_goes_away_is_completed) {
  test::in_world<TunnelWorld>(a_removal_whose_caller_goes_away_is_completed);
}

awaitable<void> a_rule_expires_with_its_tunnels(TunnelWorld& world) {
  Pair pair(world);
  Rule rule = pair.front_rule();
  rule.expires = world.clock.wall_now() + 60s;
  EXPECT_TRUE(pair.back.rules.create(pair.back_rule()));
  EXPECT_TRUE(pair.front.rules.create(rule));
  CO_ASSERT_TRUE(co_await world.until(pair.both_up()));
  Guest guest;
  CO_ASSERT_TRUE(co_await world.finish(stay(guest, pair.port)));
  co_await world.pass(62s, 100ms);
  EXPECT_EQ(pair.front.status().state, RuleState::expired);
  EXPECT_EQ(pair.front.rules.open_tunnels(), 0u);
  EXPECT_EQ((co_await world.result_of(visit(pair.port, "x"))).end,
            boost::system::errc::connection_refused);
  // It stands in nobody's way: neither of its port nor of a rule like it.
  const auto again = pair.front.rules.create(pair.front_rule());
  CO_ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_new);
  EXPECT_EQ(pair.front.rules.list().size(), 2u);
}
TEST(RuleTable, a_rule_expires_with_its_tunnels) {
  test::in_world<TunnelWorld>(a_rule_expires_with_its_tunnels);
}

awaitable<void> rules_of_the_store_come_back_as_they_were(TunnelWorld& world) {
  Pair pair(world);
  Rule rule = pair.front_rule();
  rule.id = RuleId("off");
  rule.enabled = false;
  rule.created = WallTime(2s);
  pair.front.rules.restore(rule);
  rule.id = RuleId("late");
  rule.enabled = true;
  rule.expires = world.clock.wall_now() - 1s;
  rule.created = WallTime(1s);
  pair.front.rules.restore(rule);
  const auto list = pair.front.rules.list();
  CO_ASSERT_TRUE(list.size() == 2);
  EXPECT_EQ(list[0].state, RuleState::expired) << "the oldest first";
  EXPECT_EQ(list[1].state, RuleState::disabled);
  EXPECT_EQ(list[1].rule.id, RuleId("off"));
  co_return;
}
TEST(RuleTable, rules_of_the_store_come_back_as_they_were) {
  test::in_world<TunnelWorld>(rules_of_the_store_come_back_as_they_were);
}

awaitable<void> closing_ends_open_tunnels_promptly(TunnelWorld& world) {
  Pair pair(world);
  pair.create_both();
  CO_ASSERT_TRUE(co_await world.until(pair.both_up()));
  std::vector<Guest> guests(20);
  for (Guest& guest : guests) CO_ASSERT_TRUE(co_await world.finish(stay(guest, pair.port)));
  // Half of them have more under way than anybody reads.
  const Bytes much(4 * 1024 * 1024, 'x');
  TaskScope writers(world.executor());
  const auto flood = [](net::Stream& stream, BytesView bytes) -> awaitable<void> {
    (void)co_await stream.write(bytes);
  };
  for (std::size_t i = 0; i < guests.size(); i += 2)
    writers.spawn("flood", flood(*guests[i].stream, much));
  co_await world.pass(100ms);
  const TimePoint start = world.clock.now();
  CO_ASSERT_TRUE(co_await world.finish(pair.front.rules.close()));
  EXPECT_LT(world.clock.now() - start, 1s);
  EXPECT_EQ(pair.front.rules.open_tunnels(), 0u);
  co_await writers.close();
  EXPECT_EQ(pair.front.rules.create(pair.front_rule()).error().code, FaultCode::internal)
      << "nothing new begins";
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.back.rules.open_tunnels() == 0; }));
}
TEST(RuleTable, closing_ends_open_tunnels_promptly_and_leaves_nothing_behind) {
  const std::size_t blocks = Buffer::blocks_in_use();
  test::in_world<TunnelWorld>(closing_ends_open_tunnels_promptly);
  EXPECT_EQ(Buffer::blocks_in_use(), blocks);
}

}  // namespace
}  // namespace oc::tunnel
