#include "p2p/swarm/connection.hpp"

#include "net/fake_stream.hpp"
#include "p2p/upgrade/multistream.hpp"
#include "p2p/upgrade/noise.hpp"
#include "p2p/upgrade/yamux_frame.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using test::settle;

// A connection whose peer is the other end of a fake channel, spoken for by hand-made frames.
struct HandMade {
  HandMade(Executor executor, ResourceLimits limits) : ledger(limits) {
    auto [ours, theirs] = net::make_fake_stream_pair();
    peer = std::move(theirs);
    FakeRandom random(1);
    const auto key = crypto::PrivateKey::generate(random).public_key();
    auto slot = ledger.accept(boost::asio::ip::make_address("127.0.0.1"), clock.now());
    EXPECT_TRUE(slot && slot->identify(key.peer_id()));
    Connection::Facts facts;
    facts.direction = Direction::inbound;
    facts.peer = key.peer_id();
    SecureChannel channel{std::move(ours), key, {}, std::nullopt, kNoiseId};
    connection = std::make_shared<Connection>(
        std::move(facts), std::move(channel), *std::move(slot), clock, 1, executor,
        [this](std::unique_ptr<net::Stream> stream) { incoming.push_back(std::move(stream)); });
    running.emplace(executor, run(connection));
  }

  // Frames of the peer: a bare header, or data with a body.
  awaitable<void> send(yamux::FrameType type, std::uint16_t flags, std::uint32_t stream,
                       std::uint32_t length, std::size_t body = 0) {
    Bytes out(yamux::kHeaderSize);
    yamux::encode_header({type, flags, stream, length}, out.data());
    out.resize(out.size() + body);
    EXPECT_TRUE(co_await peer->write(out));
    co_await settle();
  }
  awaitable<void> send_data(std::uint32_t stream, BytesView body) {
    Bytes out(yamux::kHeaderSize);
    const auto size = static_cast<std::uint32_t>(body.size());
    yamux::encode_header({yamux::FrameType::data, 0, stream, size}, out.data());
    append(out, body);
    EXPECT_TRUE(co_await peer->write(out));
    co_await settle();
  }
  awaitable<void> end() {
    incoming.clear();
    connection->abort(Errc::reset);
    EXPECT_TRUE(co_await running->result());
  }

  FakeClock clock;
  ResourceLedger ledger;
  ConnectionPtr connection;
  std::unique_ptr<net::Stream> peer;
  std::vector<std::unique_ptr<net::Stream>> incoming;

 private:
  static awaitable<Result<void>> run(ConnectionPtr connection) {
    (void)co_await connection->run();
    co_return success();
  }
  std::optional<test::Operation<void>> running;
};

TEST(Connection, takes_no_new_streams_once_its_peer_is_leaving) {
  test::run_async([]() -> awaitable<void> {
    HandMade rig(co_await asio::this_coro::executor, {});
    auto before = co_await rig.connection->open_stream("/a");
    EXPECT_TRUE(before);
    EXPECT_TRUE(rig.connection->alive());
    co_await rig.send(yamux::FrameType::go_away, 0, 0, 0);
    EXPECT_EQ(rig.connection->stream_count(), 1u) << "it has not ended: a stream is open";
    EXPECT_FALSE(rig.connection->alive());
    auto after = co_await rig.connection->open_stream("/a");
    EXPECT_EQ(after.error(), Errc::closed);
    before = Errc::closed;
    co_await rig.end();
  });
}

TEST(Connection, a_trusted_peer_may_open_more_streams) {
  test::run_async([]() -> awaitable<void> {
    ResourceLimits limits;
    limits.untrusted_connection.streams_in = 2;
    limits.connection.streams_in = 4;
    HandMade rig(co_await asio::this_coro::executor, limits);
    std::uint32_t id = 1;
    for (; id <= 9; id += 2) co_await rig.send(yamux::FrameType::window_update, yamux::kSyn, id, 0);
    EXPECT_EQ(rig.incoming.size(), 2u);
    EXPECT_EQ(rig.connection->counters().refused_streams, 3u);
    rig.connection->trust();
    EXPECT_TRUE(rig.connection->trusted());
    for (; id <= 19; id += 2)
      co_await rig.send(yamux::FrameType::window_update, yamux::kSyn, id, 0);
    EXPECT_EQ(rig.incoming.size(), 4u);
    co_await rig.end();
    const Refusal refusal{Scope::connection, Resource::stream_in};
    EXPECT_EQ(rig.ledger.refusals().at(refusal), 6u);
  });
}

TEST(Connection, a_stream_that_sends_more_than_its_peer_may_have_unread_is_reset) {
  test::run_async([]() -> awaitable<void> {
    ResourceLimits limits;
    limits.untrusted_connection.memory = 1000;
    HandMade rig(co_await asio::this_coro::executor, limits);
    co_await rig.send(yamux::FrameType::data, yamux::kSyn, 1, 900, 900);
    co_await rig.send(yamux::FrameType::data, yamux::kSyn, 3, 101, 101);
    EXPECT_EQ(rig.ledger.memory(Scope::untrusted), 900u);
    FixedBytes<1> byte;
    auto read = co_await rig.incoming.at(1)->read_some(byte);
    EXPECT_EQ(read.error(), Errc::reset);
    rig.connection->trust();
    co_await rig.send(yamux::FrameType::data, yamux::kSyn, 5, 10'000, 10'000);
    EXPECT_EQ(rig.ledger.memory(Scope::untrusted), 0u);
    EXPECT_EQ(rig.ledger.memory(Scope::system), 10'900u);
    read = co_await rig.incoming.at(2)->read_some(byte);
    EXPECT_TRUE(read);
    co_await rig.end();
    EXPECT_EQ(rig.ledger.memory(Scope::system), 0u);
  });
}

TEST(Connection, opens_only_so_many_streams) {
  test::run_async([]() -> awaitable<void> {
    ResourceLimits limits;
    limits.untrusted_peer.streams.out = 1;
    HandMade rig(co_await asio::this_coro::executor, limits);
    auto first = co_await rig.connection->open_stream("/a");
    EXPECT_TRUE(first);
    auto second = co_await rig.connection->open_stream("/a");
    EXPECT_EQ(second.error(), P2pErrc::stream_limit);
    first = Errc::closed;
    second = co_await rig.connection->open_stream("/a");
    EXPECT_TRUE(second);
    second = Errc::closed;
    co_await rig.end();
    EXPECT_TRUE(rig.ledger.usage(Scope::system).empty());
  });
}

TEST(Connection, an_agreed_stream_is_there_once_the_peer_took_its_protocol) {
  test::run_async([]() -> awaitable<void> {
    ResourceLimits limits;
    limits.untrusted_peer.streams.out = 1;
    auto executor = co_await asio::this_coro::executor;
    HandMade rig(executor, limits);
    for (const std::string_view answer : {"/a", "na"}) {
      test::Operation<std::unique_ptr<net::Stream>> opening(
          executor, rig.connection->open_agreed_stream("/a"));
      co_await settle();
      EXPECT_FALSE(opening.done());
      auto second = co_await rig.connection->open_agreed_stream("/a");
      EXPECT_EQ(second.error(), P2pErrc::stream_limit);
      Bytes answers = encode_multistream(kMultistreamId);
      append(answers, encode_multistream(answer));
      const std::uint32_t id = answer == "na" ? 4 : 2;
      co_await rig.send_data(id, answers);
      auto opened = co_await opening.result();
      if (answer == "na") {
        EXPECT_EQ(opened.error(), P2pErrc::negotiation_failed);
      } else {
        EXPECT_TRUE(opened);
      }
    }
    co_await rig.end();
    auto late = co_await rig.connection->open_agreed_stream("/a");
    EXPECT_EQ(late.error(), Errc::closed);
  });
}

Connection::Facts facts_of(std::uint64_t id, const std::string& address, bool limited = false) {
  Connection::Facts facts;
  facts.id = ConnectionId(id);
  facts.remote_address = *codec::Multiaddr::parse(address);
  facts.limited = limited;
  return facts;
}

TEST(Connection, new_streams_prefer_near_then_unlimited_then_older_ones) {
  const std::string lan = "/ip4/192.168.0.7/tcp/1";
  const std::string tcp = "/ip4/192.0.2.1/tcp/1";
  const std::string circuit = tcp + "/p2p-circuit";
  const std::vector<Connection::Facts> best_first{
      facts_of(6, lan),          facts_of(7, "/ip6/fe80::1/tcp/1"),
      facts_of(3, tcp),          facts_of(4, tcp),
      facts_of(2, circuit),      facts_of(5, circuit),
      facts_of(1, circuit, true)};
  for (std::size_t i = 0; i < best_first.size(); ++i) {
    for (std::size_t j = 0; j < best_first.size(); ++j) {
      EXPECT_EQ(preferred(best_first[i], best_first[j]), i < j) << i << " " << j;
    }
  }
}

}  // namespace
}  // namespace oc::p2p
