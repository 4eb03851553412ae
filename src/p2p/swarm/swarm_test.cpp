#include "p2p/swarm/swarm.hpp"

#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using test::close_all;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

constexpr const char* kEcho = "/echo/1.0.0";

awaitable<void> echo(ConnectionPtr, StreamPtr stream) {
  for (;;) {
    auto chain = co_await stream->read_chain();
    if (!chain) break;
    if (!co_await stream->write_chain(*std::move(chain))) co_return;
  }
  (void)co_await stream->close_write();
}

awaitable<Result<std::string>> ask_echo(ConnectionPtr connection, std::string text) {
  CO_TRY(auto stream, co_await connection->open_stream(kEcho));
  CO_CHECK(co_await stream->write(as_bytes(text)));
  std::string answer(text.size(), ' ');
  CO_CHECK(
      co_await net::read_exactly(*stream, {reinterpret_cast<Byte*>(answer.data()), answer.size()}));
  (void)co_await stream->close_write();
  co_return answer;
}

TEST(Swarm, streams_are_served_by_the_handler_of_their_protocol) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kEcho, echo);
    auto connection = co_await test::connect(a, b);
    for (const char* text : {"one", "two"}) {
      auto answer = co_await ask_echo(connection, text);
      EXPECT_TRUE(answer && *answer == text);
    }
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Swarm, observers_hear_of_each_connection_once_and_before_its_streams) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    bool known = false;
    b.swarm.handle(kEcho, [&](ConnectionPtr connection, StreamPtr stream) {
      known = b.connected == 1 && b.swarm.connection_to(connection->peer()) == connection;
      return echo(std::move(connection), std::move(stream));
    });
    // The dialer speaks as soon as it can: its first stream comes right behind the handshake.
    SwarmEvents events;
    events.connected = [](const ConnectionPtr& connection) {
      connection->tasks().spawn("early", [](ConnectionPtr to) -> awaitable<void> {
        EXPECT_TRUE(co_await ask_echo(to, "early"));
      }(connection));
    };
    a.swarm.observe(std::move(events));
    (void)co_await test::connect(a, b);
    EXPECT_TRUE(known);
    co_await close_all(a, b);
    for (const SwarmRig* rig : {&a, &b}) {
      EXPECT_EQ(rig->connected, 1);
      EXPECT_EQ(rig->disconnected, 1);
    }
  });
}

TEST(Swarm, closing_is_quick_though_streams_are_open_and_unread) {
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

TEST(Swarm, closing_is_bounded_though_a_peer_does_not_answer) {
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

TEST(Swarm, closing_is_quick_at_any_moment_of_a_dial_and_handshake) {
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

TEST(Swarm, closing_is_quick_with_a_thousand_streams_in_use) {
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

TEST(Swarm, closing_is_quick_though_the_peer_is_stuck_with_megabytes_under_way) {
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

TEST(Swarm, a_closed_connection_that_its_peer_keeps_from_ending_is_cut) {
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
TEST(Swarm, a_peer_that_reads_nothing_is_cut_though_it_is_there) {
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

TEST(Swarm, a_peer_that_vanishes_ends_the_tasks_of_its_streams) {
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

TEST(Swarm, a_connection_that_is_being_closed_is_not_handed_out) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto first = co_await test::connect(a, b);
    first->close();
    EXPECT_FALSE(first->alive());
    EXPECT_EQ(a.swarm.connection_to(b.id()), nullptr);
    auto second = co_await a.swarm.dial(b.id(), b.addresses());
    EXPECT_TRUE(second && *second != first);
    co_await close_all(a, b);
  });
}

TEST(Swarm, peers_that_dial_each_other_at_once_can_both_speak) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    a.swarm.handle(kEcho, echo);
    b.swarm.handle(kEcho, echo);
    test::Operation<ConnectionPtr> there(executor, a.swarm.dial(b.id(), b.addresses()));
    test::Operation<ConnectionPtr> back(executor, b.swarm.dial(a.id(), a.addresses()));
    auto from_a = co_await there.result();
    auto from_b = co_await back.result();
    EXPECT_TRUE(from_a && from_b);
    co_await test::settle();
    EXPECT_GE(a.swarm.connections_to(b.id()).size(), 1u);
    EXPECT_EQ(a.swarm.connections_to(b.id()).size(), b.swarm.connections_to(a.id()).size());
    EXPECT_TRUE(co_await ask_echo(*from_a, "a"));
    EXPECT_TRUE(co_await ask_echo(*from_b, "b"));
    from_a = Errc::closed;
    from_b = Errc::closed;
    co_await close_all(a, b);
    EXPECT_EQ(a.connected, a.disconnected);
    EXPECT_EQ(b.connected, b.disconnected);
  });
}

TEST(Swarm, one_peer_gets_no_more_than_its_share_of_connections) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig b(executor, 2);
    std::vector<std::unique_ptr<SwarmRig>> same;  // many hosts with one key
    const std::size_t most = ResourceLimits().peer.connections.all;
    for (std::size_t i = 0; i < most + 2; ++i) {
      same.push_back(std::make_unique<SwarmRig>(executor, 1));
      (void)co_await same.back()->swarm.dial(b.id(), b.addresses());
      co_await test::settle();
    }
    EXPECT_EQ(b.swarm.connections_to(same[0]->id()).size(), most);
    EXPECT_EQ(b.connected, static_cast<int>(most));
    EXPECT_TRUE(same.back()->swarm.connections().empty());
    const Refusal refusal{Scope::peer, Resource::connection_in};
    EXPECT_EQ(b.swarm.refusals().at(refusal), 2u);
    for (auto& rig : same) (void)co_await rig->close();
    (void)co_await b.close();
  });
}

TEST(Swarm, visitors_that_do_not_introduce_themselves_are_bounded_in_number_and_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig b(executor, 2), a(executor, 1);
    std::vector<std::unique_ptr<net::SocketStream>> visitors;
    const std::size_t most = ResourceLimits().transient.connections.in;
    for (std::size_t i = 0; i < most + 3; ++i) {
      auto visitor = co_await net::tcp_connect(b.address());
      if (visitor) visitors.push_back(*std::move(visitor));
    }
    co_await test::settle();
    EXPECT_EQ(b.swarm.counters().refused, 3u);
    EXPECT_EQ(b.swarm.counters().accepted, most);
    const Refusal refusal{Scope::transient, Resource::connection_in};
    EXPECT_EQ(b.swarm.refusals().at(refusal), 3u);
    b.clock.advance(kUpgradeTimeout);
    co_await test::settle();
    EXPECT_EQ(b.swarm.counters().upgrades_failed, most);
    EXPECT_EQ(b.swarm.ledger().usage(Scope::transient).connections_in, 0u);
    EXPECT_NE(co_await test::connect(a, b), nullptr) << "there is room again";
    co_await close_all(a, b);
  });
}

TEST(Swarm, a_dial_to_somebody_who_never_answers_ends_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto deaf = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> to{net::to_multiaddr(deaf->local())};
    test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(b.id(), to));
    co_await test::settle();
    EXPECT_FALSE(dialing.done());
    a.clock.advance(kDialTimeout);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(!dialed && dialed.error() == Errc::timed_out);
    EXPECT_EQ(a.swarm.counters().dials_failed, 1u);
    co_await close_all(a, b);
  });
}

TEST(Swarm, a_caller_who_gives_up_does_not_end_the_dial_of_the_others) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    test::Operation<ConnectionPtr> first(executor, a.swarm.dial(b.id(), b.addresses()));
    test::Operation<ConnectionPtr> second(executor, a.swarm.dial(b.id(), b.addresses()));
    first.cancel();
    auto given_up = co_await first.result();
    EXPECT_TRUE(!given_up && given_up.error() == Errc::cancelled);
    EXPECT_TRUE(co_await second.result());
    EXPECT_EQ(a.swarm.counters().dials, 1u);
    co_await close_all(a, b);
  });
}

TEST(Swarm, dials_that_cannot_be_are_refused) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto self = co_await a.swarm.dial(a.id(), a.addresses());
    EXPECT_TRUE(!self && self.error() == P2pErrc::dial_to_self);
    std::vector<codec::Multiaddr> none;
    auto nowhere = co_await a.swarm.dial(b.id(), none);
    EXPECT_TRUE(!nowhere && nowhere.error() == P2pErrc::no_addresses);
    std::vector<codec::Multiaddr> quic{*codec::Multiaddr::parse("/ip4/127.0.0.1/udp/1/quic-v1")};
    auto unsupported = co_await a.swarm.dial(b.id(), quic);
    EXPECT_TRUE(!unsupported && unsupported.error() == Errc::unsupported);
    co_await close_all(a, b);
  });
}

// The address of a rig under a name.
codec::Multiaddr by_name(const char* name, const SwarmRig& rig) {
  const std::string port = std::to_string(rig.swarm.listen_port(false).value());
  return *codec::Multiaddr::parse("/dns4/" + std::string(name) + "/tcp/" + port);
}

void expect_listens_on_all(const Swarm& swarm) {
  for (const codec::Multiaddr& address : swarm.listen_addresses()) {
    const auto at = address.tcp_endpoint();
    EXPECT_TRUE(swarm.listens_on(false, at->port)) << address.to_string();
    EXPECT_FALSE(swarm.listens_on(true, at->port)) << address.to_string();
  }
}

TEST(Swarm, each_port_listened_on_is_known_as_such) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig rig(executor, 1);
    const net::TcpAddress another(asio::ip::address_v4::loopback(), 0);
    EXPECT_TRUE(rig.swarm.listen(another));
    EXPECT_EQ(rig.addresses().size(), 2u);
    expect_listens_on_all(rig.swarm);
    EXPECT_FALSE(rig.swarm.listens_on(false, 1));
    (void)co_await rig.close();
  });
}

TEST(Swarm, a_connection_dialed_anew_stands_beside_the_others_and_is_not_handed_out) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto first = co_await test::connect(a, b);
    auto anew = co_await a.swarm.dial_anew(b.id(), b.addresses().front());
    EXPECT_TRUE(anew);
    if (!anew) co_return;
    EXPECT_TRUE((*anew)->facts().probe);
    EXPECT_NE((*anew)->facts().id, first->facts().id);
    EXPECT_EQ(a.swarm.ledger().usage(Scope::system).connections_out, 2u);
    EXPECT_EQ(a.swarm.connection_to(b.id()), first);
    first->close();
    EXPECT_EQ(a.swarm.connection_to(b.id()), nullptr);
    (*anew)->close();
    anew = Errc::closed;
    first.reset();
    co_await close_all(a, b);
  });
}

TEST(Swarm, a_dial_anew_tries_though_the_address_failed_a_moment_ago) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    const auto dead = *codec::Multiaddr::parse("/ip4/127.0.0.1/tcp/1");
    for (int i = 0; i < 2; ++i) {
      const auto dialed = co_await a.swarm.dial_anew(b.id(), dead);
      EXPECT_TRUE(!dialed && dialed.error() == boost::system::errc::connection_refused);
    }
    const auto to_self = co_await a.swarm.dial_anew(b.id(), a.addresses().front());
    EXPECT_TRUE(!to_self && to_self.error() == P2pErrc::dial_to_self);
    co_await close_all(a, b);
  });
}

TEST(Swarm, a_peer_that_took_itself_for_the_client_too_is_dialed_again_at_once) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1);
    FakeRandom random(2);
    const auto identity = crypto::PrivateKey::generate(random);
    Upgrader other(identity, a.clock, random, {});
    auto wire = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> to{net::to_multiaddr(wire->local())};
    test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(identity.peer_id(), to));
    auto first = co_await wire->accept();
    auto both_clients = co_await other.upgrade(std::move(first->stream), true, a.id());
    EXPECT_FALSE(both_clients);
    auto second = co_await wire->accept();
    EXPECT_TRUE(second);
    auto channel = co_await other.upgrade(std::move(second->stream), false, a.id());
    EXPECT_TRUE(channel);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(dialed);
    dialed = Errc::closed;
    channel = Errc::closed;
    (void)co_await a.close();
  });
}

TEST(Swarm, a_peer_is_dialed_by_its_name) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2), c(executor, 3);
    a.resolver.add_host("b.example", {"127.0.0.1"});
    std::vector<codec::Multiaddr> to{by_name("b.example", b)};
    auto dialed = co_await a.swarm.dial(b.id(), to);
    EXPECT_TRUE(dialed && (*dialed)->peer() == b.id());
    std::vector<codec::Multiaddr> nowhere{by_name("gone.example", b)};
    auto unknown = co_await a.swarm.dial(c.id(), nowhere);
    EXPECT_TRUE(!unknown && unknown.error() == P2pErrc::name_not_resolved);
    const Attempt logged = a.swarm.attempts().of(c.id()).at(0);
    EXPECT_EQ(logged.address, by_name("gone.example", b));
    EXPECT_EQ(logged.outcome, P2pErrc::name_not_resolved);
    dialed = Errc::closed;
    co_await close_all(a, b);
    (void)co_await c.close();
  });
}

TEST(Swarm, a_name_that_is_never_answered_does_not_hold_up_other_addresses) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    a.resolver.silence("b.example");
    std::vector<codec::Multiaddr> to{by_name("b.example", b), b.addresses().front()};
    auto dialed = co_await a.swarm.dial(b.id(), to);
    EXPECT_TRUE(dialed) << "and no time has passed";
    dialed = Errc::closed;
    co_await close_all(a, b);
  });
}

TEST(Swarm, an_address_found_late_is_dialed_while_another_still_hangs) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    a.resolver.add_host("b.example", {"127.0.0.1"});
    auto deaf = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> to{net::to_multiaddr(deaf->local()), by_name("b.example", b)};
    auto dialed = co_await a.swarm.dial(b.id(), to);
    EXPECT_TRUE(dialed);
    dialed = Errc::closed;
    co_await close_all(a, b);
  });
}

TEST(Swarm, a_dial_can_be_ended_while_a_name_is_looked_up) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    a.resolver.silence("b.example");
    std::vector<codec::Multiaddr> to{by_name("b.example", b)};
    test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(b.id(), to));
    co_await test::settle();
    EXPECT_FALSE(dialing.done());
    EXPECT_LE(co_await a.close(), 3s);
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(!dialed && dialed.error() == Errc::cancelled);
    (void)co_await b.close();
  });
}

TEST(Swarm, a_stream_that_never_names_its_protocol_is_reset_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kEcho, echo);
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_stream("/nobody/speaks/this");
    EXPECT_TRUE(stream);
    co_await test::settle();
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 1u);
    b.clock.advance(kNegotiationTimeout);
    co_await test::settle();
    EXPECT_EQ(b.swarm.connection_to(a.id())->stream_count(), 0u);
    EXPECT_TRUE(co_await ask_echo(connection, "still here"));
    stream = Errc::closed;
    co_await close_all(a, b);
  });
}

TEST(Swarm, one_stalled_handshake_does_not_hold_up_others) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto stalled = co_await net::tcp_connect(b.address());
    EXPECT_TRUE(co_await (*stalled)->write(as_bytes("\x13/multi")));
    EXPECT_NE(co_await test::connect(a, b), nullptr);
    co_await close_all(a, b);
  });
}

awaitable<Result<void>> carry(net::Stream& from, net::Stream& to) {
  for (;;) {
    CO_TRY(BufferChain chain, co_await from.read_chain());
    CO_CHECK(co_await to.write_chain(std::move(chain)));
  }
}

TEST(Swarm, when_one_peer_falls_silent_the_others_are_asked_for_a_sign_of_life) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2), c(executor, 3);
    auto wire = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
    std::vector<codec::Multiaddr> through_wire{net::to_multiaddr(wire->local())};
    test::Operation<ConnectionPtr> dialing(executor, a.swarm.dial(b.id(), through_wire));
    auto near = co_await wire->accept();
    auto far = co_await net::tcp_connect(b.address());
    test::Operation<void> there(executor, carry(*near->stream, **far));
    test::Operation<void> back(executor, carry(**far, *near->stream));
    auto to_b = co_await dialing.result();
    EXPECT_TRUE(to_b);
    auto to_c = co_await test::connect(a, c);
    co_await test::settle();
    const auto pass = [&a](Duration time) -> awaitable<void> {
      for (; time > Duration{0}; time -= 1s) {
        a.clock.advance(1s);
        co_await test::settle();
      }
    };
    co_await pass(3 * yamux::kBusyPing);  // the last busy pings are over
    there.cancel();
    back.cancel();
    (void)co_await there.result();
    (void)co_await back.result();
    const std::uint64_t before = to_c->counters().bytes_out;
    (*to_b)->check();
    co_await pass(yamux::kPingConcern);
    EXPECT_GT(to_c->counters().bytes_out, before) << "long before its idle ping";
    co_await pass(yamux::kPingTimeout);
    EXPECT_FALSE((*to_b)->alive());
    EXPECT_TRUE(to_c->alive()) << "it answered";
    to_b = Errc::closed;
    to_c.reset();
    (void)co_await c.close();
    co_await close_all(a, b);
  });
}

TEST(Swarm, a_peer_that_comes_again_has_its_older_connection_looked_at) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    SwarmRig a(executor, 1), b(executor, 2);
    auto older = co_await test::connect(a, b);
    co_await test::settle();
    for (int i = 0; i < 3; ++i) {  // the last busy pings are over
      b.clock.advance(yamux::kBusyPing);
      co_await test::settle();
    }
    const std::uint64_t before = b.swarm.connection_to(a.id())->counters().bytes_out;
    auto again = co_await a.swarm.connect_once(b.id(), b.addresses().front(), Direction::outbound,
                                               Origin::dialed, kDialTimeout);
    EXPECT_TRUE(again);
    co_await test::settle();
    EXPECT_GT(b.swarm.connection_to(a.id())->counters().bytes_out, before);
    again = Errc::closed;
    older.reset();
    co_await close_all(a, b);
  });
}

TEST(SwarmDeathTest, an_exception_out_of_a_handler_is_a_bug_that_ends_the_process) {
  const auto throwing = [] {
    test::run_async([]() -> awaitable<void> {
      auto executor = co_await asio::this_coro::executor;
      SwarmRig a(executor, 1), b(executor, 2);
      b.swarm.handle(kEcho, [](ConnectionPtr, StreamPtr) -> awaitable<void> {
        throw std::runtime_error("a bug of the handler");
        co_return;
      });
      auto connection = co_await test::connect(a, b);
      (void)co_await ask_echo(connection, "x");
    });
  };
  EXPECT_DEATH(throwing(), "a bug of the handler");
}

}  // namespace
}  // namespace oc::p2p
