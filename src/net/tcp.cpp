#include "net/tcp.hpp"

#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace oc::net {
namespace {

// While no descriptor is free, accept() tries again this often.
constexpr auto kAcceptRetry = std::chrono::milliseconds(50);
// Kernel keep-alive: first probe after 30 s idle, then every 10 s, dead after 3.
constexpr int kKeepAliveIdle = 30;
constexpr int kKeepAliveInterval = 10;
constexpr int kKeepAliveProbes = 3;
// Bytes that the kernel has taken and not sent: what is written ahead of others has to wait for
// them, so there are no more than keep a fast path busy.
constexpr int kUnsent = 128 * 1024;

// A call that was answered, and whose caller does not say that it heard so, keeps its pair of ports
// in use: nobody dials there from the shared port meanwhile, as hole punching has to. So the answer
// is repeated once, and the call forgotten after 3 s instead of a minute. A caller who is still
// there calls again.
constexpr int kAnswerRepeats = 1;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

error_code last_error() { return {errno, boost::system::system_category()}; }

void set_flag(int fd, int level, int name, int value) {
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

void tune(int fd) {
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_flag(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_flag(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdle);
  set_flag(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveInterval);
  set_flag(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  set_flag(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsent);
}

TcpAddress from_sockaddr(const sockaddr_storage& storage, socklen_t size) {
  TcpAddress address;
  std::memcpy(address.data(), &storage, std::min<std::size_t>(size, address.capacity()));
  address.resize(size);
  return address;
}

// `started` is what connect() gave: 0, EINPROGRESS, or the error it ended with.
awaitable<Result<std::unique_ptr<SocketStream>>> finish_connect(Executor executor, Fd fd,
                                                                int started) {
  if (started != 0 && started != EINPROGRESS) {
    co_return error_code(started, boost::system::system_category());
  }
  auto stream = std::make_unique<SocketStream>(executor, fd.release());
  if (started == EINPROGRESS) CO_CHECK(co_await stream->finish_connect());
  co_return stream;
}

// A look-up under way. getaddrinfo() cannot be interrupted, so a cancelled caller leaves it behind:
// shared by the caller and the resolver's completion.
struct Lookup {
  explicit Lookup(const Executor& executor) : resolver(executor) {}
  asio::ip::tcp::resolver resolver;
  std::vector<TcpAddress> found;
  error_code error;
  Event done;
};

// Of a zone, which is an interface's name or its number (RFC 4007, section 11.2).
std::optional<unsigned> interface_index(const std::string& zone) {
  if (const unsigned index = ::if_nametoindex(zone.c_str()); index != 0) return index;
  unsigned number = 0;
  const char* const end = zone.data() + zone.size();
  const auto [stop, error] = std::from_chars(zone.data(), end, number);
  if (error != std::errc() || stop != end || number == 0) return std::nullopt;
  return number;
}

int connect_from(int fd, const TcpAddress& to, std::uint16_t port) {
  set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  const TcpAddress from(to.protocol(), port);
  if (::bind(fd, from.data(), static_cast<socklen_t>(from.size())) != 0) return errno;
  return ::connect(fd, to.data(), static_cast<socklen_t>(to.size())) == 0 ? 0 : errno;
}

}  // namespace

Result<TcpAddress> to_tcp_address(const codec::Multiaddr& address) {
  const auto tcp = address.without_peer().tcp_endpoint();
  if (!tcp) return Errc::unsupported;
  if (tcp->v6) {
    asio::ip::address_v6::bytes_type bytes;
    std::copy_n(tcp->address.begin(), 16, bytes.begin());
    asio::ip::address_v6 ip(bytes);
    if (!tcp->zone.empty()) {
      const auto index = interface_index(tcp->zone);
      if (!index) return Errc::unsupported;
      ip.scope_id(*index);
    }
    return TcpAddress(ip, tcp->port);
  }
  asio::ip::address_v4::bytes_type bytes;
  std::copy_n(tcp->address.begin(), 4, bytes.begin());
  return TcpAddress(asio::ip::address_v4(bytes), tcp->port);
}

codec::Multiaddr to_multiaddr(const TcpAddress& address) {
  codec::TcpEndpoint tcp{};
  asio::ip::address ip = address.address();
  if (ip.is_v6() && ip.to_v6().is_v4_mapped()) {
    ip = asio::ip::make_address_v4(asio::ip::v4_mapped, ip.to_v6());
  }
  tcp.v6 = ip.is_v6();
  tcp.port = address.port();
  if (ip.is_v6()) {
    const auto bytes = ip.to_v6().to_bytes();
    std::copy(bytes.begin(), bytes.end(), tcp.address.begin());
    char name[IF_NAMESIZE];
    const auto scope = static_cast<unsigned>(ip.to_v6().scope_id());
    if (scope != 0 && ::if_indextoname(scope, name) != nullptr) tcp.zone = name;
  } else {
    const auto bytes = ip.to_v4().to_bytes();
    std::copy(bytes.begin(), bytes.end(), tcp.address.begin());
  }
  return codec::Multiaddr::from_tcp(tcp);
}

std::string to_text(const TcpAddress& address) {
  const std::string ip = address.address().to_string();
  const std::string port = std::to_string(address.port());
  return address.address().is_v6() ? "[" + ip + "]:" + port : ip + ":" + port;
}

awaitable<Result<std::unique_ptr<SocketStream>>> tcp_connect(TcpAddress to, DialOptions options) {
  auto executor = co_await asio::this_coro::executor;
  const int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  if (options.from_port) {
    Fd fd(::socket(to.protocol().family(), kind, IPPROTO_TCP));
    if (fd.get() < 0) co_return last_error();
    tune(fd.get());
    const int started = connect_from(fd.get(), to, *options.from_port);
    if (started == 0 || started == EINPROGRESS) {
      co_return co_await finish_connect(executor, std::move(fd), started);
    }
  }
  Fd fd(::socket(to.protocol().family(), kind, IPPROTO_TCP));
  if (fd.get() < 0) co_return last_error();
  tune(fd.get());
  const int started =
      ::connect(fd.get(), to.data(), static_cast<socklen_t>(to.size())) == 0 ? 0 : errno;
  co_return co_await finish_connect(executor, std::move(fd), started);
}

awaitable<Result<std::unique_ptr<SocketStream>>> unix_connect(std::string path) {
  auto executor = co_await asio::this_coro::executor;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) co_return Errc::malformed;
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) co_return last_error();
  const int started =
      ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  co_return co_await finish_connect(executor, std::move(fd), started);
}

awaitable<Result<std::vector<TcpAddress>>> resolve(std::string host, std::uint16_t port) {
  error_code not_literal;
  const auto literal = asio::ip::make_address(host, not_literal);
  std::vector<TcpAddress> addresses;
  if (!not_literal) {
    addresses.emplace_back(literal, port);
    co_return addresses;
  }
  auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  lookup->resolver.async_resolve(host, std::to_string(port),
                                 [lookup](error_code error, const auto& found) {
                                   lookup->error = error;
                                   for (const auto& entry : found)
                                     lookup->found.push_back(entry.endpoint());
                                   lookup->done.set();
                                 });
  CO_CHECK(co_await lookup->done.wait());
  if (lookup->error) co_return lookup->error;
  if (lookup->found.empty()) co_return Errc::not_found;
  co_return std::move(lookup->found);
}

TcpListener::TcpListener(Executor executor, int fd, TcpAddress local)
    : descriptor_(executor, fd), local_(std::move(local)) {}

Result<TcpListener> TcpListener::open(Executor executor, TcpAddress at, ListenOptions options) {
  const auto make = [&at]() {
    const int fd =
        ::socket(at.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd >= 0) {
      set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (at.address().is_v6()) set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    return fd;
  };
  const auto size = static_cast<socklen_t>(at.size());
  if (options.share_port && at.port() != 0) {
    // SO_REUSEPORT would let two nodes share a port in silence: look first.
    Fd probe(make());
    if (probe.get() < 0) return last_error();
    if (::bind(probe.get(), at.data(), size) != 0 || ::listen(probe.get(), 1) != 0)
      return last_error();
  }
  Fd fd(make());
  if (fd.get() < 0) return last_error();
  if (options.share_port) {
    set_flag(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    set_flag(fd.get(), IPPROTO_TCP, TCP_SYNCNT, kAnswerRepeats);
  }
  if (::bind(fd.get(), at.data(), size) != 0) return last_error();
  if (::listen(fd.get(), options.backlog) != 0) return last_error();
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0)
    return last_error();
  return TcpListener(executor, fd.release(), from_sockaddr(storage, length));
}

awaitable<Result<TcpListener::Accepted>> TcpListener::accept() {
  for (;;) {
    if (!descriptor_.is_open()) co_return Errc::closed;
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (!drained_) {
      const int fd = ::accept4(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&storage),
                               &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        drained_ =
            true;  // one visitor a turn, so that a flood of them leaves the others their turns
        tune(fd);
        co_return Accepted{std::make_unique<SocketStream>(descriptor_.get_executor(), fd),
                           from_sockaddr(storage, size)};
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        asio::steady_timer pause(descriptor_.get_executor(), kAcceptRetry);
        auto [error] = co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        if (error) co_return Errc::cancelled;
        continue;
      }
      drained_ = true;  // also after a visitor that vanished, of which accept(2) tells once
    }
    auto [error] = co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                                                   asio::as_tuple(asio::use_awaitable));
    if (!descriptor_.is_open()) co_return Errc::closed;
    if (error) co_return Errc::cancelled;
    drained_ = false;
  }
}

void TcpListener::close() {
  error_code ignored;
  descriptor_.close(ignored);
}

Result<TcpAddress> local_address(SocketStream& stream) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(stream.native_handle(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return last_error();
  }
  return from_sockaddr(storage, size);
}

Result<TcpAddress> remote_address(SocketStream& stream) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(stream.native_handle(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return last_error();
  }
  return from_sockaddr(storage, size);
}

void set_user_timeout(SocketStream& stream, std::chrono::milliseconds limit) {
  set_flag(stream.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(limit.count()));
}

std::vector<asio::ip::address> interface_addresses() {
  std::vector<asio::ip::address> found;
  std::vector<asio::ip::address> loopback;
  const auto add = [&](const asio::ip::address& ip) {
    (ip.is_loopback() ? loopback : found).push_back(ip);
  };
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || (i->ifa_flags & IFF_UP) == 0) continue;
    if (i->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(i->ifa_addr);
      add(asio::ip::address_v4(ntohl(v4->sin_addr.s_addr)));
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(i->ifa_addr);
      asio::ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
      const asio::ip::address_v6 ip(bytes);
      if (!ip.is_link_local()) add(ip);
    }
  }
  ::freeifaddrs(list);
  found.insert(found.end(), loopback.begin(), loopback.end());
  return found;
}

}  // namespace oc::net
