#include "net/tcp.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>

#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::net {
namespace {

const asio::ip::address kLoopback4 = asio::ip::address_v4::loopback();
const asio::ip::address kLoopback6 = asio::ip::address_v6::loopback();

// Connects to a listener; gives both ends.
struct Ends {
  std::unique_ptr<SocketStream> dialed;
  TcpListener::Accepted accepted;
};
awaitable<Result<Ends>> connect_to(TcpListener& listener, DialOptions options = {}) {
  auto executor = co_await asio::this_coro::executor;
  test::Operation<TcpListener::Accepted> accepting(executor, listener.accept());
  CO_TRY(auto dialed, co_await tcp_connect(listener.local(), options));
  CO_TRY(auto accepted, co_await accepting.result());
  co_return Ends{std::move(dialed), std::move(accepted)};
}

TEST(Tcp, both_ends_know_each_others_address) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    for (const auto& ip : {kLoopback4, kLoopback6}) {
      auto listener = TcpListener::open(executor, {ip, 0});
      EXPECT_TRUE(listener) << ip;
      if (!listener) co_return;
      EXPECT_NE(listener->local().port(), 0);
      auto ends = co_await connect_to(*listener);
      EXPECT_TRUE(ends);
      if (!ends) co_return;
      EXPECT_EQ(*remote_address(*ends->dialed), listener->local());
      EXPECT_EQ(*local_address(*ends->dialed), ends->accepted.remote);
      EXPECT_EQ(*remote_address(*ends->accepted.stream), ends->accepted.remote);
    }
  });
}

TEST(Tcp, both_ends_send_at_once_keep_little_unsent_and_notice_a_dead_peer) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto listener = TcpListener::open(executor, {kLoopback4, 0});
    auto ends = co_await connect_to(*listener);
    EXPECT_TRUE(ends);
    if (!ends) co_return;
    for (SocketStream* end : {ends->dialed.get(), ends->accepted.stream.get()}) {
      const auto option = [end](int level, int name) {
        int value = -1;
        socklen_t size = sizeof value;
        EXPECT_EQ(::getsockopt(end->native_handle(), level, name, &value, &size), 0);
        return value;
      };
      EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
      EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
      EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 30);
      EXPECT_EQ(option(IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 * 1024);
    }
  });
}

TEST(Tcp, a_refused_connection_is_an_error) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto listener = TcpListener::open(executor, {kLoopback4, 0});
    const TcpAddress at = listener->local();
    listener->close();
    auto dialed = co_await tcp_connect(at);
    EXPECT_TRUE(!dialed && dialed.error() == boost::system::errc::connection_refused);
  });
}

TEST(Tcp, a_cancelled_dial_ends_with_that_error) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    // A full backlog that nobody accepts from leaves the next dial hanging.
    auto listener = TcpListener::open(executor, {kLoopback4, 0}, {.backlog = 0});
    std::vector<std::unique_ptr<test::Operation<std::unique_ptr<SocketStream>>>> dials;
    while (dials.size() < 8) {
      dials.push_back(std::make_unique<test::Operation<std::unique_ptr<SocketStream>>>(
          executor, tcp_connect(listener->local())));
      co_await test::settle();
    }
    EXPECT_FALSE(dials.back()->done());
    for (auto& dial : dials) dial->cancel();
    auto last = co_await dials.back()->result();
    EXPECT_TRUE(!last && last.error() == Errc::cancelled);
  });
}

TEST(Tcp, a_port_is_listened_on_once) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    for (const bool share : {false, true}) {
      auto first = TcpListener::open(executor, {kLoopback4, 0}, {.share_port = share});
      auto second = TcpListener::open(executor, first->local(), {.share_port = share});
      EXPECT_TRUE(!second && second.error() == boost::system::errc::address_in_use);
      const TcpAddress at = first->local();
      first->close();
      EXPECT_TRUE(TcpListener::open(executor, at, {.share_port = share})) << "free again at once";
    }
  });
}

TEST(Tcp, a_dial_can_come_from_the_port_that_is_listened_on) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto ours = TcpListener::open(executor, {kLoopback4, 0}, {.share_port = true});
    auto theirs = TcpListener::open(executor, {kLoopback4, 0});
    const DialOptions from_ours{.from_port = ours->local().port()};
    auto ends = co_await connect_to(*theirs, from_ours);
    EXPECT_TRUE(ends);
    if (!ends) co_return;
    EXPECT_EQ(ends->accepted.remote.port(), ours->local().port());
    // The same pair of addresses a second time: another port, not a failure.
    auto again = co_await connect_to(*theirs, from_ours);
    EXPECT_TRUE(again);
    EXPECT_TRUE(again && again->accepted.remote.port() != ours->local().port());
    auto inbound = co_await connect_to(*ours);
    EXPECT_TRUE(inbound) << "the listener is not disturbed";
  });
}

TEST(Tcp, a_closed_listener_ends_the_wait_for_a_connection) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto listener = TcpListener::open(executor, {kLoopback4, 0});
    test::Operation<TcpListener::Accepted> accepting(executor, listener->accept());
    co_await test::settle();
    listener->close();
    auto accepted = co_await accepting.result();
    EXPECT_TRUE(!accepted && accepted.error() == Errc::closed);
    auto again = co_await listener->accept();
    EXPECT_TRUE(!again && again.error() == Errc::closed);
  });
}

TEST(Tcp, a_cancelled_accept_leaves_the_listener_whole) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto listener = TcpListener::open(executor, {kLoopback4, 0});
    test::Operation<TcpListener::Accepted> accepting(executor, listener->accept());
    co_await test::settle();
    accepting.cancel();
    auto accepted = co_await accepting.result();
    EXPECT_TRUE(!accepted && accepted.error() == Errc::cancelled);
    EXPECT_TRUE(co_await connect_to(*listener));
  });
}

TEST(Tcp, a_visitor_that_vanished_does_not_end_the_listener) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto listener = TcpListener::open(executor, {kLoopback4, 0});
    auto gone = co_await tcp_connect(listener->local());
    EXPECT_TRUE(gone);
    (*gone)->reset();
    auto stayed = co_await tcp_connect(listener->local());
    for (int i = 0; i < 2; ++i) {
      auto accepted = co_await listener->accept();
      EXPECT_TRUE(accepted);
    }
  });
}

awaitable<Result<void>> write_for_ever(Stream& to) {
  const Bytes much(1'000'000);
  for (;;) CO_CHECK(co_await to.write(much));
}

TEST(Tcp, a_peer_that_never_reads_is_cut_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto listener = TcpListener::open(executor, {kLoopback4, 0});
    auto ends = co_await connect_to(*listener);
    EXPECT_TRUE(ends);
    if (!ends) co_return;
    set_user_timeout(*ends->dialed, std::chrono::milliseconds(300));
    // The other end's kernel answers all the while that its window is shut.
    auto written = co_await write_for_ever(*ends->dialed);
    EXPECT_EQ(written.error(), Errc::timed_out);
  });
}

TEST(Tcp, literals_and_names_resolve) {
  test::run_async([]() -> awaitable<void> {
    auto v4 = co_await resolve("192.0.2.7", 80);
    EXPECT_TRUE(v4 && v4->size() == 1 && to_text(v4->front()) == "192.0.2.7:80");
    auto v6 = co_await resolve("2001:db8::7", 443);
    EXPECT_TRUE(v6 && v6->size() == 1 && to_text(v6->front()) == "[2001:db8::7]:443");
    auto name = co_await resolve("localhost", 8080);
    EXPECT_TRUE(name && !name->empty());
    if (name && !name->empty()) {
      EXPECT_TRUE(name->front().address().is_loopback());
      EXPECT_EQ(name->front().port(), 8080);
    }
  });
}

TEST(Tcp, a_cancelled_look_up_returns_at_once) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    test::Operation<std::vector<TcpAddress>> looking(executor, resolve("localhost", 1));
    looking.cancel();
    auto found = co_await looking.result();
    EXPECT_TRUE(!found && found.error() == Errc::cancelled);
  });
}

TEST(Tcp, multiaddrs_and_addresses_convert_both_ways) {
  for (const char* text :
       {"/ip4/192.0.2.1/tcp/4001", "/ip6/2001:db8::1/tcp/65535", "/ip6/::1/tcp/0"}) {
    const auto multiaddr = codec::Multiaddr::parse(text);
    ASSERT_TRUE(multiaddr);
    const auto address = to_tcp_address(*multiaddr);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_multiaddr(*address).to_string(), text);
  }
  // A dual-stack socket shows IPv4 visitors as mapped addresses.
  const TcpAddress mapped(asio::ip::make_address("::ffff:192.0.2.9"), 5);
  EXPECT_EQ(to_multiaddr(mapped).to_string(), "/ip4/192.0.2.9/tcp/5");
  const auto scope = [](const std::string& zone) {
    const auto link = codec::Multiaddr::parse("/ip6zone/" + zone + "/ip6/fe80::1/tcp/1");
    const auto address = to_tcp_address(*link);
    return address ? address->address().to_v6().scope_id() : 0;
  };
  EXPECT_EQ(scope("lo"), 1u) << "of every namespace the first";
  EXPECT_EQ(scope("7"), 7u);
  EXPECT_EQ(scope("nowhere0"), 0u) << "refused";
  const auto udp = codec::Multiaddr::parse("/ip4/192.0.2.1/udp/4001/quic-v1");
  EXPECT_EQ(to_tcp_address(*udp).error(), Errc::unsupported);
}

TEST(Tcp, interfaces_name_loopback_last) {
  const auto found = interface_addresses();
  ASSERT_FALSE(found.empty());
  EXPECT_TRUE(found.back().is_loopback());
  EXPECT_TRUE(std::is_partitioned(found.begin(), found.end(),
                                  [](const auto& a) { return !a.is_loopback(); }));
}

TEST(Unix, a_stream_socket_is_dialed_by_its_path) {
  char folder[] = "/tmp/oc-unix-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  test::run_async([&path, fd] {
    return [](std::string at, int listener) -> awaitable<void> {
      auto dialed = co_await unix_connect(at);
      EXPECT_TRUE(dialed);
      if (!dialed) co_return;
      const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      SocketStream service(co_await asio::this_coro::executor, accepted);
      EXPECT_TRUE(co_await write_delimited(**dialed, as_bytes("hello")));
      auto message = co_await read_delimited(service, 10);
      EXPECT_TRUE(message && as_text(*message) == "hello");
      auto nobody = co_await unix_connect(at + ".not");
      EXPECT_TRUE(!nobody && nobody.error() == boost::system::errc::no_such_file_or_directory);
      auto too_long = co_await unix_connect(std::string(200, 'x'));
      EXPECT_TRUE(!too_long && too_long.error() == Errc::malformed);
    }(path, fd);
  });
  ::close(fd);
  ::unlink(path.c_str());
  ::rmdir(folder);
}

}  // namespace
}  // namespace oc::net
