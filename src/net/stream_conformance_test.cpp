#include "conformance/stream_conformance.hpp"

#include <sys/socket.h>

#include "net/fake_stream.hpp"
#include "net/preamble_stream.hpp"
#include "net/tcp.hpp"

namespace oc::test {
namespace {

constexpr std::size_t kFakeCapacity = 256 * 1024;
constexpr std::size_t kCrumbsCapacity = 128 * 1024;
// What the kernel may hold for two TCP sockets (its largest automatic buffers, and slack).
constexpr std::size_t kKernelBuffers = 24 * 1024 * 1024;

awaitable<StreamPair> fake_pair() {
  auto [a, b] = net::make_fake_stream_pair();
  co_return StreamPair{nullptr, std::move(a), std::move(b)};
}

awaitable<StreamPair> crumbling_fake_pair() {
  auto [a, b] = net::make_fake_stream_pair({.capacity = kCrumbsCapacity, .largest_read = 97});
  co_return StreamPair{nullptr, std::move(a), std::move(b)};
}

awaitable<StreamPair> tcp_pair() {
  auto executor = co_await asio::this_coro::executor;
  auto listener = net::TcpListener::open(executor, {asio::ip::address_v4::loopback(), 0});
  if (!listener) co_return StreamPair{};
  Operation<net::TcpListener::Accepted> accepting(executor, listener->accept());
  auto dialed = co_await net::tcp_connect(listener->local());
  auto accepted = co_await accepting.result();
  if (!dialed || !accepted) co_return StreamPair{};
  co_return StreamPair{nullptr, *std::move(dialed), std::move(accepted->stream)};
}

awaitable<StreamPair> unix_pair() {
  auto executor = co_await asio::this_coro::executor;
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
    co_return StreamPair{};
  co_return StreamPair{nullptr, std::make_unique<net::SocketStream>(executor, fds[0]),
                       std::make_unique<net::SocketStream>(executor, fds[1])};
}

// Each side has to read three bytes off before its own begin.
awaitable<StreamPair> preamble_pair() {
  auto [a, b] = net::make_fake_stream_pair();
  const FixedBytes<3> preamble{7, 7, 7};
  EXPECT_TRUE(co_await a->write(preamble));
  EXPECT_TRUE(co_await b->write(preamble));
  const net::ReadPreamble read = [](net::Stream& below) -> awaitable<Result<void>> {
    FixedBytes<3> bytes;
    co_return co_await net::read_exactly(below, bytes);
  };
  co_return StreamPair{nullptr, net::with_preamble(std::move(a), read),
                       net::with_preamble(std::move(b), read)};
}

INSTANTIATE_TEST_SUITE_P(
    Net, StreamConformance,
    testing::Values(StreamKind{"fake", fake_pair, kFakeCapacity},
                    StreamKind{"fake_in_crumbs", crumbling_fake_pair, kCrumbsCapacity},
                    StreamKind{"tcp", tcp_pair, kKernelBuffers},
                    StreamKind{"unix_socket", unix_pair, kKernelBuffers, false},
                    StreamKind{"behind_a_preamble", preamble_pair, kFakeCapacity + 3}),
    kind_name);

}  // namespace
}  // namespace oc::test
