// The load generator of bench/run.py: one small HTTP exchange, done in four ways, on loopback only.
//
//   load serve PORT                      the service: answers every request; until it is ended
//   load rate PORT SECONDS CONCURRENT    new connection, request, answer, end; as often as possible
//   load open PORT COUNT                 COUNT exchanges one after the other on one connection
//   load new PORT COUNT                  COUNT exchanges, each on a connection of its own
//   load hold PORT COUNT                 opens COUNT connections with one exchange each, says so,
//   and
//                                        keeps them until its standard input ends
//
// Prints one line of JSON. All loops are bounded in count and time.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxSeconds = 60;
constexpr int kMaxConcurrent = 1024;
constexpr int kMaxExchanges = 200'000;
constexpr int kMaxHeld = 50'000;
constexpr int kPatienceSeconds = 10;  // for one exchange
constexpr std::string_view kKeep = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
constexpr std::string_view kLast = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, bench";

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    if (fd < 0) fail("socket");
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Socket make_socket(int flags = 0) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  const int yes = 1;
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return socket;
}

bool start_connect(const Socket& socket, int port) {
  const auto to = loopback(port);
  return ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ||
         errno == EINPROGRESS;
}

Socket connect_blocking(int port) {
  Socket socket = make_socket();
  const timeval patience{kPatienceSeconds, 0};
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (!start_connect(socket, port)) fail("connect");
  return socket;
}

void ask(const Socket& socket, std::string_view request) {
  if (::send(socket.fd(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    fail("send");
  }
  std::array<char, 256> answer;
  std::size_t got = 0;
  while (got < kAnswer.size()) {
    const auto n = ::recv(socket.fd(), answer.data() + got, answer.size() - got, 0);
    if (n < 0) fail("recv");
    if (n == 0) throw std::runtime_error("the connection ended before the answer");
    got += static_cast<std::size_t>(n);
  }
  if (std::string_view(answer.data(), got) != kAnswer) throw std::runtime_error("a wrong answer");
}

void watch(const Socket& epoll, int operation, int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{.events = events, .data = {.u64 = tag}};
  if (::epoll_ctl(epoll.fd(), operation, fd, &event) != 0) fail("epoll_ctl");
}

// Answers what can be read now; false when the connection is to be closed.
bool serve_ready(int fd) {
  std::array<char, 4096> request;
  const auto n = ::recv(fd, request.data(), request.size(), 0);
  if (n <= 0) return n < 0 && errno == EAGAIN;
  // Requests are smaller than any segment, and a client waits for its answer: one read is one
  // request.
  ::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
  return std::string_view(request.data(), static_cast<std::size_t>(n)) != kLast;
}

void serve(int port) {
  Socket listener = make_socket(SOCK_NONBLOCK);
  const int yes = 1;
  ::setsockopt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const auto at = loopback(port);
  if (::bind(listener.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) fail("bind");
  if (::listen(listener.fd(), 4096) != 0) fail("listen");
  Socket epoll(::epoll_create1(EPOLL_CLOEXEC));
  watch(epoll, EPOLL_CTL_ADD, listener.fd(), EPOLLIN, static_cast<std::uint64_t>(listener.fd()));
  std::array<epoll_event, 256> ready;
  while (true) {
    const int count = ::epoll_wait(epoll.fd(), ready.data(), ready.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = static_cast<int>(ready[static_cast<std::size_t>(i)].data.u64);
      if (fd != listener.fd()) {
        if (!serve_ready(fd)) ::close(fd);
        continue;
      }
      int accepted;
      while ((accepted = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(epoll, EPOLL_CTL_ADD, accepted, EPOLLIN, static_cast<std::uint64_t>(accepted));
      }
    }
  }
}

// One visitor of `rate`: connects, asks, reads the answer to the connection's end, and again.
class Visitor {
 public:
  Visitor(int port, std::uint64_t tag) : port_(port), tag_(tag) {}

  void begin(const Socket& epoll) {
    socket_ = make_socket(SOCK_NONBLOCK);
    got_ = 0;
    asked_ = false;
    if (!start_connect(socket_, port_)) fail("connect");
    watch(epoll, EPOLL_CTL_ADD, socket_.fd(), EPOLLOUT, tag_);
  }

  enum class Step { pending, done, failed };

  Step advance(const Socket& epoll) {
    if (!asked_) {
      const auto sent = ::send(socket_.fd(), kLast.data(), kLast.size(), MSG_NOSIGNAL);
      if (sent != static_cast<ssize_t>(kLast.size())) return Step::failed;
      asked_ = true;
      watch(epoll, EPOLL_CTL_MOD, socket_.fd(), EPOLLIN, tag_);
      return Step::pending;
    }
    std::array<char, 512> answer;
    const auto n = ::recv(socket_.fd(), answer.data(), answer.size(), 0);
    if (n < 0) return errno == EAGAIN ? Step::pending : Step::failed;
    if (n == 0) return got_ == kAnswer.size() ? Step::done : Step::failed;
    got_ += static_cast<std::size_t>(n);
    return Step::pending;
  }

 private:
  int port_;
  std::uint64_t tag_;
  Socket socket_{make_socket()};
  std::size_t got_ = 0;
  bool asked_ = false;
};

void rate(int port, int seconds, int concurrent) {
  Socket epoll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<Visitor> visitors;
  for (int i = 0; i < concurrent; ++i) visitors.emplace_back(port, static_cast<std::uint64_t>(i));
  for (auto& visitor : visitors) visitor.begin(epoll);
  int done = 0;
  int failed = 0;
  std::array<epoll_event, 256> ready;
  const auto began = Clock::now();
  const auto end = began + std::chrono::seconds(seconds);
  while (Clock::now() < end && done + failed < kMaxExchanges) {
    const int count = ::epoll_wait(epoll.fd(), ready.data(), ready.size(), 100);
    for (int i = 0; i < count; ++i) {
      Visitor& visitor = visitors[ready[static_cast<std::size_t>(i)].data.u64];
      const auto step = visitor.advance(epoll);
      if (step == Visitor::Step::pending) continue;
      (step == Visitor::Step::done ? done : failed) += 1;
      visitor.begin(epoll);
    }
  }
  const double took = std::chrono::duration<double>(Clock::now() - began).count();
  std::printf("{\"per_second\": %.1f, \"done\": %d, \"failed\": %d}\n", done / took, done, failed);
}

void print_quantiles(std::vector<double> microseconds) {
  std::sort(microseconds.begin(), microseconds.end());
  const auto at = [&](double q) {
    return microseconds[static_cast<std::size_t>(q * static_cast<double>(microseconds.size() - 1))];
  };
  std::printf("{\"p50_us\": %.1f, \"p99_us\": %.1f, \"count\": %zu}\n", at(0.5), at(0.99),
              microseconds.size());
}

template <class Exchange>
void time_each(int count, Exchange once) {
  std::vector<double> microseconds;
  const auto end = Clock::now() + std::chrono::seconds(kMaxSeconds);
  for (int i = 0; i < count && Clock::now() < end; ++i) {
    const auto began = Clock::now();
    once();
    microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
  }
  print_quantiles(std::move(microseconds));
}

void hold(int port, int count) {
  std::vector<Socket> held;
  for (int i = 0; i < count; ++i) {
    held.push_back(connect_blocking(port));
    ask(held.back(), kKeep);
  }
  std::printf("{\"held\": %zu}\n", held.size());
  std::fflush(stdout);
  char ignored;
  while (::read(STDIN_FILENO, &ignored, 1) > 0) {
  }
}

int number(const char* text, int at_most) {
  const int value = std::atoi(text);
  if (value < 1 || value > at_most)
    throw std::invalid_argument(std::string("out of bounds: ") + text);
  return value;
}

int run(const std::vector<const char*>& words) {
  const std::string_view what = words.size() > 2 ? words[1] : "";
  const int port = words.size() > 2 ? number(words[2], 65535) : 0;
  if (what == "serve" && words.size() == 3) {
    serve(port);
  } else if (what == "rate" && words.size() == 5) {
    rate(port, number(words[3], kMaxSeconds), number(words[4], kMaxConcurrent));
  } else if (what == "open" && words.size() == 4) {
    const Socket socket = connect_blocking(port);
    time_each(number(words[3], kMaxExchanges), [&] { ask(socket, kKeep); });
  } else if (what == "new" && words.size() == 4) {
    time_each(number(words[3], kMaxExchanges), [&] { ask(connect_blocking(port), kLast); });
  } else if (what == "hold" && words.size() == 4) {
    hold(port, number(words[3], kMaxHeld));
  } else {
    std::fputs("usage: load serve|rate|open|new|hold PORT …; see bench/load.cpp\n", stderr);
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    return 1;
  }
}
