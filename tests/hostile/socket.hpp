// A TCP socket with time-outs, for a peer that does one thing after the other.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace oc::hostile {

using Address = asio::ip::tcp::endpoint;

inline TimePoint now() { return std::chrono::steady_clock::now(); }
inline TimePoint in(Duration time) { return now() + time; }

// How a connection came to its end, as this side saw it. open: it has not.
enum class End { open, eof, reset };
const char* name_of(End end);

struct Received {
  Bytes bytes;  // empty when `end` is not open, and when nothing came in time
  End end = End::open;
};

struct DialFrom {
  std::optional<asio::ip::address> source;  // one of this machine's addresses
  int receive_buffer = 0;  // bytes the kernel takes for us while we do not read; 0: its choice
};

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), received_(other.received_), abort_at_(other.abort_at_) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  // Nothing when the connection was refused or did not stand until then.
  static std::optional<Socket> dial(const Address& to, const DialFrom& from, TimePoint until);

  // False when the other side is gone, or did not take all of it until then.
  bool send(BytesView bytes, TimePoint until);
  // What there is, at most so much; waits for it until then.
  Received receive(TimePoint until, std::size_t most = 64 * 1024);
  // Waits for the other side's end, without reading what lies in front of it; whether it came.
  bool wait_broken(TimePoint until);
  // Ends this side's half.
  void end();
  // Closes with a reset.
  void abort();
  // Does so by itself once so many bytes were received in all.
  void abort_at(std::size_t received) { abort_at_ = received; }
  std::size_t received() const { return received_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  std::size_t received_ = 0;
  std::optional<std::size_t> abort_at_;
};

// Listens on a free port of an address.
class Listener {
 public:
  explicit Listener(const asio::ip::address& at);
  Address address() const { return address_; }
  // The next visitor; nothing when none came until then.
  std::optional<Socket> accept(TimePoint until);

 private:
  Socket socket_;
  Address address_;
};

// Waits for events of poll(2) on a socket; false when the time is over.
bool wait_for(int fd, short events, TimePoint until);

}  // namespace oc::hostile
