#include "node/plan.hpp"

#include "crypto/password_hash.hpp"
#include "support/store_fixture.hpp"

namespace oc::node {
namespace {

class PlanTest : public store::test::StoreTest {
 protected:
  // What one start of the program makes of what it is given and what is stored.
  Outcome<Plan> start(NodeConfig config) {
    auto store = open_store();
    auto state = store->load();
    EXPECT_TRUE(state);
    Outcome<Plan> plan = Fault(FaultCode::internal, "it did not end");
    run([&] { return merge(std::move(config), *store, *std::move(state), plan); });
    stored = *store->load();
    return plan;
  }
  Plan plan(NodeConfig config = {}) {
    auto made = start(std::move(config));
    if (!made) throw std::runtime_error(made.error().to_string());
    return *std::move(made);
  }
  // Changes a setting behind the program's back.
  void set(std::string name, std::string value) {
    auto store = open_store();
    run([&] { return put(*store, std::move(name), std::move(value)); });
  }
  std::string setting(const std::string& name) const {
    const auto found = stored.settings.find(name);
    return found == stored.settings.end() ? "" : found->second;
  }

  store::StartState stored;  // after the last start

 private:
  awaitable<void> merge(NodeConfig config, store::Store& store, store::StartState state,
                        Outcome<Plan>& out) {
    WorkerPool hashing(1, 8);
    FakeRandom random(seed_++);
    out = co_await make_plan(std::move(config), store, std::move(state), hashing, random, kNow);
  }
  static awaitable<void> put(store::Store& store, std::string name, std::string value) {
    EXPECT_TRUE(co_await store.settings.put(std::move(name), std::move(value)));
  }

  std::uint64_t seed_ = 1;
};

NetworkCredentials network(std::string name, std::string password) {
  return {std::move(name), std::move(password)};
}

TEST_F(PlanTest, the_first_start_invents_what_it_was_not_given) {
  const Plan first = plan();
  EXPECT_EQ(first.host, "127.0.0.1");
  EXPECT_EQ(first.port, 1984);
  EXPECT_EQ(first.p2p_port, 1985);
  EXPECT_FALSE(first.name.empty());
  EXPECT_TRUE(first.mdns);
  EXPECT_TRUE(first.networks.empty());
  EXPECT_EQ(first.record_seq, 0u);
  EXPECT_TRUE(first.port_mapping);
  EXPECT_EQ(first.root_user, "admin");
  ASSERT_TRUE(first.generated_password);
  EXPECT_EQ(first.generated_password->size(), 20u);
  ASSERT_TRUE(stored.root);
  EXPECT_TRUE(crypto::verify_password(*first.generated_password, stored.root->password_hash));
}

TEST_F(PlanTest, later_starts_need_no_flags) {
  NodeConfig config;
  config.networks = {network("home", "secret")};
  config.root = RootCredentials{"alice", "wonderland"};
  config.host = "0.0.0.0";
  config.port = 8080;
  config.p2p_port = 4001;
  config.name = "nas";
  config.mdns = false;
  config.port_mapping = false;
  config.announce = {*codec::Multiaddr::parse("/ip4/203.0.113.7/tcp/1985")};
  const auto friend_id = codec::PeerId::of_public_key(Bytes(36, 7));
  config.bootstrap = {
      {friend_id, {codec::Multiaddr::parse("/ip4/198.51.100.1/tcp/1985")->with_peer(friend_id)}}};
  const Plan first = plan(config);
  const Plan second = plan();
  for (const Plan* each : {&first, &second}) {
    EXPECT_EQ(each->host, "0.0.0.0");
    EXPECT_EQ(each->port, 8080);
    EXPECT_EQ(each->p2p_port, 4001);
    EXPECT_EQ(each->name, "nas");
    EXPECT_FALSE(each->mdns);
    EXPECT_FALSE(each->port_mapping);
    EXPECT_EQ(each->announce, config.announce);
    EXPECT_EQ(each->bootstrap, config.bootstrap);
    EXPECT_EQ(each->root_user, "alice");
    EXPECT_FALSE(each->generated_password);
    ASSERT_EQ(each->networks.size(), 1u);
    EXPECT_EQ(each->networks[0].name.value(), "home");
    EXPECT_EQ(each->networks[0].id, overlay::network_id(overlay::NetworkName("home")));
    EXPECT_TRUE(crypto::constant_time_equal(each->networks[0].secret.view(),
                                            crypto::derive_network_secret("secret", "home")));
  }
  EXPECT_EQ(first.identity.peer_id(), second.identity.peer_id());
}

TEST_F(PlanTest, what_is_given_wins_and_is_kept) {
  NodeConfig config;
  config.name = "old";
  config.port = 8080;
  config.mdns = false;
  (void)plan(config);
  config.name = "new";
  config.port = std::nullopt;
  config.mdns = true;
  EXPECT_EQ(plan(config).name, "new");
  const Plan third = plan();
  EXPECT_EQ(third.name, "new");
  EXPECT_TRUE(third.mdns);
  EXPECT_EQ(third.port, 8080);
}

TEST_F(PlanTest, stored_values_that_make_no_sense_give_way_to_defaults) {
  (void)plan();
  set("api_port", "a port");
  set("p2p_port", "70000");
  set("record_seq", "-1");
  set("announce", "{");
  set("mdns", "perhaps");
  set("bootstrap", R"([1,"garbage",null])");
  const Plan again = plan();
  EXPECT_EQ(again.port, 1984);
  EXPECT_EQ(again.p2p_port, 1985);
  EXPECT_EQ(again.record_seq, 0u);
  EXPECT_TRUE(again.announce.empty());
  EXPECT_TRUE(again.mdns);
  EXPECT_TRUE(again.bootstrap.empty());
}

TEST_F(PlanTest, a_damaged_key_is_not_replaced_by_another_identity) {
  (void)plan();
  set("private_key", "AAAA");
  const auto again = start({});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, FaultCode::store_unavailable);
  EXPECT_EQ(again.error().message.find("AAAA"), std::string::npos);
}

TEST_F(PlanTest, a_changed_network_password_is_applied) {
  NodeConfig config;
  config.networks = {network("home", "old")};
  (void)plan(config);
  config.networks = {network("home", "new"), network("work", "w")};
  const Plan second = plan(config);
  ASSERT_EQ(second.networks.size(), 2u);
  const auto fresh = crypto::derive_network_secret("new", "home");
  EXPECT_TRUE(crypto::constant_time_equal(second.networks[0].secret.view(), fresh));
  ASSERT_EQ(stored.networks.size(), 2u);
  EXPECT_TRUE(crypto::constant_time_equal(stored.networks[0].secret.view(), fresh));
  EXPECT_EQ(plan().networks.size(), 2u) << "a network that is not named again is not left";
}

TEST_F(PlanTest, a_network_name_that_others_could_not_read_is_refused) {
  NodeConfig config;
  config.networks = {network("a\xff", "p")};
  const auto refused = start(config);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, FaultCode::bad_credentials_format);
}

TEST_F(PlanTest, a_changed_root_password_is_applied_and_an_unchanged_one_left_alone) {
  NodeConfig config;
  config.root = RootCredentials{"alice", "wonderland"};
  (void)plan(config);
  const std::string hash = stored.root->password_hash;
  (void)plan(config);
  EXPECT_EQ(stored.root->password_hash, hash) << "sessions live on";
  config.root->secret = "looking-glass";
  (void)plan(config);
  EXPECT_TRUE(crypto::verify_password("looking-glass", stored.root->password_hash));
  EXPECT_FALSE(crypto::verify_password("wonderland", stored.root->password_hash));
  config.root->user = "bob";
  EXPECT_EQ(plan(config).root_user, "bob");
  EXPECT_EQ(stored.root->name, "bob");
}

TEST_F(PlanTest, a_hash_is_kept_as_it_is_given) {
  NodeConfig config;
  config.root = RootCredentials{"alice", crypto::hash_password("wonderland"), true};
  const Plan made = plan(config);
  EXPECT_FALSE(made.generated_password);
  EXPECT_EQ(stored.root->password_hash, config.root->secret);
}

TEST_F(PlanTest, a_port_that_was_picked_once_is_kept) {
  NodeConfig config;
  config.p2p_port = 0;
  EXPECT_EQ(plan(config).p2p_port, 0);
  set(kSettingP2pPort, "40123");  // as the node does when it listens
  EXPECT_EQ(plan(config).p2p_port, 40123);
  EXPECT_EQ(plan().p2p_port, 40123);
  config.p2p_port = 1985;
  EXPECT_EQ(plan(config).p2p_port, 1985);
}

TEST_F(PlanTest, the_records_sequence_number_goes_on_where_it_was) {
  (void)plan();
  set(kSettingRecordSeq, "1735689600000");
  EXPECT_EQ(plan().record_seq, 1'735'689'600'000u);
}

TEST_F(PlanTest, no_secret_reaches_the_log_or_the_settings) {
  log::configure(log::Level::trace, log::Format::text);
  testing::internal::CaptureStderr();
  NodeConfig config;
  config.networks = {network("home", "network-pass-1")};
  config.root = RootCredentials{"alice", "root-pass-1"};
  (void)plan(config);
  config.networks = {network("home", "network-pass-2")};
  config.root->secret = "root-pass-2";
  (void)plan(config);
  const std::string log = testing::internal::GetCapturedStderr();
  log::configure(log::Level::off, log::Format::text);
  EXPECT_NE(log.find("the password of network home was changed"), std::string::npos) << log;
  EXPECT_NE(log.find("the root credentials were changed"), std::string::npos) << log;
  std::string everything = log;
  for (const auto& [name, value] : stored.settings) everything += name + value;
  for (const char* secret : {"network-pass", "root-pass"}) {
    EXPECT_EQ(everything.find(secret), std::string::npos);
  }
  EXPECT_EQ(log.find(setting("private_key")), std::string::npos);
  EXPECT_EQ(log.find(to_hex(stored.networks[0].secret.view())), std::string::npos);
  EXPECT_EQ(log.find(stored.root->password_hash), std::string::npos);
}

TEST(BootstrapSetting, is_read_back_as_it_was_written) {
  std::vector<overlay::BootstrapPeer> peers;
  for (int i = 1; i <= 3; ++i) {
    const auto id = codec::PeerId::of_public_key(Bytes(36, static_cast<Byte>(i)));
    peers.push_back(
        {id, {codec::Multiaddr::parse("/ip4/192.0.2.1/tcp/" + std::to_string(i))->with_peer(id)}});
  }
  EXPECT_EQ(bootstrap_from_setting(bootstrap_to_setting(peers)), peers);
  EXPECT_TRUE(bootstrap_from_setting(bootstrap_to_setting({})).empty());
  for (const char* garbage : {"", "{}", "null", "[[]]", "[\"x\"]", "[1"}) {
    EXPECT_TRUE(bootstrap_from_setting(garbage).empty()) << garbage;
  }
}

}  // namespace
}  // namespace oc::node
