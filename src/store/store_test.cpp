#include "store/store.hpp"

#include "support/store_fixture.hpp"

namespace oc::store {
namespace {

using namespace std::chrono_literals;
using StoreTest = test::StoreTest;

// Texts that have broken stores: quotes, comments, invalid UTF-8 before a quote, NUL, a format.
std::vector<std::string> hostile_texts() {
  return {"o'brien",
          "a\"b",
          "'; DROP TABLE settings; --",
          "\xc0\x27",
          "\xff\xfe",
          std::string("a\0b", 3),
          ":name",
          "$1",
          "%s",
          "",
          " ",
          "\n",
          "ü",
          std::string(100'000, 'x')};
}

NetworkRow network(const std::string& name, Byte fill, WallTime created = {}) {
  FixedBytes<32> secret;
  secret.fill(fill);
  return {name, crypto::Secret<32>(secret), created};
}

MemberRow member(const std::string& peer, std::int64_t seq, Bytes record = {1, 2, 3}) {
  return {peer, "home", std::move(record), seq, std::nullopt, {}};
}

TEST_F(StoreTest, settings_come_back_byte_for_byte) {
  const auto texts = hostile_texts();
  {
    auto store = open_store();
    run([&]() -> awaitable<void> {
      for (const std::string& text : texts) {
        auto put = co_await store->settings.put(text, text);
        EXPECT_TRUE(put);
      }
    });
  }
  auto store = open_store();
  run([&]() -> awaitable<void> {
    for (const std::string& text : texts) {
      auto got = co_await store->settings.get(text);
      EXPECT_TRUE(got && *got == text) << text.substr(0, 40);
    }
    auto all = co_await store->settings.all();
    EXPECT_TRUE(all && all->size() == texts.size());
  });
}

TEST_F(StoreTest, settings_are_replaced_and_erased) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    (void)co_await store->settings.put("name", "one");
    (void)co_await store->settings.put("name", "two");
    auto got = co_await store->settings.get("name");
    EXPECT_EQ(**got, "two");
    auto erased = co_await store->settings.erase("name");
    EXPECT_TRUE(*erased);
    erased = co_await store->settings.erase("name");
    EXPECT_FALSE(*erased);
    got = co_await store->settings.get("name");
    EXPECT_FALSE(*got);
  });
}

TEST_F(StoreTest, networks_keep_their_secret_and_order) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    auto changed = co_await store->networks.put(network("zoo", 1, kNow));
    EXPECT_TRUE(*changed);
    (void)co_await store->networks.put(network("attic", 2, kNow + 1s));
    changed = co_await store->networks.put(network("zoo", 1, kNow + 9s));
    EXPECT_FALSE(*changed) << "the same secret is no change";
    changed = co_await store->networks.put(network("zoo", 3, kNow + 9s));
    EXPECT_TRUE(*changed);
    auto list = co_await store->networks.list();
    EXPECT_EQ(list->size(), 2u);
    EXPECT_EQ(list->front().name, "zoo");
    EXPECT_EQ(list->front().secret.view()[31], 3);
    EXPECT_EQ(list->front().created, kNow);
    auto one = co_await store->networks.get("attic");
    EXPECT_EQ((*one)->secret.view()[0], 2);
    auto removed = co_await store->networks.remove("zoo");
    EXPECT_TRUE(*removed);
    one = co_await store->networks.get("zoo");
    EXPECT_FALSE(*one);
  });
}

TEST_F(StoreTest, only_a_newer_record_replaces_a_members) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    (void)co_await store->networks.put(network("home", 1));
    std::vector<MemberRow> batch = {member("a", 5), member("b", 1, Bytes{0, 255, 0})};
    auto stored = co_await store->members.put_newer(batch);
    EXPECT_EQ(*stored, 2u);
    (void)co_await store->members.touch("a", "home", kNow, "/ip4/192.0.2.1/tcp/1");
    std::vector<MemberRow> older = {member("a", 5, {9}), member("a", 4, {9}), member("b", 2, {7})};
    stored = co_await store->members.put_newer(older);
    EXPECT_EQ(*stored, 1u);
    auto list = co_await store->members.list();
    EXPECT_EQ(list->size(), 2u);
    EXPECT_EQ((*list)[0].record, (Bytes{1, 2, 3}));
    EXPECT_EQ((*list)[0].last_contact, kNow);
    EXPECT_EQ((*list)[1].record, Bytes{7});
    EXPECT_EQ((*list)[1].seq, 2);
    EXPECT_FALSE((*list)[1].last_contact);
  });
}

TEST_F(StoreTest, a_member_of_an_unknown_network_is_refused) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    std::vector<MemberRow> batch = {member("a", 5)};
    auto stored = co_await store->members.put_newer(batch);
    EXPECT_FALSE(stored);
  });
}

TEST_F(StoreTest, the_last_addresses_that_worked_are_kept_within_their_bound) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    (void)co_await store->networks.put(network("home", 1));
    std::vector<MemberRow> batch = {member("a", 1)};
    (void)co_await store->members.put_newer(batch);
    for (int i = 0; i < 20; ++i)
      (void)co_await store->members.touch("a", "home", kNow, "/tcp/" + std::to_string(i));
    (void)co_await store->members.touch("a", "home", kNow, "/tcp/10");
    (void)co_await store->members.touch("a", "home", kNow + 1s, "");
    auto known = co_await store->members.touch("nobody", "home", kNow, "/tcp/1");
    EXPECT_FALSE(*known);
    auto list = co_await store->members.list();
    const auto& addresses = list->front().addresses;
    EXPECT_EQ(addresses.size(), Members::kMaxAddresses);
    EXPECT_EQ(addresses[0], "/tcp/10");
    EXPECT_EQ(addresses[1], "/tcp/19");
    EXPECT_EQ(list->front().last_contact, kNow + 1s);
  });
}

TEST_F(StoreTest, leaving_a_network_forgets_its_members) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    (void)co_await store->networks.put(network("home", 1));
    std::vector<MemberRow> batch = {member("a", 1), member("b", 1)};
    (void)co_await store->members.put_newer(batch);
    auto removed = co_await store->members.remove("b", "home");
    EXPECT_TRUE(*removed);
    (void)co_await store->networks.remove("home");
    auto list = co_await store->members.list();
    EXPECT_TRUE(list && list->empty());
  });
}

RuleRow rule(const std::string& id) {
  RuleRow row;
  row.id = id;
  row.network = "home";
  row.direction = "egress";
  row.kind = "tcp";
  row.origin = "o'rigin";
  row.target = "target:1";
  row.bind = "127.0.0.1";
  row.port = 65535;
  row.to = "unix:/run/x";
  row.key_prefix = "app";
  row.tags = {"web", "a\"b", ""};
  row.expires = WallTime(1234567ms);
  row.created = WallTime(std::chrono::hours(1));
  return row;
}

TEST_F(StoreTest, rules_come_back_as_they_were) {
  const RuleRow first = rule("1");
  {
    auto store = open_store();
    run([&]() -> awaitable<void> {
      (void)co_await store->rules.put(first);
      RuleRow second = rule("2");
      second.created += 1s;
      second.expires.reset();
      (void)co_await store->rules.put(second);
      auto changed = co_await store->rules.set_enabled("2", false);
      EXPECT_TRUE(*changed);
      changed = co_await store->rules.set_enabled("3", false);
      EXPECT_FALSE(*changed);
    });
  }
  auto store = open_store();
  auto state = store->load();
  ASSERT_TRUE(state);
  ASSERT_EQ(state->rules.size(), 2u);
  EXPECT_EQ(state->rules[0], first);
  EXPECT_FALSE(state->rules[1].enabled);
  EXPECT_FALSE(state->rules[1].expires);
  run([&]() -> awaitable<void> {
    RuleRow changed = first;
    changed.target = "other";
    (void)co_await store->rules.put(changed);
    (void)co_await store->rules.remove("2");
    auto list = co_await store->rules.list();
    EXPECT_TRUE(list && list->size() == 1 && list->front() == changed);
  });
}

SessionRow session(Byte fill, const std::string& role, const std::string& user, WallTime created) {
  SessionRow row;
  row.token_hash.fill(fill);
  row.role = role;
  row.user = user;
  row.created = created;
  row.expires = created + 1h;
  row.address = "::1";
  return row;
}

TEST_F(StoreTest, sessions_live_until_they_expire_or_are_ended) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    const SessionRow one = session(1, "admin", "root", kNow);
    (void)co_await store->sessions.open(one);
    auto found = co_await store->sessions.find(one.token_hash, kNow + 59min);
    EXPECT_TRUE(found && *found && (*found)->user == "root" && (*found)->expires == one.expires);
    found = co_await store->sessions.find(one.token_hash, kNow + 1h);
    EXPECT_FALSE(*found);
    auto ended = co_await store->sessions.end(one.token_hash);
    EXPECT_TRUE(*ended);
    found = co_await store->sessions.find(one.token_hash, kNow);
    EXPECT_FALSE(*found);
  });
}

TEST_F(StoreTest, a_user_with_many_sessions_pushes_out_only_his_own) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    (void)co_await store->sessions.open(session(0, "admin", "home", kNow));
    for (int i = 1; i <= Sessions::kMaxPerUser + 3; ++i) {
      (void)co_await store->sessions.open(
          session(static_cast<Byte>(i), "reader", "home", kNow + i * 1s));
    }
    auto list = co_await store->sessions.list(kNow + 2min);
    EXPECT_EQ(list->size(), static_cast<std::size_t>(Sessions::kMaxPerUser) + 1);
    EXPECT_EQ(list->back().role, "admin");
    EXPECT_EQ(list->front().token_hash[0], Sessions::kMaxPerUser + 3);
  });
}

TEST_F(StoreTest, a_changed_password_ends_the_sessions_it_had_opened) {
  auto store = open_store();
  run([&]() -> awaitable<void> {
    const RootUserRow first{"root", "hash1"}, second{"other", "hash2"};
    auto changed = co_await store->users.put_root(first);
    EXPECT_TRUE(*changed);
    (void)co_await store->networks.put(network("home", 1));
    (void)co_await store->sessions.open(session(1, "admin", "root", kNow));
    (void)co_await store->sessions.open(session(2, "reader", "home", kNow));
    changed = co_await store->users.put_root(first);
    EXPECT_FALSE(*changed);
    auto list = co_await store->sessions.list(kNow);
    EXPECT_EQ(list->size(), 2u);
    (void)co_await store->users.put_root(second);
    list = co_await store->sessions.list(kNow);
    EXPECT_TRUE(list->size() == 1 && list->front().role == "reader");
    (void)co_await store->networks.put(network("home", 2));
    list = co_await store->sessions.list(kNow);
    EXPECT_TRUE(list->empty());
    auto root = co_await store->users.root();
    EXPECT_TRUE(*root && (*root)->name == "other");
  });
}

TEST_F(StoreTest, the_audit_log_is_paged_and_bounded) {
  auto store = open_store();
  ASSERT_TRUE(store->database->run_blocking([](soci::session&) { return true; }));
  run([&]() -> awaitable<void> {
    for (int i = 1; i <= 5; ++i) {
      AuditRow row;
      row.when = kNow;
      row.user = "user" + std::to_string(i);
      row.detail = std::string(600, 'x') + "é";
      (void)co_await store->audit.add(row);
    }
    auto page = co_await store->audit.page(1, 2);
    EXPECT_EQ(page->total, 5u);
    EXPECT_EQ(page->rows.size(), 2u);
    EXPECT_EQ(page->rows[0].user, "user4");
    EXPECT_EQ(page->rows[0].id, 4);
    EXPECT_EQ(page->rows[0].detail.size(), AuditLog::kMaxText);
    page = co_await store->audit.page(5, 10);
    EXPECT_TRUE(page->rows.empty());
  });
}

TEST_F(StoreTest, a_new_store_loads_empty) {
  auto store = open_store();
  auto state = store->load();
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->settings.empty() && state->networks.empty() && state->members.empty() &&
              state->rules.empty());
  EXPECT_FALSE(state->root);
}

}  // namespace
}  // namespace oc::store
