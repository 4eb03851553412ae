#include "overlay/sync.hpp"

#include "crypto/signed_envelope.hpp"
#include "overlay/record.pb.h"
#include "overlay/sync.pb.h"
#include "support/overlay_world.hpp"
#include "support/wire_page.hpp"

namespace oc::overlay {
namespace {

using test::key_of;
using test::network_of;
using test::OverlayNode;
using test::World;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<net::Stream>;

const NetworkId kHome = network_of("home", "password").id;

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

NodeRecord record_of(const crypto::PrivateKey& key, const Clock& clock, std::uint64_t seq = 1) {
  NodeRecord record;
  record.peer = key.peer_id();
  record.seq = seq;
  record.name = "fresh";
  record.issued = clock.wall_now();
  return record;
}

template <class Message>
Bytes delimited(const Message& message) {
  const std::string text = message.SerializeAsString();
  Bytes out;
  std::size_t length = text.size();
  for (; length >= 0x80; length >>= 7) out.push_back(static_cast<Byte>(length | 0x80));
  out.push_back(static_cast<Byte>(length));
  append(out, as_bytes(text));
  return out;
}

pb::SyncOpen push_of(const std::vector<Bytes>& records) {
  pb::SyncOpen open;
  open.set_network_id(text_of(kHome));
  open.set_push(true);
  for (const Bytes& record : records) open.add_records(text_of(record));
  return open;
}

// A member that sends what a test tells it to: it joins, but runs nothing of its own.
OverlayNode& add_hostile(World& world, std::uint64_t seed) {
  return world.add({.seed = seed, .networks = {network_of("home", "password")}});
}

awaitable<StreamPtr> open_sync(World& world, OverlayNode& from, OverlayNode& to) {
  EXPECT_TRUE(from.overlay.add_bootstrap(to.overlay.own_bootstrap()));
  auto stream = co_await world.result_of(from.overlay.open_stream(kHome, to.id(), kSyncProtocol));
  EXPECT_TRUE(stream);
  co_return stream ? *std::move(stream) : nullptr;
}

// Sends bytes on a stream of its own, ends its half, and gives what comes back until the end.
awaitable<void> exchange(StreamPtr stream, Bytes bytes, Bytes& answer, error_code& end) {
  (void)co_await stream->write(bytes);
  (void)co_await stream->close_write();
  for (;;) {
    FixedBytes<4096> piece;
    const auto n = co_await stream->read_some(piece);
    if (!n) {
      end = n.error();
      co_return;
    }
    append(answer, BytesView(piece).first(*n));
  }
}

struct Answer {
  Bytes bytes;
  error_code end;
};

awaitable<Answer> ask(World& world, OverlayNode& from, OverlayNode& to, Bytes bytes) {
  Answer answer;
  auto stream = co_await open_sync(world, from, to);
  if (stream == nullptr) co_return answer;
  EXPECT_TRUE(co_await world.finish(
      exchange(std::move(stream), std::move(bytes), answer.bytes, answer.end)));
  co_return answer;
}

awaitable<Answer> push(World& world, OverlayNode& from, OverlayNode& to, Bytes record) {
  std::vector<Bytes> records;
  records.push_back(std::move(record));
  const Bytes bytes = delimited(push_of(records));
  co_return co_await ask(world, from, to, bytes);
}

// Connects, and proves membership.
awaitable<void> meet(World& world, OverlayNode& from, OverlayNode& to) {
  const Bytes bytes = delimited(push_of({}));
  (void)co_await ask(world, from, to, bytes);
}

awaitable<void> records_spread_to_a_third_node(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  OverlayNode& c = world.member(3);
  world.introduce(a, b);
  world.introduce(c, b);
  CO_ASSERT_TRUE(
      co_await world.until([&] { return a.knows(c) && c.knows(a) && b.knows(a) && b.knows(c); }));
  EXPECT_EQ(a.overlay.membership().find_record(c.id())->record.name, "node3");
  CO_ASSERT_TRUE(co_await world.until([&] { return a.is_connected_to(c); }));
}
TEST(Sync, records_spread_to_a_third_node) { test::in_world(records_spread_to_a_third_node); }

awaitable<void> pushed_news_are_passed_on_at_once(World& world) {
  OverlayNode& a = world.member(1);
  OverlayNode& b = world.member(2);
  world.introduce(a, b);
  CO_ASSERT_TRUE(co_await world.until([&] { return a.knows(b) && b.knows(a); }));
  OverlayNode& news = add_hostile(world, 7);
  const auto sealed = seal_record(key_of(8), record_of(key_of(8), world.clock));
  const TimePoint start = world.clock.now();
  co_await push(world, news, a, sealed.envelope);
  const auto peer = key_of(8).peer_id();
  CO_ASSERT_TRUE(
      co_await world.until([&] { return b.overlay.membership().find_record(peer) != nullptr; }));
  EXPECT_LT(world.clock.now() - start, kSyncInterval / 2);
  // The same again is no news, and goes no further.
  const auto before = a.overlay.sync_counters().pushes;
  co_await push(world, news, a, sealed.envelope);
  EXPECT_EQ(a.overlay.sync_counters().pushes, before);
}
TEST(Sync, pushed_news_are_passed_on_at_once) { test::in_world(pushed_news_are_passed_on_at_once); }

// What must change nothing, whoever sends it.
std::map<std::string, Bytes> poisons(World& world, OverlayNode& victim) {
  const auto mallory = key_of(66);
  const auto& clock = world.clock;
  std::map<std::string, Bytes> out;
  const auto raw = [](const crypto::PrivateKey& key, const pb::NodeRecord& message) {
    return crypto::seal_envelope(key, "open-chat-node-record", as_bytes("/open-chat/node-record/1"),
                                 as_bytes(message.SerializeAsString()));
  };
  pb::NodeRecord message;
  message.set_peer_id(text_of(key_of(8).peer_id().bytes()));
  message.set_seq(1u << 30);
  message.set_issued(unix_seconds(clock.wall_now()));
  out["for somebody else"] = raw(mallory, message);
  message.set_peer_id(text_of(victim.id().bytes()));
  out["for the receiver itself"] = raw(mallory, message);
  message.set_peer_id(text_of(mallory.peer_id().bytes()));
  message.set_seq(~std::uint64_t{0});
  out["with the last sequence number there is"] = raw(mallory, message);
  NodeRecord record = record_of(mallory, clock);
  record.issued = WallTime(std::chrono::seconds(4'102'444'800));
  out["of the year 2100"] = seal_record(mallory, record).envelope;
  record.issued = clock.wall_now() + kMaxClockSkew + 60s;
  out["from the near future"] = seal_record(mallory, record).envelope;
  record.issued = clock.wall_now() - kMaxRecordAge - 60s;
  out["too old"] = seal_record(mallory, record).envelope;
  const auto& own = victim.host.swarm().identity();
  out["the receiver's own"] = seal_record(own, record_of(own, clock, kMaxRecordSeq)).envelope;
  out["too large"] = Bytes(kMaxRecordSize + 1, 0x0a);
  out["garbage"] = to_bytes(as_bytes("garbage"));
  out["empty"] = {};
  Bytes forged = seal_record(mallory, record_of(mallory, clock)).envelope;
  forged.back() ^= 1;
  out["forged"] = forged;
  return out;
}

awaitable<void> poisoned_records_change_nothing(World& world) {
  OverlayNode& victim = world.member(1);
  OverlayNode& hostile = add_hostile(world, 7);
  co_await meet(world, hostile, victim);
  const Fingerprint before = victim.overlay.membership().book(kHome).fingerprint();
  for (const auto& [what, record] : poisons(world, victim)) {
    const auto rejected = victim.overlay.sync_counters().records_rejected;
    const Answer answer = co_await push(world, hostile, victim, record);
    EXPECT_EQ(answer.end, Errc::eof) << what;
    EXPECT_EQ(victim.overlay.membership().book(kHome).fingerprint(), before) << what;
    EXPECT_EQ(victim.overlay.sync_counters().records_rejected, rejected + 1) << what;
  }
  EXPECT_TRUE(hostile.is_connected_to(victim));
}
TEST(Sync, poisoned_records_change_nothing) { test::in_world(poisoned_records_change_nothing); }

awaitable<void> an_equal_seq_with_another_body_changes_nothing(World& world) {
  OverlayNode& victim = world.member(1);
  OverlayNode& hostile = add_hostile(world, 7);
  const auto key = key_of(8);
  NodeRecord record = record_of(key, world.clock, 5);
  co_await push(world, hostile, victim, seal_record(key, record).envelope);
  record.name = "other";
  co_await push(world, hostile, victim, seal_record(key, record).envelope);
  record.seq = 4;
  co_await push(world, hostile, victim, seal_record(key, record).envelope);
  EXPECT_EQ(victim.overlay.membership().find_record(key.peer_id())->record.name, "fresh");
  record.seq = 6;
  co_await push(world, hostile, victim, seal_record(key, record).envelope);
  EXPECT_EQ(victim.overlay.membership().find_record(key.peer_id())->record.name, "other");
}
TEST(Sync, an_equal_seq_with_another_body_changes_nothing) {
  test::in_world(an_equal_seq_with_another_body_changes_nothing);
}

pb::SyncOpen offer() {
  pb::SyncOpen open;
  open.set_network_id(text_of(kHome));
  open.set_fingerprint(std::string(32, 'f'));
  return open;
}

awaitable<void> messages_that_break_the_rules_end_their_stream_only(World& world) {
  OverlayNode& victim = world.member(1);
  OverlayNode& hostile = add_hostile(world, 7);
  std::map<std::string, Bytes> attacks;
  attacks["an unknown network"] = [] {
    pb::SyncOpen open;
    open.set_network_id(std::string(32, 'x'));
    return delimited(open);
  }();
  attacks["a short network id"] = [] {
    pb::SyncOpen open;
    open.set_network_id("x");
    return delimited(open);
  }();
  attacks["no protobuf"] = Bytes{3, 0xff, 0xff, 0xff};
  attacks["above the bound"] = Bytes{0x81, 0x80, 0x40};
  attacks["a push of too many"] = delimited(push_of(std::vector<Bytes>(kMaxPushed + 1)));
  Bytes nothing = delimited(offer());
  append(nothing, Bytes{0});
  attacks["an empty message"] = nothing;
  Bytes too_many = delimited(offer());
  pb::SyncRecords records;
  for (int i = 0; i < 5000; ++i) records.add_records("x");
  for (int i = 0; i < 3; ++i) append(too_many, delimited(records));
  attacks["more records than there are members"] = too_many;
  Bytes bad_want = delimited(offer());
  pb::SyncRecords want;
  want.add_want("no peer id");
  want.set_last(true);
  append(bad_want, delimited(want));
  attacks["a wish for what is no peer"] = bad_want;
  for (const auto& [what, bytes] : attacks) {
    const Answer answer = co_await ask(world, hostile, victim, bytes);
    EXPECT_EQ(answer.end, Errc::reset) << what;
    EXPECT_TRUE(hostile.is_connected_to(victim)) << what;
  }
  EXPECT_EQ(victim.overlay.membership().book(kHome).size(), 1u);
}
TEST(Sync, messages_that_break_the_rules_end_their_stream_only) {
  test::in_world(messages_that_break_the_rules_end_their_stream_only);
}

awaitable<void> an_offer_cut_off_anywhere_harms_nothing(World& world) {
  OverlayNode& victim = world.member(1);
  OverlayNode& hostile = add_hostile(world, 7);
  const Bytes whole = delimited(offer());
  for (std::size_t size = 0; size < whole.size(); size += 3) {
    const Answer answer =
        co_await ask(world, hostile, victim, to_bytes(BytesView(whole).first(size)));
    EXPECT_EQ(answer.end, Errc::reset) << size;
  }
  EXPECT_TRUE(hostile.is_connected_to(victim));
}
TEST(Sync, an_offer_cut_off_anywhere_harms_nothing) {
  test::in_world(an_offer_cut_off_anywhere_harms_nothing);
}

awaitable<void> a_record_asked_for_many_times_is_sent_once(World& world) {
  OverlayNode& victim = world.member(1);
  OverlayNode& hostile = add_hostile(world, 7);
  Bytes bytes = delimited(offer());
  pb::SyncRecords records;
  for (int i = 0; i < 10'000; ++i) records.add_want(text_of(victim.id().bytes()));
  records.set_last(true);
  append(bytes, delimited(records));
  const Answer answer = co_await ask(world, hostile, victim, bytes);
  EXPECT_EQ(answer.end, Errc::eof);
  EXPECT_GT(answer.bytes.size(), 100u);
  EXPECT_LT(answer.bytes.size(), 1000u);
}
TEST(Sync, a_record_asked_for_many_times_is_sent_once) {
  test::in_world(a_record_asked_for_many_times_is_sent_once);
}

awaitable<void> equal_books_say_so_and_no_more(World& world) {
  OverlayNode& victim = world.member(1);
  OverlayNode& hostile = add_hostile(world, 7);
  co_await meet(world, hostile, victim);
  pb::SyncOpen open = offer();
  open.set_fingerprint(text_of(victim.overlay.membership().book(kHome).fingerprint()));
  const Answer answer = co_await ask(world, hostile, victim, delimited(open));
  EXPECT_EQ(answer.end, Errc::eof);
  EXPECT_EQ(to_hex(answer.bytes), "020801");
}
TEST(Sync, equal_books_say_so_and_no_more) { test::in_world(equal_books_say_so_and_no_more); }

awaitable<void> a_member_has_a_bounded_number_of_streams_served(World& world) {
  OverlayNode& victim = world.member(1);
  OverlayNode& hostile = add_hostile(world, 7);
  std::vector<StreamPtr> streams;
  for (std::size_t i = 0; i < kSyncLimits.of_peer; ++i) {
    streams.push_back(co_await open_sync(world, hostile, victim));
  }
  const Answer beyond = co_await ask(world, hostile, victim, delimited(offer()));
  EXPECT_EQ(beyond.end, Errc::reset);
  streams.clear();
  co_await world.pass(100ms);
  const Answer again = co_await ask(world, hostile, victim, delimited(push_of({})));
  EXPECT_EQ(again.end, Errc::eof);
}
TEST(Sync, a_member_has_a_bounded_number_of_streams_served) {
  test::in_world(a_member_has_a_bounded_number_of_streams_served);
}

awaitable<void> a_silent_stream_is_given_up(World& world) {
  OverlayNode& victim = world.member(1);
  OverlayNode& hostile = add_hostile(world, 7);
  const auto stream = co_await open_sync(world, hostile, victim);
  bool ended = false;
  TaskScope tasks(world.executor());
  const auto wait = [](net::Stream& on, bool& done) -> awaitable<void> {
    FixedBytes<1> byte;
    EXPECT_EQ((co_await on.read_some(byte)).error(), Errc::reset);
    done = true;
  };
  tasks.spawn("wait", wait(*stream, ended));
  co_await world.pass(kSyncTimeout - 1s, 100ms);
  EXPECT_FALSE(ended);
  co_await world.pass(2s, 100ms);
  EXPECT_TRUE(ended);
  co_await tasks.close();
}
TEST(Sync, a_silent_stream_is_given_up) { test::in_world(a_silent_stream_is_given_up); }

// An answerer that claims to know more members than there can be.
awaitable<void> claim_a_crowd(p2p::ConnectionPtr, StreamPtr stream) {
  (void)co_await net::read_delimited(*stream, kMaxSyncMessage);
  pb::SyncAnswer answer;
  for (std::size_t i = 0; i <= kMaxRecords; ++i) {
    pb::SyncEntry* entry = answer.add_entries();
    entry->set_peer_id(text_of(codec::PeerId::of_public_key(as_bytes(std::to_string(i))).bytes()));
    entry->set_seq(~std::uint64_t{0});
  }
  const Bytes bytes = delimited(answer);
  (void)co_await stream->write(bytes);
  FixedBytes<1> byte;
  (void)co_await stream->read_some(byte);
}

awaitable<void> an_answer_that_claims_too_many_members_is_refused(World& world) {
  OverlayNode& hostile = add_hostile(world, 7);
  hostile.host.swarm().handle(kSyncProtocol, claim_a_crowd);
  OverlayNode& victim = world.member(1);
  world.introduce(victim, hostile);
  CO_ASSERT_TRUE(co_await world.until([&] { return victim.overlay.sync_counters().failed != 0; }));
  EXPECT_TRUE(victim.is_connected_to(hostile));
  EXPECT_EQ(victim.overlay.membership().book(kHome).size(), 1u);
}
TEST(Sync, an_answer_that_claims_too_many_members_is_refused) {
  test::in_world(an_answer_that_claims_too_many_members_is_refused);
}

awaitable<void> a_new_member_learns_of_a_thousand_others(World& world) {
  OverlayNode& old = world.add({.seed = 1, .networks = {network_of("home", "password")}});
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto key = key_of(1000 + i);
    (void)old.overlay.membership().book(kHome).put(seal_record(key, record_of(key, world.clock)));
  }
  OverlayNode& fresh = world.member(2);
  world.introduce(fresh, old);
  auto& book = fresh.overlay.membership().book(kHome);
  CO_ASSERT_TRUE(co_await world.until([&] { return book.size() >= 1001; }));
}
TEST(Sync, a_new_member_learns_of_a_thousand_others) {
  test::in_world(a_new_member_learns_of_a_thousand_others);
}

// An answerer as on the page: it knows one peer. Keeps what the opener says.
struct PageAnswerer {
  pb::SyncAnswer answer;
  std::vector<Bytes> heard;
};

awaitable<void> answer_as_on_the_page(StreamPtr stream, PageAnswerer& page) {
  for (int i = 0; i < 2; ++i) {
    auto message = co_await net::read_delimited(*stream, kMaxSyncMessage);
    if (!message) co_return;
    Bytes framed{static_cast<Byte>(message->size())};
    append(framed, *message);
    page.heard.push_back(framed);
    const Bytes answer = delimited(page.answer);
    if (i == 0) (void)co_await stream->write(answer);
  }
}

awaitable<void> has_the_bytes_of_the_documentation(World& world) {
  PageAnswerer page;
  pb::SyncEntry* entry = page.answer.add_entries();
  const auto peer = crypto::PrivateKey::from_seed(Bytes(32, 0x02)).peer_id();
  entry->set_peer_id(text_of(peer.bytes()));
  entry->set_seq(1'735'689'600'000);
  OverlayNode& answerer = add_hostile(world, 7);
  answerer.host.swarm().handle(kSyncProtocol, [&page](p2p::ConnectionPtr, StreamPtr stream) {
    return answer_as_on_the_page(std::move(stream), page);
  });
  // Not started: it has no record, not even its own.
  OverlayNode& opener = add_hostile(world, 8);
  world.introduce(opener, answerer);
  EXPECT_TRUE(co_await world.result_of(opener.overlay.connect(kHome, answerer.id())));
  CO_ASSERT_TRUE(co_await world.until([&] { return page.heard.size() == 2; }));
  EXPECT_TRUE(test::page_shows("sync.md", page.heard[0])) << to_hex(page.heard[0]);
  EXPECT_TRUE(test::page_shows("sync.md", page.heard[1])) << to_hex(page.heard[1]);
  EXPECT_TRUE(test::page_shows("sync.md", delimited(page.answer)))
      << to_hex(delimited(page.answer));
  SealedRecord known;
  known.record.peer = peer;
  known.record.seq = 1'735'689'600'000;
  RecordBook book;
  (void)book.put(known);
  EXPECT_TRUE(test::page_shows("sync.md", book.fingerprint())) << to_hex(book.fingerprint());
}
TEST(Sync, has_the_bytes_of_the_documentation) {
  test::in_world(has_the_bytes_of_the_documentation);
}

}  // namespace
}  // namespace oc::overlay
