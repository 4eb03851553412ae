#include "p2p/swarm/dialer.hpp"

#include <algorithm>
#include <map>

#include "net/fake_stream.hpp"
#include "p2p/upgrade/noise.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using codec::Multiaddr;
using test::settle;
namespace errc = boost::system::errc;

constexpr DialOptions kForce{.force = true};
const error_code kRefused = errc::make_error_code(errc::connection_refused);

crypto::PrivateKey key_of(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random);
}

// Public addresses, which start a quarter second apart.
std::string address(int number) { return "/ip4/198.51.100." + std::to_string(number) + "/tcp/1"; }

template <class... Numbers>
std::vector<Multiaddr> addresses(Numbers... numbers) {
  std::vector<Multiaddr> out;
  (out.push_back(*Multiaddr::parse(address(numbers))), ...);
  return out;
}

// A dialer whose addresses answer when the test says.
class DialWorld {
 public:
  explicit DialWorld(Executor executor, Dialable dialable = is_plain_tcp)
      : executor_(executor),
        start_(clock.now()),
        dialer(
            executor, clock, nullptr, std::move(dialable),
            [this](codec::PeerId, Multiaddr to, SourcePort from) {
              ports[to.to_string()] = from;
              return connect(to.to_string());
            },
            log) {}

  test::Operation<ConnectionPtr> dial(std::vector<Multiaddr> to, DialOptions options = {}) {
    return {executor_, dialer.dial(peer, std::move(to), options)};
  }
  awaitable<Result<ConnectionPtr>> result_of(std::vector<Multiaddr> to, DialOptions options = {}) {
    auto dialing = dial(std::move(to), options);
    co_return co_await dialing.result();
  }
  // Lets an attempt end with an error, or with a connection.
  void answer(int number, error_code error) {
    Attempt& attempt = attempts_.at(address(number));
    attempt.error = error;
    attempt.answered.set();
  }
  void answer(int number) { answer(number, error_code()); }
  // From now on attempts end at once.
  void refuse_all() { refuse_all_ = true; }

  awaitable<void> pass(Duration time) {
    clock.advance(time);
    co_await settle();
  }

  // A connection to the peer.
  ConnectionPtr made(std::unique_ptr<net::Stream> stream, const std::string& remote) {
    SecureChannel channel{std::move(stream), key_of(1).public_key(), {}, std::nullopt, kNoiseId};
    Connection::Facts facts;
    facts.peer = peer;
    facts.remote_address = *Multiaddr::parse(remote);
    return std::make_shared<Connection>(std::move(facts), std::move(channel),
                                        ResourceLedger::ConnectionSlot(), clock, 1, executor_,
                                        nullptr);
  }

  // A connection to that address that has ended, the peer having said something or not.
  awaitable<ConnectionPtr> ended(int number, bool spoke) {
    auto [ours, theirs] = net::make_fake_stream_pair();
    FixedBytes<yamux::kHeaderSize> ping;
    yamux::encode_header({yamux::FrameType::ping, yamux::kSyn, 0, 1}, ping.data());
    EXPECT_TRUE(co_await theirs->write(spoke ? BytesView(ping) : BytesView()));
    EXPECT_TRUE(co_await theirs->close_write());
    ConnectionPtr connection = made(std::move(ours), address(number));
    (void)co_await connection->run();
    co_return connection;
  }

  // When an address was last tried, since the world's start; nothing when never.
  std::optional<Duration> tried(int number) const {
    auto found = attempts_.find(address(number));
    if (found == attempts_.end()) return std::nullopt;
    return found->second.at - start_;
  }
  std::size_t running() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        attempts_, [](const auto& entry) { return entry.second.answered.waiting(); }));
  }

  FakeClock clock;
  std::map<std::string, SourcePort> ports;  // where the last attempt of each came from

 private:
  struct Attempt {
    TimePoint at{};
    error_code error;
    Event answered;
  };

  awaitable<Result<ConnectionPtr>> connect(std::string to) {
    Attempt& attempt = attempts_[to];
    attempt.at = clock.now();
    if (refuse_all_) co_return kRefused;
    CO_CHECK(co_await attempt.answered.wait());
    if (attempt.error) co_return attempt.error;
    connections.push_back(made(net::make_fake_stream_pair().first, to));
    co_return connections.back();
  }

  Executor executor_;
  std::map<std::string, Attempt> attempts_;
  TimePoint start_;
  bool refuse_all_ = false;

 public:
  codec::PeerId peer = key_of(1).peer_id();
  std::vector<ConnectionPtr> connections;
  AttemptLog log;
  Dialer dialer;
};

TEST(Dialer, addresses_start_one_after_the_other_until_one_answers) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1, 2, 3));
    co_await settle();
    EXPECT_EQ(world.tried(1), 0ms);
    EXPECT_FALSE(world.tried(2));
    co_await world.pass(249ms);
    EXPECT_FALSE(world.tried(2));
    co_await world.pass(1ms);
    EXPECT_EQ(world.tried(2), 250ms);
    world.answer(2);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(dialed && *dialed == world.connections.at(0));
    EXPECT_EQ(world.running(), 0u) << "the loser is cancelled";
    co_await world.pass(10s);
    EXPECT_FALSE(world.tried(3));
    co_await world.dialer.close();
  });
}

TEST(Dialer, a_peer_that_comes_by_itself_ends_the_dial_to_it) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1, 2));
    co_await settle();
    EXPECT_EQ(world.running(), 1u);
    const ConnectionPtr came = world.made(net::make_fake_stream_pair().first, address(9));
    world.dialer.came(came);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(dialed && *dialed == came);
    EXPECT_EQ(world.running(), 0u);
    world.dialer.came(came);  // nobody is waiting any more
    co_await world.dialer.close();
  });
}

TEST(Dialer, a_peer_with_circuits_is_not_dialed_from_the_listening_port) {
  test::run_async([]() -> awaitable<void> {
    const auto is_dialable = [](const Multiaddr&) { return true; };
    DialWorld world(co_await asio::this_coro::executor, is_dialable);
    auto direct = world.dial(addresses(1));
    co_await settle();
    EXPECT_EQ(world.ports.at(address(1)), SourcePort::listening);
    world.answer(1, kRefused);
    (void)co_await direct.result();
    auto both = addresses(2);
    both.push_back(
        *Multiaddr::parse(address(3) + "/p2p/" + key_of(2).peer_id().to_string() + "/p2p-circuit"));
    auto relayed = world.dial(both);
    co_await settle();
    EXPECT_EQ(world.ports.at(address(2)), SourcePort::any);
    world.answer(2);
    EXPECT_TRUE(co_await relayed.result());
    co_await world.dialer.close();
  });
}

TEST(Dialer, a_failure_lets_the_next_address_start_at_once_and_the_others_keep_their_distance) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1, 2, 3, 4));
    co_await world.pass(10ms);
    world.answer(1, kRefused);
    co_await settle();
    EXPECT_EQ(world.tried(2), 10ms);
    EXPECT_FALSE(world.tried(3));
    co_await world.pass(250ms);
    EXPECT_EQ(world.tried(3), 260ms);
    world.answer(2, kRefused);
    co_await settle();
    EXPECT_EQ(world.tried(4), 260ms);
    world.answer(3, kRefused);
    world.answer(4, errc::make_error_code(errc::host_unreachable));
    auto dialed = co_await dialing.result();
    EXPECT_EQ(dialed.error(), errc::host_unreachable);
    EXPECT_EQ(world.dialer.counters().failed, 1u);
    co_await world.dialer.close();
  });
}

TEST(Dialer, an_address_that_does_not_answer_is_given_up) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1));
    co_await settle();
    co_await world.pass(kDialTimeout - 1ms);
    EXPECT_FALSE(dialing.done());
    co_await world.pass(1ms);
    auto dialed = co_await dialing.result();
    EXPECT_EQ(dialed.error(), Errc::timed_out);
    co_await world.dialer.close();
  });
}

TEST(Dialer, who_asks_for_a_peer_being_dialed_joins_and_brings_new_addresses) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto first = world.dial(addresses(1));
    co_await settle();
    auto second = world.dial(addresses(1, 2));
    co_await settle();
    EXPECT_EQ(world.dialer.counters().dials, 1u);
    EXPECT_EQ(world.tried(1), 0ms) << "an address is dialed once";
    co_await world.pass(250ms);
    EXPECT_EQ(world.tried(2), 250ms);
    world.answer(2);
    auto one = co_await first.result();
    auto two = co_await second.result();
    EXPECT_TRUE(one && two && *one == *two);
    co_await world.dialer.close();
  });
}

TEST(Dialer, a_new_address_need_not_wait_for_those_under_way) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto first = world.dial(addresses(1, 2));
    co_await settle();
    world.answer(1, kRefused);
    co_await settle();
    auto second = world.dial(addresses(3));
    co_await settle();
    EXPECT_EQ(world.running(), 2u);
    world.answer(2, kRefused);
    co_await settle();
    EXPECT_FALSE(first.done()) << "what the other brought may still answer";
    world.answer(3);
    EXPECT_TRUE(co_await first.result());
    EXPECT_TRUE(co_await second.result());
    co_await world.dialer.close();
  });
}

TEST(Dialer, two_answers_in_the_same_moment_leave_one_connection) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1, 2));
    co_await settle();
    co_await world.pass(250ms);
    world.answer(1);
    world.answer(2);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(dialed && (*dialed)->alive());
    const auto alive = std::ranges::count_if(
        world.connections, [](const ConnectionPtr& connection) { return connection->alive(); });
    EXPECT_EQ(alive, 1);
    co_await world.dialer.close();
  });
}

TEST(Dialer, so_many_attempts_run_at_once_and_no_more) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1, 2, 3, 4, 5, 6, 7, 8));
    auto joined = world.dial(addresses(11, 12, 13, 14, 15, 16, 17, 18));
    co_await settle();
    for (int i = 0; i < 20; ++i) co_await world.pass(250ms);
    EXPECT_EQ(world.running(), kMaxAttemptsAtOnce);
    world.answer(1, kRefused);
    co_await settle();
    EXPECT_EQ(world.running(), kMaxAttemptsAtOnce);
    co_await world.dialer.close();
    auto dialed = co_await dialing.result();
    EXPECT_EQ(dialed.error(), Errc::cancelled);
    EXPECT_FALSE(co_await joined.result());
  });
}

TEST(Dialer, what_failed_lately_is_not_dialed_unless_forced) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    world.refuse_all();
    auto dialed = co_await world.result_of(addresses(1, 2));
    EXPECT_EQ(dialed.error(), kRefused);
    co_await world.pass(1s);
    dialed = co_await world.result_of(addresses(1, 2));
    EXPECT_EQ(dialed.error(), P2pErrc::dial_backoff);
    EXPECT_EQ(world.tried(1), 0s);
    EXPECT_EQ(world.dialer.counters().backed_off, 1u);
    dialed = co_await world.result_of(addresses(1, 3));
    EXPECT_EQ(dialed.error(), kRefused) << "the new address may be tried";
    EXPECT_EQ(world.tried(1), 0s);
    EXPECT_EQ(world.tried(3), 1s);
    dialed = co_await world.result_of(addresses(1, 2), kForce);
    EXPECT_EQ(dialed.error(), kRefused);
    EXPECT_EQ(world.tried(1), 1s);
    co_await world.pass(kDialBackoffBase + kDialBackoffFactor);
    dialed = co_await world.result_of(addresses(1, 2));
    EXPECT_EQ(world.tried(1), 7s);
    co_await world.dialer.close();
  });
}

TEST(Dialer, a_peer_that_has_spoken_may_be_dialed_again_at_once) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1, 2));
    co_await settle();
    world.answer(1, kRefused);
    co_await settle();
    world.answer(2);
    EXPECT_TRUE(co_await dialing.result());
    auto early = co_await world.result_of(addresses(1));
    EXPECT_EQ(early.error(), P2pErrc::dial_backoff) << "a handshake is no proof yet";
    const ConnectionPtr connection = co_await world.ended(2, true);
    world.dialer.ended(*connection, Errc::eof);
    auto again = world.dial(addresses(1));
    co_await settle();
    EXPECT_FALSE(again.done());
    world.answer(1);
    EXPECT_TRUE(co_await again.result());
    co_await world.dialer.close();
  });
}

TEST(Dialer, a_peer_that_hangs_up_without_a_word_is_left_alone) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    const ConnectionPtr connection = co_await world.ended(2, false);
    world.dialer.ended(*connection, Errc::closed);
    auto first = world.dial(addresses(2));
    co_await settle();
    EXPECT_FALSE(first.done()) << "that it was we who closed says nothing";
    world.answer(2);
    EXPECT_TRUE(co_await first.result());
    world.dialer.ended(*connection, Errc::eof);
    auto dialed = co_await world.result_of(addresses(2));
    EXPECT_EQ(dialed.error(), P2pErrc::dial_backoff);
    co_await world.dialer.close();
  });
}

TEST(Dialer, attempts_that_lost_the_race_are_no_failures) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1, 2));
    co_await settle();
    co_await world.pass(250ms);
    world.answer(2);
    EXPECT_TRUE(co_await dialing.result());
    auto again = world.dial(addresses(1));
    co_await settle();
    EXPECT_FALSE(again.done()) << "it is dialed, not left alone";
    again.cancel();
    EXPECT_FALSE(co_await again.result());
    co_await world.dialer.close();
  });
}

TEST(Dialer, what_was_tried_and_how_it_ended_is_logged) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto dialing = world.dial(addresses(1, 2, 3));
    co_await settle();
    co_await world.pass(100ms);
    world.answer(1, kRefused);
    co_await settle();
    co_await world.pass(250ms);
    world.answer(3);
    EXPECT_TRUE(co_await dialing.result());
    std::map<std::string, std::pair<error_code, Duration>> ended;
    for (const p2p::Attempt& attempt : world.log.of(world.peer)) {
      EXPECT_EQ(attempt.how, Origin::dialed);
      ended[attempt.address.to_string()] = {attempt.outcome, attempt.took};
    }
    const std::map<std::string, std::pair<error_code, Duration>> expected{
        {address(1), {kRefused, 100ms}},
        {address(2), {Errc::cancelled, 250ms}},
        {address(3), {{}, 0ms}}};
    EXPECT_EQ(ended, expected);
    co_await world.dialer.close();
  });
}

TEST(Dialer, says_why_there_is_nothing_to_dial) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto nothing = co_await world.result_of(addresses());
    EXPECT_EQ(nothing.error(), P2pErrc::no_addresses);
    std::vector<Multiaddr> quic(1, *Multiaddr::parse("/ip4/198.51.100.1/udp/1/quic-v1"));
    auto unsupported = co_await world.result_of(std::move(quic));
    EXPECT_EQ(unsupported.error(), Errc::unsupported);
    co_await world.dialer.close();
  });
}

TEST(Dialer, a_caller_who_gives_up_does_not_end_the_dial_of_the_others) {
  test::run_async([]() -> awaitable<void> {
    DialWorld world(co_await asio::this_coro::executor);
    auto first = world.dial(addresses(1));
    auto second = world.dial(addresses(1));
    co_await settle();
    first.cancel();
    auto given_up = co_await first.result();
    EXPECT_EQ(given_up.error(), Errc::cancelled);
    world.answer(1);
    EXPECT_TRUE(co_await second.result());
    co_await world.dialer.close();
  });
}

TEST(Dialer, closing_ends_a_dial_that_has_not_even_started) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    DialWorld world(executor);
    for (int turns = 0; turns < 6; ++turns) {
      Dialer dialer(
          executor, world.clock, nullptr, is_plain_tcp,
          [](codec::PeerId, Multiaddr, SourcePort) -> awaitable<Result<ConnectionPtr>> {
            Event never;
            CO_CHECK(co_await never.wait());
            co_return ConnectionPtr();
          },
          world.log);
      test::Operation<ConnectionPtr> dialing(executor,
                                             dialer.dial(world.peer, addresses(1, 2), kForce));
      co_await test::turns(turns);
      co_await dialer.close();
      auto dialed = co_await dialing.result();
      EXPECT_FALSE(dialed);
      auto late = co_await dialer.dial(world.peer, addresses(1), kForce);
      EXPECT_EQ(late.error(), Errc::closed);
    }
    co_await world.dialer.close();
  });
}

}  // namespace
}  // namespace oc::p2p
