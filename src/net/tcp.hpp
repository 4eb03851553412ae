// TCP and Unix sockets: dialing, listening, resolving.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/multiaddr.hpp"
#include "net/socket_stream.hpp"

namespace oc::net {

using TcpAddress = asio::ip::tcp::endpoint;  // an IP address and a port

// Multiaddr /ip4|ip6/…/tcp/… (a trailing /p2p is ignored) to an address, and back.
Result<TcpAddress> to_tcp_address(const codec::Multiaddr& address);
codec::Multiaddr to_multiaddr(const TcpAddress& address);
// "127.0.0.1:80", "[::1]:80"
std::string to_text(const TcpAddress& address);

struct DialOptions {
  // Dial from this port with SO_REUSEADDR and SO_REUSEPORT (the listen port), so that the port a
  // peer observes means something. When the kernel refuses (a connection of that pair exists), an
  // ephemeral port is used.
  std::optional<std::uint16_t> from_port;
};

// Connects. Errors are the kernel's (connection_refused, network_unreachable, …). Time-outs are the
// caller's (with_deadline); a cancelled dial closes its socket.
awaitable<Result<std::unique_ptr<SocketStream>>> tcp_connect(TcpAddress to,
                                                             DialOptions options = {});

// Connects to a Unix stream socket by its path.
awaitable<Result<std::unique_ptr<SocketStream>>> unix_connect(std::string path);

// Addresses of a host name or literal, in the system's order, without blocking the thread. A
// cancelled caller returns at once, though the system's look-up goes on behind it, other look-ups
// wait for it, and so does the end of the io_context: good for one connection of a short program;
// a node uses Resolver.
awaitable<Result<std::vector<TcpAddress>>> resolve(std::string host, std::uint16_t port);

struct ListenOptions {
  // Let dials of this process share the port. Another process's listener is still noticed: the port
  // is first tried without sharing.
  bool share_port = false;
  int backlog = 1024;
};

// A listening TCP socket. Thread: the executor's.
class TcpListener {
 public:
  // Port 0 takes a free one. Errors are the kernel's (address_in_use, permission_denied, …).
  // An IPv6 address listens on IPv6 only.
  static Result<TcpListener> open(Executor executor, TcpAddress at, ListenOptions options = {});
  TcpListener(TcpListener&&) = default;
  TcpListener& operator=(TcpListener&&) = default;

  struct Accepted {
    std::unique_ptr<SocketStream> stream;
    TcpAddress remote;
  };
  // Waits for a connection. Passing troubles (a visitor that vanished, no free descriptor) are
  // waited out; an error means that the listener is closed or the task cancelled.
  awaitable<Result<Accepted>> accept();
  TcpAddress local() const { return local_; }
  void close();

 private:
  TcpListener(Executor executor, int fd, TcpAddress local);
  asio::posix::stream_descriptor descriptor_;
  TcpAddress local_;
  bool drained_ = false;
};

// Local and remote address of a connected socket.
Result<TcpAddress> local_address(SocketStream& stream);
Result<TcpAddress> remote_address(SocketStream& stream);

// Cuts the connection (ETIMEDOUT, Errc::timed_out) when what was sent is not acknowledged, or when
// the peer's window stays shut, for this long: TCP_USER_TIMEOUT. Takes effect at once.
void set_user_timeout(SocketStream& stream, std::chrono::milliseconds limit);

// This machine's addresses on interfaces that are up, loopback last.
std::vector<asio::ip::address> interface_addresses();

}  // namespace oc::net
