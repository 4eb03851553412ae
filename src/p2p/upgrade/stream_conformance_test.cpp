#include "conformance/stream_conformance.hpp"

#include "net/fake_stream.hpp"
#include "net/tcp.hpp"
#include "p2p/upgrade/multistream.hpp"
#include "p2p/upgrade/noise.hpp"
#include "p2p/upgrade/tls.hpp"
#include "p2p/upgrade/yamux.hpp"

namespace oc::test {
namespace {

using StreamPtr = std::unique_ptr<net::Stream>;
using MakePair = awaitable<StreamPair> (*)();

constexpr std::size_t kFakeCapacity = 256 * 1024;
constexpr std::size_t kKernelBuffers = 24 * 1024 * 1024;
// A yamux stream's window, and what waits in front of it.
constexpr std::size_t kYamuxBuffers = p2p::yamux::kInitialWindow + 64 * 1024;

awaitable<StreamPair> fake_pair() {
  auto [a, b] = net::make_fake_stream_pair({.capacity = kFakeCapacity, .largest_read = 50'001});
  co_return StreamPair{nullptr, std::move(a), std::move(b)};
}

awaitable<StreamPair> crumbling_fake_pair() {
  auto [a, b] = net::make_fake_stream_pair({.capacity = kFakeCapacity, .largest_read = 997});
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

awaitable<Result<StreamPtr>> secure_by_noise(StreamPtr below, bool initiator, std::uint64_t seed) {
  FakeRandom random(seed);
  const auto identity = crypto::PrivateKey::generate(random);
  p2p::SecurityOptions options;
  p2p::NoiseContext context(identity, random);
  CO_TRY(auto channel, co_await context.secure(std::move(below), initiator, std::move(options)));
  co_return std::move(channel.stream);
}

awaitable<Result<StreamPtr>> secure_by_tls(StreamPtr below, bool initiator, std::uint64_t seed) {
  FakeRandom random(seed);
  FakeClock clock;
  const auto identity = crypto::PrivateKey::generate(random);
  p2p::TlsContext context(identity, clock);
  p2p::SecurityOptions options;
  CO_TRY(auto channel, co_await context.secure(std::move(below), initiator, std::move(options)));
  co_return std::move(channel.stream);
}

using Secure = awaitable<Result<StreamPtr>> (*)(StreamPtr, bool, std::uint64_t);

template <Secure secure, MakePair below>
awaitable<StreamPair> secured_pair() {
  auto executor = co_await asio::this_coro::executor;
  StreamPair raw = co_await below();
  Operation<StreamPtr> responding(executor, secure(std::move(raw.b), false, 2));
  auto a = co_await secure(std::move(raw.a), true, 1);
  auto b = co_await responding.result();
  if (!a || !b) co_return StreamPair{};
  co_return StreamPair{nullptr, *std::move(a), *std::move(b)};
}

template <MakePair below>
awaitable<StreamPair> noise_pair() {
  return secured_pair<secure_by_noise, below>();
}
template <MakePair below>
awaitable<StreamPair> tls_pair() {
  return secured_pair<secure_by_tls, below>();
}

// Two yamux connections over a pair of channels.
class YamuxWorld final : public StreamWorld {
 public:
  YamuxWorld(Executor executor, StreamPair channels)
      : client_(std::move(channels.a), p2p::yamux::Role::client, clock_, 1, [](StreamPtr) {}),
        server_(std::move(channels.b), p2p::yamux::Role::server, clock_, 2,
                [this](StreamPtr stream) {
                  incoming_.push_back(std::move(stream));
                  arrived_.set();
                }),
        tasks_(executor) {
    tasks_.spawn("client", run(client_));
    tasks_.spawn("server", run(server_));
  }

  p2p::yamux::Connection& client() { return client_; }

  awaitable<StreamPtr> incoming() {
    while (incoming_.empty()) (void)co_await arrived_.wait();
    StreamPtr stream = std::move(incoming_.back());
    incoming_.pop_back();
    co_return stream;
  }

  awaitable<void> close() override {
    incoming_.clear();
    co_await tasks_.close();
  }

 private:
  static awaitable<void> run(p2p::yamux::Connection& connection) {
    (void)co_await connection.run();
  }

  FakeClock clock_;
  std::vector<StreamPtr> incoming_;
  Event arrived_;
  p2p::yamux::Connection client_;
  p2p::yamux::Connection server_;
  TaskScope tasks_;
};

template <MakePair below>
awaitable<StreamPair> yamux_pair() {
  auto world = std::make_unique<YamuxWorld>(co_await asio::this_coro::executor, co_await below());
  auto a = co_await world->client().open_stream();
  if (!a) co_return StreamPair{};
  // The stream shows at the other end with its first frame.
  FixedBytes<1> byte{1};
  EXPECT_TRUE(co_await (*a)->write(byte));
  StreamPtr b = co_await world->incoming();
  EXPECT_TRUE(co_await net::read_exactly(*b, byte));
  co_return StreamPair{std::move(world), *std::move(a), std::move(b)};
}

template <MakePair below>
awaitable<StreamPair> lazy_pair() {
  auto world = std::make_unique<YamuxWorld>(co_await asio::this_coro::executor, co_await below());
  auto opened = co_await world->client().open_stream();
  if (!opened) co_return StreamPair{};
  auto a = co_await p2p::select_lazily(*std::move(opened), "/test/1.0.0");
  StreamPtr b = co_await world->incoming();
  auto agreed =
      co_await p2p::select_as_listener(*b, [](std::string_view p) { return p == "/test/1.0.0"; });
  if (!a || !agreed) co_return StreamPair{};
  co_return StreamPair{std::move(world), *std::move(a), std::move(b)};
}

INSTANTIATE_TEST_SUITE_P(
    Upgrade, StreamConformance,
    testing::Values(
        StreamKind{"noise", noise_pair<fake_pair>, kFakeCapacity},
        StreamKind{"noise_in_crumbs", noise_pair<crumbling_fake_pair>, kFakeCapacity},
        StreamKind{"noise_over_tcp", noise_pair<tcp_pair>, kKernelBuffers},
        StreamKind{"tls", tls_pair<fake_pair>, kFakeCapacity},
        StreamKind{"tls_in_crumbs", tls_pair<crumbling_fake_pair>, kFakeCapacity},
        StreamKind{"tls_over_tcp", tls_pair<tcp_pair>, kKernelBuffers},
        StreamKind{"yamux", yamux_pair<fake_pair>, kYamuxBuffers},
        StreamKind{"yamux_in_crumbs", yamux_pair<crumbling_fake_pair>, kYamuxBuffers},
        StreamKind{"yamux_over_noise", yamux_pair<noise_pair<fake_pair>>, kYamuxBuffers},
        StreamKind{"yamux_over_tls", yamux_pair<tls_pair<fake_pair>>, kYamuxBuffers},
        StreamKind{"yamux_over_noise_over_tcp", yamux_pair<noise_pair<tcp_pair>>, kYamuxBuffers},
        StreamKind{"lazily_negotiated", lazy_pair<noise_pair<fake_pair>>, kYamuxBuffers}),
    kind_name);

}  // namespace
}  // namespace oc::test
