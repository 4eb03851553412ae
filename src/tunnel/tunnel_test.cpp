// Whole tunnels: a visitor, two nodes, and a service.
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

#include "support/tunnel_site.hpp"
#include "tunnel/tunnel_protocol.hpp"

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

const overlay::NetworkId kHome = test::network_of("home", "password").id;

// front → back → service, whose greeting is "hi ". The world owns them.
struct Pair {
  explicit Pair(TunnelWorld& w)
      : world(w),
        front(w.add_site(1)),
        back(w.add_site(2)),
        service(w.add_service("hi ")),
        port(free_port(w.executor())) {
    world.introduce(front.node, back.node);
  }
  Rule front_rule() const { return front.egress(port, {{back.id(), Port(80)}}); }
  Rule back_rule() const { return back.ingress(Port(80), service.target()); }
  awaitable<bool> come_up() {
    EXPECT_TRUE(back.rules.create(back_rule()));
    EXPECT_TRUE(front.rules.create(front_rule()));
    co_return co_await world.until([this] { return front.is_up() && back.is_up(); });
  }
  awaitable<Visit> visit_once() { return world.result_of(visit(port, "there")); }
  awaitable<bool> until_front_is(int code) {
    return world.until([this, code] { return front.code() == code; });
  }

  TunnelWorld& world;
  Site& front;
  Site& back;
  EchoService& service;
  Port port;
};

awaitable<void> carries_a_visitor_to_the_service_and_back(TunnelWorld& world) {
  Pair pair(world);
  CO_ASSERT_TRUE(co_await pair.come_up());
  const Visit seen = co_await pair.visit_once();
  EXPECT_EQ(seen.answer, "hi there");
  EXPECT_EQ(seen.end, Errc::eof);
  CO_ASSERT_TRUE(co_await world.until(
      [&] { return pair.front.rules.open_tunnels() + pair.back.rules.open_tunnels() == 0; }));
  for (const RuleStatus& status : {pair.front.status(), pair.back.status()}) {
    EXPECT_EQ(status.counters.connections, 1u);
    EXPECT_EQ(status.counters.failures, 0u);
    EXPECT_EQ(status.counters.open, 0u);
    EXPECT_EQ(status.counters.bytes_in, 5u);
    EXPECT_EQ(status.counters.bytes_out, 8u);
    EXPECT_TRUE(status.counters.connect_time);
  }
}
TEST(Tunnel, carries_a_visitor_to_the_service_and_back) {
  test::in_world<TunnelWorld>(carries_a_visitor_to_the_service_and_back);
}

awaitable<void> counts_its_bytes_while_it_is_open(TunnelWorld& world) {
  Pair pair(world);
  CO_ASSERT_TRUE(co_await pair.come_up());
  auto guest = co_await net::tcp_connect(test::loopback(pair.port.value()));
  CO_ASSERT_TRUE(guest);
  EXPECT_TRUE(co_await (*guest)->write(as_bytes("hello")));
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.status().counters.bytes_out == 8; }));
  EXPECT_EQ(pair.front.status().counters.bytes_in, 5u);
  EXPECT_EQ(pair.front.status().counters.open, 1u);
  EXPECT_EQ(pair.front.rules.open_tunnels(), 1u);
  EXPECT_EQ(pair.back.rules.open_tunnels(), 1u);
}
TEST(Tunnel, counts_its_bytes_while_it_is_open) {
  test::in_world<TunnelWorld>(counts_its_bytes_while_it_is_open);
}

awaitable<void> is_refused_where_no_ingress_rule_lets_it_out(TunnelWorld& world) {
  Pair pair(world);
  EXPECT_TRUE(pair.front.rules.create(pair.front_rule()));
  CO_ASSERT_TRUE(co_await pair.until_front_is(3103));
  EXPECT_EQ(pair.front.status().state, RuleState::down);
  EXPECT_NE(pair.front.status().reason->message.find("port 80"), std::string::npos);
  const Visit seen = co_await pair.visit_once();
  EXPECT_EQ(seen.answer, "");
  EXPECT_EQ(seen.end, Errc::reset);
  EXPECT_EQ(pair.front.code(), 3103);
  EXPECT_EQ(pair.front.status().counters.failures, 1u);
  // As soon as there is a rule, the way is open.
  EXPECT_TRUE(pair.back.rules.create(pair.back_rule()));
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.is_up(); }));
  EXPECT_EQ((co_await pair.visit_once()).answer, "hi there");
}
TEST(Tunnel, is_refused_where_no_ingress_rule_lets_it_out) {
  test::in_world<TunnelWorld>(is_refused_where_no_ingress_rule_lets_it_out);
}

awaitable<void> to_a_service_that_is_down_says_so_until_it_comes_back(TunnelWorld& world) {
  Pair pair(world);
  CO_ASSERT_TRUE(co_await pair.come_up());
  const std::uint16_t port = pair.service.port().value();
  co_await pair.service.close();
  EXPECT_EQ((co_await pair.visit_once()).end, Errc::reset);
  for (const Site* site : {&pair.front, &pair.back}) {
    EXPECT_EQ(site->code(), 3104);
    EXPECT_EQ(site->status().state, RuleState::down);
    EXPECT_EQ(site->status().counters.failures, 1u);
  }
  EXPECT_EQ(pair.front.status().reason->message,
            "nobody listens on 127.0.0.1:" + std::to_string(port));
  co_await world.pass(5s);
  EXPECT_EQ(pair.front.code(), 3104);
  world.add_service("back ", port);
  const TimePoint start = world.clock.now();
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.is_up() && pair.back.is_up(); }));
  EXPECT_LE(world.clock.now() - start, 2 * kProbeAfterFailure + 1s);
  EXPECT_EQ((co_await pair.visit_once()).answer, "back there");
}
TEST(Tunnel, to_a_service_that_is_down_says_so_until_it_comes_back) {
  test::in_world<TunnelWorld>(to_a_service_that_is_down_says_so_until_it_comes_back);
}

awaitable<void> to_a_service_that_is_down_is_noticed_without_a_visitor(TunnelWorld& world) {
  Pair pair(world);
  CO_ASSERT_TRUE(co_await pair.come_up());
  co_await pair.service.close();
  co_await world.pass(2 * kProbeInterval + 1s, 50ms);
  EXPECT_EQ(pair.front.code(), 3104);
  EXPECT_EQ(pair.back.code(), 3104);
}
TEST(Tunnel, to_a_service_that_is_down_is_noticed_without_a_visitor) {
  test::in_world<TunnelWorld>(to_a_service_that_is_down_is_noticed_without_a_visitor);
}

awaitable<void> to_a_name_works_though_another_name_is_never_answered(TunnelWorld& world) {
  Pair pair(world);
  pair.back.node.resolver.add_host("service.example", {"127.0.0.1"});
  pair.back.node.resolver.silence("never.example");
  const auto never =
      pair.back.rules.create(pair.back.ingress(Port(81), HostTarget{"never.example", Port(81)}));
  EXPECT_TRUE(pair.back.rules.create(
      pair.back.ingress(Port(80), HostTarget{"service.example", pair.service.port()})));
  EXPECT_TRUE(pair.front.rules.create(pair.front_rule()));
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.is_up(); }));
  EXPECT_EQ((co_await pair.visit_once()).answer, "hi there");
  co_await world.pass(kTargetTimeout);
  const auto reason = pair.back.status(never->status.rule.id).reason;
  EXPECT_TRUE(reason && reason->code == FaultCode::target_timed_out);
}
TEST(Tunnel, to_a_name_works_though_another_name_is_never_answered) {
  test::in_world<TunnelWorld>(to_a_name_works_though_another_name_is_never_answered);
}

awaitable<void> to_a_peer_that_is_gone_says_so_until_it_comes_back(TunnelWorld& world) {
  Pair pair(world);
  CO_ASSERT_TRUE(co_await pair.come_up());
  const std::uint16_t p2p_port = pair.back.node.port();
  co_await world.remove_site(pair.back);
  const TimePoint gone = world.clock.now();
  CO_ASSERT_TRUE(
      co_await world.until([&] { return pair.front.status().state == RuleState::down; }));
  EXPECT_LE(world.clock.now() - gone, 2s) << "the loss of the peer is news to the rule";
  EXPECT_EQ(pair.front.code() / 1000, 2);
  EXPECT_EQ((co_await pair.visit_once()).end, Errc::reset);
  EXPECT_EQ(pair.front.code() / 1000, 2);
  Site& again = world.add_site(2, p2p_port);
  EXPECT_TRUE(again.rules.create(again.ingress(Port(80), pair.service.target())));
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.is_up(); }));
  EXPECT_EQ((co_await pair.visit_once()).answer, "hi there");
}
TEST(Tunnel, to_a_peer_that_is_gone_says_so_until_it_comes_back) {
  test::in_world<TunnelWorld>(to_a_peer_that_is_gone_says_so_until_it_comes_back);
}

awaitable<void> to_a_peer_nobody_knows_is_unreachable(TunnelWorld& world) {
  Site& front = world.add_site(1);
  const Port port = free_port(world.executor());
  EXPECT_TRUE(front.rules.create(front.egress(port, {{test::key_of(99).peer_id(), Port(80)}})));
  EXPECT_EQ(front.code(), 3108) << "a rule is never up before it was seen to work";
  co_await world.pass(1s);
  EXPECT_EQ(front.code(), 2002);
  EXPECT_EQ((co_await world.result_of(visit(port, "x"))).end, Errc::reset);
}
TEST(Tunnel, to_a_peer_nobody_knows_is_unreachable) {
  test::in_world<TunnelWorld>(to_a_peer_nobody_knows_is_unreachable);
}

awaitable<void> breaks_when_the_link_breaks(TunnelWorld& world) {
  Pair pair(world);
  CO_ASSERT_TRUE(co_await pair.come_up());
  auto guest = co_await net::tcp_connect(test::loopback(pair.port.value()));
  CO_ASSERT_TRUE(guest);
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.back.rules.open_tunnels() == 1; }));
  for (const auto& connection : pair.front.node.host.swarm().connections())
    connection->abort(Errc::reset);
  EXPECT_EQ((co_await world.result_of(test::read_to_end(**guest))).end, Errc::reset);
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.back.rules.open_tunnels() == 0; }));
  // A new link is made for the next visitor, or before it.
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.is_up(); }));
  EXPECT_EQ((co_await pair.visit_once()).answer, "hi there");
}
TEST(Tunnel, breaks_when_the_link_breaks) {
  test::in_world<TunnelWorld>(breaks_when_the_link_breaks);
}

awaitable<void> goes_only_to_the_peer_that_the_ingress_rule_names(TunnelWorld& world) {
  Pair pair(world);
  Rule only = pair.back_rule();
  only.from = test::key_of(9).peer_id();
  EXPECT_TRUE(pair.back.rules.create(only));
  EXPECT_TRUE(pair.front.rules.create(pair.front_rule()));
  CO_ASSERT_TRUE(co_await pair.until_front_is(3103));
  only.from = pair.front.id();
  EXPECT_TRUE(pair.back.rules.create(only));
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.is_up(); }));
}
TEST(Tunnel, goes_only_to_the_peer_that_the_ingress_rule_names) {
  test::in_world<TunnelWorld>(goes_only_to_the_peer_that_the_ingress_rule_names);
}

awaitable<void> takes_the_rule_for_its_peer_before_one_for_anybody(TunnelWorld& world) {
  Pair pair(world);
  EchoService& special = world.add_service("special ");
  Rule only = pair.back.ingress(Port(80), special.target());
  only.from = pair.front.id();
  EXPECT_TRUE(pair.back.rules.create(pair.back_rule()));
  EXPECT_TRUE(pair.back.rules.create(only));
  EXPECT_TRUE(pair.back.rules.create(pair.back.ingress(Port(81), pair.service.target())));
  EXPECT_TRUE(pair.front.rules.create(pair.front_rule()));
  CO_ASSERT_TRUE(co_await world.until([&] { return pair.front.is_up(); }));
  EXPECT_EQ((co_await pair.visit_once()).answer, "special there");
}
TEST(Tunnel, takes_the_rule_for_its_peer_before_one_for_anybody) {
  test::in_world<TunnelWorld>(takes_the_rule_for_its_peer_before_one_for_anybody);
}

awaitable<void> serve_once(asio::local::stream_protocol::acceptor& acceptor) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    const std::string words = "from a unix socket";
    (void)co_await asio::async_write(socket, asio::buffer(words),
                                     asio::as_tuple(asio::use_awaitable));
    socket.shutdown(asio::local::stream_protocol::socket::shutdown_send, error);
  }
}

awaitable<void> reaches_a_unix_socket(TunnelWorld& world) {
  Pair pair(world);
  std::string folder = (std::filesystem::temp_directory_path() / "oc-tunnel-XXXXXX").string();
  CO_ASSERT_TRUE(::mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/app.sock";
  EXPECT_TRUE(pair.back.rules.create(pair.back.ingress(Port(80), UnixTarget{path})));
  EXPECT_TRUE(pair.front.rules.create(pair.front_rule()));
  EXPECT_TRUE(co_await pair.until_front_is(3104));
  asio::local::stream_protocol::acceptor acceptor(world.executor(),
                                                  asio::local::stream_protocol::endpoint(path));
  TaskScope service(world.executor());
  service.spawn("unix service", serve_once(acceptor));
  EXPECT_TRUE(co_await world.until([&] { return pair.front.is_up(); }));
  EXPECT_EQ((co_await pair.visit_once()).answer, "from a unix socket");
  co_await service.close();
  std::filesystem::remove_all(folder);
}
TEST(Tunnel, reaches_a_unix_socket) { test::in_world<TunnelWorld>(reaches_a_unix_socket); }

awaitable<void> spreads_visitors_over_its_targets_and_skips_those_that_fail(TunnelWorld& world) {
  Site& front = world.add_site(1);
  Site& left = world.add_site(2);
  Site& right = world.add_site(3);
  EchoService& left_service = world.add_service("left ");
  EchoService& right_service = world.add_service("right ");
  world.introduce(front.node, left.node);
  world.introduce(front.node, right.node);
  EXPECT_TRUE(left.rules.create(left.ingress(Port(80), left_service.target())));
  EXPECT_TRUE(right.rules.create(right.ingress(Port(80), right_service.target())));
  const Port port = free_port(world.executor());
  EXPECT_TRUE(
      front.rules.create(front.egress(port, {{left.id(), Port(80)}, {right.id(), Port(80)}})));
  CO_ASSERT_TRUE(co_await world.until([&] { return front.is_up(); }));
  std::map<std::string, int> answers;
  for (int i = 0; i < 6; ++i) ++answers[(co_await world.result_of(visit(port, "x"))).answer];
  EXPECT_EQ(answers["left x"], 3);
  EXPECT_EQ(answers["right x"], 3);
  co_await left_service.close();
  CO_ASSERT_TRUE(co_await world.until([&] { return front.status().state == RuleState::degraded; }));
  EXPECT_EQ(front.code(), 3104);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ((co_await world.result_of(visit(port, "x"))).answer, "right x");
  // A target that is gone altogether is passed over within one visit, too.
  co_await world.remove_site(left);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ((co_await world.result_of(visit(port, "x"))).answer, "right x");
}
TEST(Tunnel, spreads_visitors_over_its_targets_and_skips_those_that_fail) {
  test::in_world<TunnelWorld>(spreads_visitors_over_its_targets_and_skips_those_that_fail);
}

awaitable<void> come(Port port, int number, int& served) {
  const std::string words = std::string(5000, 'x') + std::to_string(number);
  const Visit seen = co_await visit(port, words);
  EXPECT_EQ(seen.answer, "hi " + words);
  EXPECT_EQ(seen.end, Errc::eof);
  ++served;
}

awaitable<void> serves_two_hundred_visitors_at_once(TunnelWorld& world) {
  Pair pair(world);
  CO_ASSERT_TRUE(co_await pair.come_up());
  TaskScope visitors(world.executor());
  int served = 0;
  for (int i = 0; i < 200; ++i) visitors.spawn("visitor", come(pair.port, i, served));
  EXPECT_TRUE(co_await world.until([&] { return visitors.size() == 0; }));
  EXPECT_EQ(served, 200);
  EXPECT_EQ(pair.front.status().counters.connections, 200u);
  EXPECT_EQ(pair.front.status().counters.failures, 0u);
  co_await visitors.close();
}
TEST(Tunnel, serves_two_hundred_visitors_at_once) {
  test::in_world<TunnelWorld>(serves_two_hundred_visitors_at_once);
}

awaitable<Result<std::optional<Fault>>> answer_to(Site& from, codec::PeerId to, Bytes header) {
  CO_TRY(StreamPtr stream,
         co_await from.node.overlay.open_stream(kHome, std::move(to), kTunnelProtocol));
  CO_CHECK(co_await stream->write(header));
  co_return co_await receive_answer(*stream);
}

awaitable<void> refuses_headers_that_it_does_not_understand(TunnelWorld& world) {
  Pair pair(world);
  CO_ASSERT_TRUE(co_await pair.come_up());
  const Bytes garbage{3, 0xff, 0xff, 0xff};
  const Bytes oversized{0x81, 0x04};
  const Bytes unfinished{10};
  Bytes other_network{2 + 32 + 2, 0x0a, 32};
  other_network.resize(3 + 32, 'n');
  other_network.push_back(0x18);
  other_network.push_back(80);
  auto answer = co_await world.result_of(answer_to(pair.front, pair.back.id(), garbage));
  CO_ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->code, FaultCode::tunnel_malformed);
  answer = co_await world.result_of(answer_to(pair.front, pair.back.id(), oversized));
  CO_ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->code, FaultCode::tunnel_malformed);
  answer = co_await world.result_of(answer_to(pair.front, pair.back.id(), other_network));
  CO_ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->code, FaultCode::peer_not_member);
  const TimePoint start = world.clock.now();
  answer = co_await world.result_of(answer_to(pair.front, pair.back.id(), unfinished));
  CO_ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->code, FaultCode::tunnel_malformed);
  EXPECT_LE(world.clock.now() - start, 11s) << "a header that does not come is not waited for";
  EXPECT_EQ(pair.back.rules.open_tunnels(), 0u);
}
TEST(Tunnel, refuses_headers_that_it_does_not_understand) {
  test::in_world<TunnelWorld>(refuses_headers_that_it_does_not_understand);
}

}  // namespace
}  // namespace oc::tunnel
