#include "node/local_node.hpp"

#include "support/store_fixture.hpp"
#include "support/tunnel_site.hpp"
#include "support/wire_page.hpp"

namespace oc::node {
namespace {

using oc::test::free_port;
using oc::test::key_of;
using oc::test::Site;
using oc::test::TunnelWorld;
using namespace std::chrono_literals;

const codec::PeerId kSelf = key_of(1).peer_id();
const codec::PeerId kPeer = key_of(2).peer_id();

tunnel::Rule rule_of(tunnel::RuleDirection direction) {
  tunnel::Rule rule;
  rule.id = tunnel::RuleId("0123456789abcdef");
  rule.network = overlay::NetworkName("home");
  rule.direction = direction;
  rule.port = Port(8080);
  rule.tags = {"web", "x"};
  rule.created = WallTime(std::chrono::seconds(1'735'689'600));
  return rule;
}

void expect_round_trip(const tunnel::Rule& rule) {
  const store::RuleRow row = to_row(rule, kSelf);
  const auto back = from_row(row, kSelf);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_TRUE(back->same_as(rule));
  EXPECT_EQ(back->id, rule.id);
  EXPECT_EQ(back->enabled, rule.enabled);
  EXPECT_EQ(back->tags, rule.tags);
  EXPECT_EQ(back->created, rule.created);
  EXPECT_EQ(back->expires, rule.expires);
  EXPECT_EQ(to_row(*back, kSelf), row);
}

TEST(RuleRow, brings_an_egress_rule_back) {
  tunnel::Rule rule = rule_of(tunnel::RuleDirection::egress);
  rule.targets = {{kPeer, Port(80)}};
  expect_round_trip(rule);
  rule.targets.push_back({key_of(3).peer_id(), Port(81)});
  rule.bind = "::";
  rule.enabled = false;
  rule.expires = rule.created + 1h;
  expect_round_trip(rule);
}

TEST(RuleRow, brings_an_ingress_rule_back) {
  tunnel::Rule rule = rule_of(tunnel::RuleDirection::ingress);
  const tunnel::LocalTarget targets[] = {
      tunnel::HostTarget{"127.0.0.1", Port(80)}, tunnel::HostTarget{"::1", Port(80)},
      tunnel::HostTarget{"printer.lan", Port(631)}, tunnel::UnixTarget{"/run/app.sock"}};
  for (const auto& to : targets) {
    rule.to = to;
    rule.from.reset();
    expect_round_trip(rule);
    rule.from = kPeer;
    expect_round_trip(rule);
  }
}

TEST(RuleRow, that_makes_no_sense_any_more_is_a_fault) {
  tunnel::Rule rule = rule_of(tunnel::RuleDirection::egress);
  rule.targets = {{kPeer, Port(80)}};
  const store::RuleRow good = to_row(rule, kSelf);
  for (const auto& change : std::vector<std::function<void(store::RuleRow&)>>{
           [](auto& row) { row.direction = "sideways"; }, [](auto& row) { row.kind = "sni"; },
           [](auto& row) { row.origin = "nas:80"; }, [](auto& row) { row.target = ""; },
           [](auto& row) { row.bind = "nowhere"; }, [](auto& row) { row.to = "127.0.0.1:80"; }}) {
    store::RuleRow row = good;
    change(row);
    EXPECT_FALSE(from_row(row, kSelf));
  }
  // Of another node's database.
  EXPECT_FALSE(from_row(good, kPeer));
}

// Nodes as their APIs see them, on one store.
class LocalNodeTest : public store::test::StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    store_ = open_store();
    run([this] { return put_network(*store_); });
  }
  template <class Body>
  void with_world(Body body) {
    oc::test::in_world<TunnelWorld>([&](TunnelWorld& world) { return body(world, *store_); });
  }

 private:
  static awaitable<void> put_network(store::Store& store) {
    store::NetworkRow row{"home", oc::test::network_of("home", "password").secret, kNow};
    EXPECT_TRUE(co_await store.networks.put(std::move(row)));
  }
  std::unique_ptr<store::Store> store_;
};

// The world closes it before the nodes.
LocalNode& local_of(TunnelWorld& world, Site& site, store::Store& store, std::string name) {
  auto local = std::make_shared<LocalNode>(site.node.host, site.node.overlay, site.rules, store,
                                           world.clock, std::move(name));
  world.before_close([local] { return local->tasks().close(); });
  return *local;
}

// Makes a node known as a member without it being there.
void pretend(Site& site, std::uint64_t seed, std::string name, Clock& clock) {
  overlay::NodeRecord record;
  record.peer = key_of(seed).peer_id();
  record.name = std::move(name);
  record.issued = clock.wall_now();
  const auto sealed = overlay::seal_record(key_of(seed), record);
  site.node.overlay.restore(overlay::NetworkName("home"), sealed.envelope, std::nullopt);
}

awaitable<void> tells_who_it_is_and_who_the_others_are(TunnelWorld& world, store::Store& store) {
  Site& site = world.add_site(1);
  Site& other = world.add_site(2);
  LocalNode& local = local_of(world, site, store, "here");
  world.introduce(site.node, other.node);
  CO_ASSERT_TRUE(co_await world.until([&] { return site.node.knows(other.node); }));
  const auto identity = local.identity();
  EXPECT_EQ(identity.peer_id, site.id().to_string());
  EXPECT_EQ(identity.name, "here");
  EXPECT_EQ(identity.networks, std::vector<std::string>{"home"});
  EXPECT_EQ(overlay::decode_bootstrap(identity.bootstrap_string)->id, site.id());
  const auto members = local.members();
  CO_ASSERT_TRUE(members.size() == 2);
  EXPECT_TRUE(members[0].self);
  EXPECT_EQ(members[0].name, "here");
  EXPECT_FALSE(members[1].self);
  EXPECT_TRUE(members[1].online);
  EXPECT_EQ(members[1].name, "node2");
  EXPECT_TRUE(members[1].path.starts_with("direct tcp /ip4/127.0.0.1/tcp/")) << members[1].path;
  const auto pinged = co_await world.result_of(local.ping(other.id().to_string(), 2));
  CO_ASSERT_TRUE(pinged);
  EXPECT_EQ(pinged->round_trips_ms.size(), 2u);
}
TEST_F(LocalNodeTest, tells_who_it_is_and_who_the_others_are) {
  with_world(tells_who_it_is_and_who_the_others_are);
}

awaitable<void> finds_a_peer_by_id_prefix_or_name(TunnelWorld& world, store::Store& store) {
  Site& site = world.add_site(1);
  LocalNode& local = local_of(world, site, store, "here");
  const std::string nas = key_of(2).peer_id().to_string();
  pretend(site, 2, "nas", world.clock);
  pretend(site, 3, "twin", world.clock);
  pretend(site, 4, "twin", world.clock);
  EXPECT_EQ(*local.resolve_peer("nas"), nas);
  EXPECT_EQ(*local.resolve_peer(nas), nas);
  EXPECT_EQ(*local.resolve_peer(nas.substr(0, 20)), nas);
  EXPECT_EQ(*local.resolve_peer(key_of(2).peer_id().to_cid()), nas);
  EXPECT_EQ(*local.resolve_peer("here"), site.id().to_string());
  for (const char* reference : {"twin", "12D3KooW", "", "12", "nobody"}) {
    const auto found = local.resolve_peer(reference);
    CO_ASSERT_TRUE(!found);
    EXPECT_EQ(found.error().code, FaultCode::bad_peer_reference) << reference;
  }
  EXPECT_EQ(local.resolve_peer(key_of(9).peer_id().to_string()).error().code,
            FaultCode::peer_unknown);
  co_return;
}
TEST_F(LocalNodeTest, finds_a_peer_by_id_prefix_or_name) {
  with_world(finds_a_peer_by_id_prefix_or_name);
}

awaitable<void> nobody_passes_for_another_by_calling_itself_by_its_id(TunnelWorld& world,
                                                                      store::Store& store) {
  Site& site = world.add_site(1);
  LocalNode& local = local_of(world, site, store, "here");
  const std::string victim = key_of(2).peer_id().to_string();
  pretend(site, 66, victim, world.clock);
  EXPECT_EQ(local.resolve_peer(victim).error().code, FaultCode::peer_unknown);
  pretend(site, 2, "nas", world.clock);
  EXPECT_EQ(*local.resolve_peer(victim), victim);
  api::RuleRequest request;
  request.direction = "egress";
  request.port = free_port(world.executor()).value();
  request.target = victim + ":80";
  const auto created = co_await world.result_of(local.create_rule(request));
  CO_ASSERT_TRUE(created);
  EXPECT_EQ(created->rule.target, victim + ":80");
}
TEST_F(LocalNodeTest, nobody_passes_for_another_by_calling_itself_by_its_id) {
  with_world(nobody_passes_for_another_by_calling_itself_by_its_id);
}

awaitable<void> rules_are_live_and_stored_until_they_are_deleted(TunnelWorld& world,
                                                                 store::Store& store) {
  Site& site = world.add_site(1);
  LocalNode& local = local_of(world, site, store, "here");
  pretend(site, 2, "nas", world.clock);
  api::RuleRequest request;
  request.direction = "egress";
  request.kind = "tcp";
  request.origin =
      site.id().to_string() + ":" + std::to_string(free_port(world.executor()).value());
  request.target = "nas:80";
  request.tags = {"web"};
  auto created = co_await world.result_of(local.create_rule(request));
  CO_ASSERT_TRUE(created);
  EXPECT_TRUE(created->is_new);
  EXPECT_EQ(created->rule.state, "down");
  EXPECT_EQ(created->rule.target, key_of(2).peer_id().to_string() + ":80");
  EXPECT_EQ(created->rule.bind, "127.0.0.1");
  EXPECT_EQ(created->rule.to, "");
  const std::string id = created->rule.id;
  auto rows = co_await world.result_of(store.rules.list());
  CO_ASSERT_TRUE(rows && rows->size() == 1);
  EXPECT_EQ(rows->front().id, id);
  EXPECT_EQ(rows->front().tags, std::vector<std::string>{"web"});

  created = co_await world.result_of(local.create_rule(request));
  CO_ASSERT_TRUE(created);
  EXPECT_FALSE(created->is_new);
  EXPECT_EQ(created->rule.id, id);
  EXPECT_EQ((co_await world.result_of(store.rules.list()))->size(), 1u);

  const auto disabled = co_await world.result_of(local.enable_rule(id, false));
  CO_ASSERT_TRUE(disabled);
  EXPECT_EQ(disabled->state, "disabled");
  EXPECT_FALSE((co_await world.result_of(store.rules.list()))->front().enabled);
  EXPECT_TRUE(co_await world.result_of(local.delete_rule(id)));
  EXPECT_TRUE(local.rules().empty());
  EXPECT_TRUE((co_await world.result_of(store.rules.list()))->empty());
  EXPECT_EQ((co_await world.result_of(local.delete_rule(id))).error().code,
            FaultCode::rule_not_found);
  EXPECT_EQ((co_await world.result_of(local.enable_rule(id, true))).error().code,
            FaultCode::rule_not_found);
}
TEST_F(LocalNodeTest, rules_are_live_and_stored_until_they_are_deleted) {
  with_world(rules_are_live_and_stored_until_they_are_deleted);
}

awaitable<void> a_rule_that_cannot_be_is_neither_live_nor_stored(TunnelWorld& world,
                                                                 store::Store& store) {
  Site& site = world.add_site(1);
  LocalNode& local = local_of(world, site, store, "here");
  pretend(site, 2, "nas", world.clock);
  auto& service = world.add_service();
  api::RuleRequest request;
  request.direction = "egress";
  request.port = service.port().value();
  request.target = "nas:80";
  EXPECT_EQ((co_await world.result_of(local.create_rule(request))).error().code,
            FaultCode::port_in_use);
  request.target = "nobody:80";
  EXPECT_EQ((co_await world.result_of(local.create_rule(request))).error().code,
            FaultCode::bad_peer_reference);
  EXPECT_TRUE(local.rules().empty());
  EXPECT_TRUE((co_await world.result_of(store.rules.list()))->empty());
}
TEST_F(LocalNodeTest, a_rule_that_cannot_be_is_neither_live_nor_stored) {
  with_world(a_rule_that_cannot_be_is_neither_live_nor_stored);
}

awaitable<void> a_registered_peer_is_kept_and_connected(TunnelWorld& world, store::Store& store) {
  Site& site = world.add_site(1);
  Site& other = world.add_site(2);
  LocalNode& local = local_of(world, site, store, "here");
  const auto registered =
      local.register_peer(overlay::encode_bootstrap(other.node.overlay.own_bootstrap()));
  CO_ASSERT_TRUE(registered);
  EXPECT_EQ(*registered, other.id().to_string());
  CO_ASSERT_TRUE(co_await world.until([&] { return site.node.is_connected_to(other.node); }));
  const auto setting = co_await world.result_of(store.settings.get("bootstrap"));
  CO_ASSERT_TRUE(setting && *setting);
  EXPECT_NE((*setting)->find(overlay::encode_bootstrap(other.node.overlay.own_bootstrap())),
            std::string::npos);
  EXPECT_EQ(local.register_peer(local.identity().bootstrap_string).error().code,
            FaultCode::bad_bootstrap_string);
  EXPECT_EQ(local.register_peer("garbage").error().code, FaultCode::bad_bootstrap_string);
}
TEST_F(LocalNodeTest, a_registered_peer_is_kept_and_connected) {
  with_world(a_registered_peer_is_kept_and_connected);
}

awaitable<void> says_why_a_peer_cannot_be_reached(TunnelWorld& world, store::Store& store) {
  Site& site = world.add_site(1);
  LocalNode& local = local_of(world, site, store, "here");
  pretend(site, 2, "nas", world.clock);
  EXPECT_EQ((co_await world.result_of(local.ping("nas", 1))).error().code,
            FaultCode::peer_unreachable);
  EXPECT_EQ((co_await world.result_of(local.ping("nobody", 1))).error().code,
            FaultCode::bad_peer_reference);
  net::HttpRequest request;
  EXPECT_EQ((co_await world.result_of(local.request("nas", request))).error().code,
            FaultCode::peer_unreachable);
}
TEST_F(LocalNodeTest, says_why_a_peer_cannot_be_reached) {
  with_world(says_why_a_peer_cannot_be_reached);
}

awaitable<void> keep_and_answer(std::unique_ptr<net::Stream> stream, std::string& heard) {
  while (!heard.ends_with("\r\n\r\n")) {
    FixedBytes<1024> bytes;
    const auto n = co_await stream->read_some(bytes);
    if (!n) co_return;
    heard += as_text(BytesView(bytes).first(*n));
  }
  (void)co_await stream->write(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  (void)co_await stream->close_write();
}

awaitable<void> asks_another_node_with_the_bytes_of_the_documentation(TunnelWorld& world,
                                                                      store::Store& store) {
  Site& site = world.add_site(1);
  Site& other = world.add_site(2);
  LocalNode& local = local_of(world, site, store, "here");
  std::string heard;
  other.node.overlay.handle("/http/1.1",
                            [&heard](p2p::ConnectionPtr, std::unique_ptr<net::Stream> stream) {
                              return keep_and_answer(std::move(stream), heard);
                            });
  world.introduce(site.node, other.node);
  CO_ASSERT_TRUE(co_await world.until([&] { return site.node.knows(other.node); }));
  net::HttpRequest request;
  request.method = "GET";
  request.target = "/health";
  const auto answered = co_await world.result_of(local.request("node2", request));
  CO_ASSERT_TRUE(answered);
  EXPECT_EQ(answered->status, 200);
  EXPECT_EQ(answered->body, "ok");
  EXPECT_EQ(heard, oc::test::text_of_page("http.md"));
}
TEST_F(LocalNodeTest, asks_another_node_with_the_bytes_of_the_documentation) {
  with_world(asks_another_node_with_the_bytes_of_the_documentation);
}

}  // namespace
}  // namespace oc::node
