// How connections end, and a swarm with them.
#include "p2p/swarm/swarm.hpp"

#include "support/echo_protocol.hpp"
#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::close_all;
using test::echo;
using test::kEcho;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

TEST(SwarmEnd, closing_is_quick_though_streams_are_open_and_unread) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kEcho, [](ConnectionPtr, StreamPtr stream) -> awaitable<void> {
      FixedBytes<1> into;
      (void)co_await stream->read_some(into);  // and nothing more, for ever
      Event never;
      (void)co_await never.wait();
    });
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_stream(kEcho);
    test::Operation<void> writing(executor, [](net::Stream& to) -> awaitable<Result<void>> {
      const Bytes much(10'000'000);
      co_return co_await to.write(much);
    }(**stream));
    co_await test::settle();
    EXPECT_FALSE(writing.done());
    EXPECT_LE(co_await a.close(), 3s);
    EXPECT_FALSE(co_await writing.result());
    EXPECT_TRUE(a.swarm.connections().empty());
    stream = Errc::closed;
    EXPECT_LE(co_await b.close(), 3s);
    EXPECT_EQ(b.disconnected, 1);
  });
}

TEST(SwarmEnd, closing_is_bounded_though_a_peer_does_not_answer) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    // A visitor that never says a word, and a dial to somebody who does not either.
    auto silent = co_await net::tcp_connect(b.address());
    auto deaf = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> to{net::to_multiaddr(deaf->local())};
    test::Operation<ConnectionPtr> dialing(executor, b.swarm.dial(a.id(), to));
    co_await test::settle();
    EXPECT_LE(co_await b.close(), 3s);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(!dialed && dialed.error() == Errc::cancelled);
    (void)co_await a.close();
  });
}

TEST(SwarmEnd, closing_is_quick_at_any_moment_of_a_dial_and_handshake) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    for (int turns = 0; turns < 60; ++turns) {
      SwarmRig a(executor, 1), b(executor, 2);
      test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(b.id(), b.addresses()));
      co_await test::turns(turns);
      SwarmRig& first = turns % 2 == 0 ? a : b;
      SwarmRig& second = turns % 2 == 0 ? b : a;
      EXPECT_LE(co_await first.close(), 3s);
      EXPECT_LE(co_await second.close(), 3s);
      (void)co_await dialing.result();
      for (const SwarmRig* rig : {&a, &b}) {
        EXPECT_EQ(rig->connected, rig->disconnected);
        EXPECT_TRUE(rig->swarm.ledger().usage(Scope::system).empty()) << turns;
      }
    }
  });
}

TEST(SwarmEnd, closing_is_quick_with_a_thousand_streams_in_use) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    const StreamLimits many{.all = 1000, .of_peer = 1000};
    b.swarm.handle(kEcho, echo, many);
    auto connection = co_await test::connect(a, b);
    connection->trust();
    b.swarm.connection_to(a.id())->trust();
    std::vector<StreamPtr> streams;
    for (int i = 0; i < 1000; ++i) {
      auto stream = co_await connection->open_stream(kEcho);
      EXPECT_TRUE(stream);
      if (!stream) co_return;
      EXPECT_TRUE(co_await (*stream)->write(as_bytes("x")));
      streams.push_back(*std::move(stream));
    }
    co_await test::settle();
    EXPECT_EQ(b.swarm.ledger().usage(Scope::system).streams_in, 1000u);
    EXPECT_LE(co_await b.close(), 3s);
    streams.clear();
    EXPECT_LE(co_await a.close(), 3s);
    EXPECT_TRUE(b.swarm.ledger().usage(Scope::system).empty());
  });
}

// A wire between two swarms that can be stopped, with everything on it.
class Wire {
 public:
  Wire(Executor executor, net::TcpAddress to)
      : listener_(*net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0})),
        to_(to),
        tasks_(executor) {
    tasks_.spawn("wire", accept());
  }
  std::vector<codec::Multiaddr> addresses() const {
    return std::vector<codec::Multiaddr>(1, net::to_multiaddr(listener_.local()));
  }
  void stop() { stopped_ = true; }
  awaitable<void> close() {
    listener_.close();
    co_await tasks_.close();
  }

 private:
  awaitable<void> accept() {
    auto accepted = co_await listener_.accept();
    auto onward = co_await net::tcp_connect(to_);
    if (!accepted || !onward) co_return;
    near_ = std::move(accepted->stream);
    far_ = *std::move(onward);
    tasks_.spawn("there", pump(*near_, *far_));
    tasks_.spawn("back", pump(*far_, *near_));
  }
  awaitable<void> pump(net::Stream& from, net::Stream& to) {
    for (;;) {
      auto chain = co_await from.read_chain();
      if (!chain) co_return;
      if (stopped_) (void)co_await Event().wait();
      if (auto done = co_await to.write_chain(*std::move(chain)); !done) co_return;
    }
  }

  net::TcpListener listener_;
  net::TcpAddress to_;
  bool stopped_ = false;
  std::unique_ptr<net::Stream> near_, far_;
  TaskScope tasks_;
};

awaitable<Result<void>> send_a_window(ConnectionPtr connection) {
  CO_TRY(auto stream, co_await connection->open_stream(kEcho));
  const Bytes window(256 * 1024);
  co_return co_await stream->write(window);
}

TEST(SwarmEnd, closing_is_quick_though_the_peer_is_stuck_with_megabytes_under_way) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kEcho, echo, {.all = 100, .of_peer = 100});
    Wire wire(executor, b.address());
    auto connection = co_await a.swarm.dial(b.id(), wire.addresses());
    EXPECT_TRUE(connection);
    if (!connection) co_return;
    co_await test::settle();
    wire.stop();
    std::vector<std::unique_ptr<test::Operation<void>>> writing;
    for (int i = 0; i < 100; ++i) {
      writing.push_back(
          std::make_unique<test::Operation<void>>(executor, send_a_window(*connection)));
    }
    co_await test::settle();
    EXPECT_FALSE(writing.back()->done()) << "the kernel has taken all it can";
    EXPECT_LE(co_await a.close(), 3s);
    std::size_t cut = 0;
    for (auto& operation : writing) {
      auto written = co_await operation->result();
      cut += written ? 0 : 1;
    }
    EXPECT_GT(cut, 0u);
    EXPECT_LE(co_await b.close(), 3s);
    co_await wire.close();
    EXPECT_TRUE(a.swarm.connections().empty());
  });
}

TEST(SwarmEnd, a_closed_connection_that_its_peer_keeps_from_ending_is_cut) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    Wire wire(executor, b.address());
    auto connection = co_await a.swarm.dial(b.id(), wire.addresses());
    EXPECT_TRUE(connection);
    if (!connection) co_return;
    co_await test::settle();
    wire.stop();
    std::vector<std::unique_ptr<test::Operation<void>>> writing;
    for (int i = 0; i < 100; ++i) {
      writing.push_back(
          std::make_unique<test::Operation<void>>(executor, send_a_window(*connection)));
    }
    co_await test::settle();
    (*connection)->close();
    a.clock.advance(1s);
    co_await test::settle();
    EXPECT_EQ(a.disconnected, 0) << "its goodbye is behind megabytes that do not get through";
    a.clock.advance(kTrimInterval + kClosingTimeout);
    co_await test::settle();
    EXPECT_EQ(a.disconnected, 1);
    for (auto& operation : writing) (void)co_await operation->result();
    co_await close_all(a, b);
    co_await wire.close();
  });
}

// On the kernel's own time, for it is the kernel that cuts.
TEST(SwarmEnd, a_peer_that_reads_nothing_is_cut_though_it_is_there) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmOptions hasty;
    hasty.user_timeout = 300ms;
    SwarmRig a(executor, 1, hasty), b(executor, 2);
    error_code reason;
    Event gone;
    SwarmEvents events;
    events.disconnected = [&](const ConnectionPtr&, error_code why) {
      reason = why;
      gone.set();
    };
    a.swarm.observe(std::move(events));
    Wire wire(executor, b.address());
    auto connection = co_await a.swarm.dial(b.id(), wire.addresses());
    EXPECT_TRUE(connection);
    if (!connection) co_return;
    co_await test::settle();
    wire.stop();
    std::vector<std::unique_ptr<test::Operation<void>>> writing;
    for (int i = 0; i < 100; ++i) {
      writing.push_back(
          std::make_unique<test::Operation<void>>(executor, send_a_window(*connection)));
    }
    EXPECT_TRUE(co_await gone.wait());
    EXPECT_EQ(reason, Errc::timed_out);
    for (auto& operation : writing) (void)co_await operation->result();
    co_await close_all(a, b);
    co_await wire.close();
  });
}

TEST(SwarmEnd, a_peer_that_vanishes_ends_the_tasks_of_its_streams) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    int serving = 0;
    b.swarm.handle(kEcho, [&serving](ConnectionPtr, StreamPtr stream) {
      return [](StreamPtr mine, int& count) -> awaitable<void> {
        struct Count {
          int& count;
          ~Count() { --count; }
        } counted{++count};
        FixedBytes<1> into;
        while (co_await mine->read_some(into)) continue;
        Event never;
        (void)co_await never.wait();
      }(std::move(stream), serving);
    });
    auto connection = co_await test::connect(a, b);
    std::vector<StreamPtr> streams;
    for (int i = 0; i < 3; ++i) streams.push_back(*co_await connection->open_stream(kEcho));
    co_await test::settle();
    EXPECT_EQ(serving, 3);
    connection->abort(Errc::reset);
    co_await test::settle();
    EXPECT_EQ(serving, 0);
    EXPECT_EQ(a.swarm.connection_to(b.id()), nullptr);
    EXPECT_EQ(b.swarm.connection_to(a.id()), nullptr);
    EXPECT_EQ(a.disconnected, 1);
    EXPECT_EQ(b.disconnected, 1);
    auto late = co_await connection->open_stream(kEcho);
    EXPECT_FALSE(late);
    streams.clear();
    co_await close_all(a, b);
  });
}

}  // namespace
}  // namespace oc::p2p
