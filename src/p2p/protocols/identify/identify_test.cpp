#include "p2p/protocols/identify/identify.hpp"

#include <algorithm>

#include "p2p/identify.pb.h"
#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::close_all;
using test::settle;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

codec::Multiaddr multiaddr(const std::string& text) { return *codec::Multiaddr::parse(text); }

awaitable<void> no_answer(ConnectionPtr, StreamPtr) { co_return; }

struct IdentifyRig : SwarmRig {
  IdentifyRig(Executor executor, std::uint64_t seed)
      : SwarmRig(executor, seed), identify(swarm, clock, options()) {}

  IdentifyOptions options() {
    IdentifyOptions o;
    o.agent_version = "rig";
    o.addresses = [this] { return told; };
    o.record_seq = [] { return std::uint64_t{1}; };
    o.identified = [this](const ConnectionPtr&) { ++identified; };
    return o;
  }
  // What this side knows of the other.
  const PeerInfo& knows(const SwarmRig& other) const {
    static const PeerInfo nothing;
    const auto connection = swarm.connection_to(other.id());
    return connection && connection->info() ? *connection->info() : nothing;
  }
  bool knows_protocol(const SwarmRig& other, const std::string& protocol) const {
    const auto& known = knows(other).protocols;
    return std::ranges::find(known, protocol) != known.end();
  }

  std::vector<codec::Multiaddr> told{multiaddr("/ip4/192.0.2.1/tcp/1")};
  int identified = 0;
  Identify identify;
};

// Lets a round of pushes that is due happen.
awaitable<void> push_round(IdentifyRig& rig, Duration wait = kPushDelay) {
  rig.clock.advance(wait);
  co_await settle();
}

TEST(Identify, both_sides_learn_who_the_other_is) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    for (const auto& [rig, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      const PeerInfo& info = rig->knows(*other);
      EXPECT_EQ(info.agent_version, "rig");
      EXPECT_EQ(info.protocols, other->swarm.protocols());
      EXPECT_EQ(info.listen_addresses, other->told);
      EXPECT_TRUE(info.record_seq);
      EXPECT_EQ(rig->identified, 1);
    }
    EXPECT_EQ(a.knows(b).observed_address, connection->facts().local_address);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Identify, nobody_outside_is_given_an_address_of_loopback) {
  test::run_async([]() -> awaitable<void> {
    IdentifyRig rig(co_await asio::this_coro::executor, 1);
    EXPECT_TRUE(rig.swarm.listen({asio::ip::address_v4::any(), 0}));
    const auto is_loopback = [](const codec::Multiaddr& address) {
      return address.scope() == codec::AddressScope::loopback;
    };
    const auto listened = rig.swarm.listen_addresses();
    const auto possible = rig.identify.possible_addresses();
    EXPECT_GT(std::ranges::count_if(listened, is_loopback), 0);
    EXPECT_EQ(std::ranges::count_if(possible, is_loopback), 0);
    EXPECT_EQ(static_cast<std::ptrdiff_t>(possible.size()),
              std::ranges::count_if(listened, std::not_fn(is_loopback)));
    (void)co_await rig.close();
  });
}

TEST(Identify, the_peer_of_a_connection_dialed_anew_is_not_asked) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1), b(executor, 2);
    auto anew = co_await a.swarm.dial_anew(b.id(), b.addresses().front());
    EXPECT_TRUE(anew);
    if (!anew) co_return;
    co_await settle();
    EXPECT_EQ(a.identified, 0);
    EXPECT_EQ(b.identified, 1) << "but it is answered";
    (*anew)->close();
    anew = Errc::closed;
    co_await close_all(a, b);
  });
}

TEST(Identify, a_peer_that_does_not_speak_it_is_as_usable_as_any) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1);
    SwarmRig b(executor, 2);
    b.swarm.handle("/done", [](ConnectionPtr, StreamPtr stream) -> awaitable<void> {
      (void)co_await stream->close_write();
    });
    auto connection = co_await test::connect(a, b);
    EXPECT_FALSE(connection->info());
    EXPECT_EQ(a.identified, 0);
    auto stream = co_await connection->open_stream("/done");
    FixedBytes<1> byte;
    auto end = co_await (*stream)->read_some(byte);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
    stream = Errc::closed;
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Identify, a_peer_that_never_answers_is_given_up_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1);
    SwarmRig b(executor, 2);
    b.swarm.handle(kIdentifyId, [](ConnectionPtr, StreamPtr stream) -> awaitable<void> {
      const StreamPtr kept = std::move(stream);
      Event never;
      (void)co_await never.wait();
    });
    auto connection = co_await test::connect(a, b);
    EXPECT_EQ(connection->stream_count(), 1u);
    a.clock.advance(kIdentifyTimeout);
    co_await settle();
    EXPECT_EQ(connection->stream_count(), 0u);
    EXPECT_TRUE(connection->alive());
    EXPECT_FALSE(connection->info());
    connection.reset();
    co_await close_all(a, b);
  });
}

// Serves identify with these messages, one behind the other, whatever they are.
void serve_identify(SwarmRig& rig, std::vector<Bytes> messages) {
  rig.swarm.handle(kIdentifyId, [messages = std::move(messages)](ConnectionPtr, StreamPtr stream) {
    return [](StreamPtr mine, std::vector<Bytes> what) -> awaitable<void> {
      for (const Bytes& message : what) {
        if (auto sent = co_await net::write_delimited(*mine, message); !sent) co_return;
      }
      (void)co_await mine->close_write();
    }(std::move(stream), messages);
  });
}

Bytes serialized(const pb::Identify& message) {
  return to_bytes(as_bytes(message.SerializeAsString()));
}

TEST(Identify, an_answer_of_several_messages_is_one_answer) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1);
    SwarmRig b(executor, 2);
    pb::Identify first, second;
    first.set_agent_version("two");
    first.add_protocols("/a");
    second.add_protocols("/b");
    serve_identify(b, {serialized(first), serialized(second)});
    auto connection = co_await test::connect(a, b);
    EXPECT_EQ(a.knows(b).agent_version, "two");
    EXPECT_EQ(a.knows(b).protocols, (std::vector<std::string>{"/a", "/b"}));
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Identify, an_answer_that_breaks_the_rules_is_ignored_whole) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    FakeRandom random(9);
    pb::Identify good, wrong_key;
    good.set_agent_version("liar");
    const Bytes other = crypto::PrivateKey::generate(random).public_key().marshal();
    wrong_key.set_public_key(std::string(as_text(other)));
    const std::vector<std::vector<Bytes>> answers{
        {},
        {Bytes{0xff}},
        {serialized(good), serialized(wrong_key)},
        {serialized(good), Bytes(kMaxIdentifyMessage + 1)},
    };
    std::uint64_t seed = 2;
    for (const auto& answer : answers) {
      IdentifyRig a(executor, 1);
      SwarmRig b(executor, seed++);
      serve_identify(b, answer);
      auto connection = co_await test::connect(a, b);
      EXPECT_TRUE(connection->alive());
      EXPECT_FALSE(connection->info());
      connection.reset();
      co_await close_all(a, b);
    }
  });
}

TEST(Identify, a_new_protocol_is_pushed_to_whoever_is_connected) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1), b(executor, 2);
    (void)co_await test::connect(a, b);
    b.swarm.handle("/new/1", no_answer);
    b.swarm.handle("/new/2", no_answer);
    co_await settle();
    EXPECT_FALSE(a.knows_protocol(b, "/new/1")) << "changes are told together, a little later";
    co_await push_round(b);
    EXPECT_TRUE(a.knows_protocol(b, "/new/1"));
    EXPECT_TRUE(a.knows_protocol(b, "/new/2"));
    EXPECT_EQ(a.identified, 2) << "once for the answer, once for both changes";
    // The other way, and that a handler takes the place of another is no change.
    a.swarm.handle("/new/3", no_answer);
    co_await push_round(a);
    EXPECT_TRUE(b.knows_protocol(a, "/new/3"));
    a.swarm.handle("/new/3", no_answer);
    co_await push_round(a);
    EXPECT_EQ(b.identified, 2);
    co_await close_all(a, b);
  });
}

TEST(Identify, new_addresses_are_pushed_when_somebody_says_that_they_changed) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1), b(executor, 2);
    (void)co_await test::connect(a, b);
    const auto before = a.knows(b).record_seq;
    b.told = {multiaddr("/ip4/192.0.2.7/tcp/7")};
    b.identify.changed();
    co_await push_round(b);
    EXPECT_EQ(a.knows(b).listen_addresses, b.told);
    EXPECT_GT(a.knows(b).record_seq, before);
    b.told = {};
    b.identify.changed();
    co_await push_round(b);
    EXPECT_TRUE(a.knows(b).listen_addresses.empty()) << "the record says that there are none";
    co_await close_all(a, b);
  });
}

TEST(Identify, only_peers_that_say_so_are_pushed_to) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1);
    SwarmRig b(executor, 2);
    int pushes = 0;
    pb::Identify message;
    message.set_agent_version("old");
    serve_identify(b, {serialized(message)});
    b.swarm.handle(kIdentifyPushId, [&pushes](ConnectionPtr, StreamPtr) {
      ++pushes;
      return no_answer({}, {});
    });
    auto connection = co_await test::connect(a, b);
    EXPECT_EQ(a.knows(b).agent_version, "old");
    a.identify.changed();
    co_await push_round(a);
    EXPECT_EQ(pushes, 0);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Identify, a_peer_that_does_not_read_its_push_holds_up_nothing) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1);
    SwarmRig b(executor, 2);
    pb::Identify message;
    message.add_protocols(kIdentifyPushId);
    serve_identify(b, {serialized(message)});
    int pushes = 0;
    b.swarm.handle(kIdentifyPushId, [&pushes](ConnectionPtr, StreamPtr stream) {
      ++pushes;
      return [](StreamPtr mine) -> awaitable<void> {
        Event never;
        (void)co_await never.wait();
        mine.reset();
      }(std::move(stream));
    });
    auto connection = co_await test::connect(a, b);
    for (int round = 1; round <= 3; ++round) {
      a.identify.changed();
      co_await push_round(a);
      EXPECT_EQ(pushes, round);
    }
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Identify, changes_that_never_end_are_pushed_at_a_bounded_rate) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1), b(executor, 2);
    (void)co_await test::connect(a, b);
    for (int i = 0; i < 100; ++i) {
      b.identify.changed();
      a.clock.advance(kPushDelay);
      co_await push_round(b);
    }
    // 25 seconds: the burst, and one every ten seconds since its first.
    EXPECT_EQ(a.identified, 1 + kPushRoundBurst + 2);
    b.told = {multiaddr("/ip4/192.0.2.7/tcp/7")};
    b.identify.changed();
    a.clock.advance(kPushRoundInterval);
    co_await push_round(b, kPushRoundInterval);
    EXPECT_EQ(b.told, a.knows(b).listen_addresses) << "and the last one arrives";
    co_await close_all(a, b);
  });
}

awaitable<Result<void>> push_raw(ConnectionPtr connection, std::string agent) {
  CO_TRY(auto stream, co_await connection->open_stream(kIdentifyPushId));
  pb::Identify message;
  message.set_agent_version(agent);
  CO_CHECK(co_await net::write_delimited(*stream, serialized(message)));
  CO_CHECK(co_await stream->close_write());
  FixedBytes<1> byte;
  auto end = co_await stream->read_some(byte);
  if (end || end.error() != Errc::eof) co_return end ? error_code(Errc::malformed) : end.error();
  co_return success();
}

TEST(Identify, a_push_changes_what_it_says_and_nothing_else) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    EXPECT_TRUE(co_await push_raw(connection, "renamed"));
    co_await settle();
    EXPECT_EQ(b.knows(a).agent_version, "renamed");
    EXPECT_EQ(b.knows(a).protocols, a.swarm.protocols());
    EXPECT_EQ(b.knows(a).listen_addresses, a.told);
    EXPECT_EQ(b.identified, 2);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Identify, a_peer_that_pushes_all_the_time_is_not_listened_to) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1), b(executor, 2), c(executor, 3);
    auto connection = co_await test::connect(a, b);
    auto other = co_await test::connect(c, b);
    for (int i = 0; i < kPushBurst; ++i) {
      EXPECT_TRUE(co_await push_raw(connection, std::to_string(i))) << i;
    }
    auto refused = co_await push_raw(connection, "too much");
    EXPECT_EQ(refused.error(), Errc::reset);
    EXPECT_EQ(b.knows(a).agent_version, std::to_string(kPushBurst - 1));
    EXPECT_TRUE(connection->alive());
    EXPECT_TRUE(co_await push_raw(other, "another")) << "others are";
    b.clock.advance(kPushInterval);
    EXPECT_TRUE(co_await push_raw(connection, "later"));
    connection.reset();
    other.reset();
    (void)co_await c.close();
    co_await close_all(a, b);
  });
}

TEST(Identify, a_push_that_never_ends_is_given_up_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    IdentifyRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_stream(kIdentifyPushId);
    EXPECT_TRUE(co_await (*stream)->write(as_bytes("\x05only")));
    co_await settle();
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 1u);
    b.clock.advance(kIdentifyTimeout);
    co_await settle();
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 0u);
    EXPECT_EQ(b.identified, 1);
    stream = Errc::closed;
    connection.reset();
    co_await close_all(a, b);
  });
}

}  // namespace
}  // namespace oc::p2p
