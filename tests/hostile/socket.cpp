#include "socket.hpp"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace oc::hostile {
namespace {

constexpr int kBacklog = 64;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int make_socket(const Address& like) {
  const int fd =
      ::socket(like.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) fail("socket");
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

bool gone(int code) { return code == ECONNRESET || code == EPIPE || code == ETIMEDOUT; }

}  // namespace

const char* name_of(End end) {
  if (end == End::open) return "open";
  return end == End::eof ? "eof" : "reset";
}

bool wait_for(int fd, short events, TimePoint until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now()).count();
    pollfd what{fd, events, 0};
    const int ready = ::poll(&what, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) fail("poll");
  }
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<Socket> Socket::dial(const Address& to, const DialFrom& from, TimePoint until) {
  Socket socket(make_socket(to));
  if (from.receive_buffer != 0) {
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &from.receive_buffer,
                 sizeof from.receive_buffer);
  }
  if (from.source) {
    const Address source(*from.source, 0);
    if (::bind(socket.fd(), source.data(), static_cast<socklen_t>(source.size())) != 0)
      fail("bind");
  }
  if (::connect(socket.fd(), to.data(), static_cast<socklen_t>(to.size())) != 0) {
    if (errno != EINPROGRESS || !wait_for(socket.fd(), POLLOUT, until)) return std::nullopt;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return std::nullopt;
  }
  return socket;
}

bool Socket::send(BytesView bytes, TimePoint until) {
  if (fd_ < 0) return false;
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd_, POLLOUT, until)) return false;
    } else if (gone(errno)) {
      return false;
    } else if (errno != EINTR) {
      fail("send");
    }
  }
  return true;
}

Received Socket::receive(TimePoint until, std::size_t most) {
  Received out;
  if (fd_ < 0) {
    out.end = End::reset;
    return out;
  }
  if (abort_at_) {
    most = std::min(most, *abort_at_ - received_);
    if (most == 0) {
      abort();
      out.end = End::reset;
      return out;
    }
  }
  out.bytes.resize(most);
  for (;;) {
    const auto n = ::recv(fd_, out.bytes.data(), most, 0);
    if (n < 0 && errno == EAGAIN) {
      if (wait_for(fd_, POLLIN, until)) continue;
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && !gone(errno)) {
      fail("recv");
    } else if (n <= 0) {
      out.end = n == 0 ? End::eof : End::reset;
    }
    out.bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    received_ += out.bytes.size();
    return out;
  }
}

bool Socket::wait_broken(TimePoint until) { return wait_for(fd_, POLLRDHUP, until); }

void Socket::end() { ::shutdown(fd_, SHUT_WR); }

void Socket::abort() {
  if (fd_ < 0) return;
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(fd_, -1));
}

Listener::Listener(const asio::ip::address& at) : socket_(make_socket(Address(at, 0))) {
  const Address wanted(at, 0);
  if (::bind(socket_.fd(), wanted.data(), static_cast<socklen_t>(wanted.size())) != 0) fail("bind");
  if (::listen(socket_.fd(), kBacklog) != 0) fail("listen");
  socklen_t size = static_cast<socklen_t>(address_.capacity());
  if (::getsockname(socket_.fd(), address_.data(), &size) != 0) fail("getsockname");
  address_.resize(size);
}

std::optional<Socket> Listener::accept(TimePoint until) {
  while (wait_for(socket_.fd(), POLLIN, until)) {
    const int fd = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) return Socket(fd);
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) fail("accept");
  }
  return std::nullopt;
}

}  // namespace oc::hostile
