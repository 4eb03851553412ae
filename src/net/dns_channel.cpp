#include "net/dns_channel.hpp"

#include <sys/time.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

namespace oc::net {
namespace {

using Descriptor = asio::posix::stream_descriptor;

class DnsCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "dns"; }
  std::string message(int value) const override { return ares_strerror(value); }
};

const boost::system::error_category& dns_category() {
  static const DnsCategory category;
  return category;
}

// A socket of c-ares, and what c-ares waits for on it.
struct Socket {
  explicit Socket(const Executor& executor) : descriptor(executor) {}
  Descriptor descriptor;  // borrowed: released, never closed
  bool wants_read = false;
  bool wants_write = false;
  bool reading = false;  // a wait is under way
  bool writing = false;
};

}  // namespace

error_code dns_error(int status) {
  switch (status) {
    case ARES_ENODATA:
    case ARES_ENOTFOUND: return Errc::not_found;
    case ARES_EBADNAME: return Errc::malformed;
    case ARES_ETIMEOUT: return Errc::timed_out;
    case ARES_EDESTRUCTION: return Errc::closed;
    default: return {status, dns_category()};
  }
}

struct DnsChannel::State {
  explicit State(const Executor& e) : executor(e), timer(e) {}

  // Called by c-ares, which goes on afterwards: waits are started by drive().
  static void note_wish(void* data, ares_socket_t fd, int readable, int writable) noexcept;
  static void drive(const std::shared_ptr<State>& state);
  static void wait(const std::shared_ptr<State>& state, std::shared_ptr<Socket> socket,
                   Descriptor::wait_type what);
  static void arm(const std::shared_ptr<State>& state);

  Executor executor;
  ares_channel channel = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Socket>> sockets;  // each shared with its waits
  asio::steady_timer timer;
};

void DnsChannel::State::note_wish(void* data, ares_socket_t fd, int readable,
                                  int writable) noexcept {
  auto& self = *static_cast<State*>(data);
  auto& socket = self.sockets[fd];
  if (socket == nullptr) {
    socket = std::make_shared<Socket>(self.executor);
    error_code failed;  // then nobody waits for it, and the query times out
    socket->descriptor.assign(fd, failed);
  }
  socket->wants_read = readable != 0;
  socket->wants_write = writable != 0;
  if (socket->wants_read || socket->wants_write) return;
  // c-ares is about to close it.
  if (socket->descriptor.is_open()) socket->descriptor.release();
  self.sockets.erase(fd);
}

void DnsChannel::State::wait(const std::shared_ptr<State>& state, std::shared_ptr<Socket> socket,
                             Descriptor::wait_type what) {
  bool& under_way = what == Descriptor::wait_read ? socket->reading : socket->writing;
  if (std::exchange(under_way, true)) return;
  Descriptor& descriptor = socket->descriptor;
  descriptor.async_wait(what, [state, socket = std::move(socket), what](error_code error) {
    const bool read = what == Descriptor::wait_read;
    (read ? socket->reading : socket->writing) = false;
    if (error || !socket->descriptor.is_open()) return;
    const ares_socket_t fd = socket->descriptor.native_handle();
    ares_process_fd(state->channel, read ? fd : ARES_SOCKET_BAD, read ? ARES_SOCKET_BAD : fd);
    drive(state);
  });
}

void DnsChannel::State::arm(const std::shared_ptr<State>& state) {
  timeval left{};
  if (ares_timeout(state->channel, nullptr, &left) == nullptr) {
    state->timer.cancel();
    return;
  }
  state->timer.expires_after(std::chrono::seconds(left.tv_sec) +
                             std::chrono::microseconds(left.tv_usec));
  state->timer.async_wait([state](error_code error) {
    if (error || state->channel == nullptr) return;
    ares_process_fd(state->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    drive(state);
  });
}

void DnsChannel::State::drive(const std::shared_ptr<State>& state) {
  for (const auto& [fd, socket] : state->sockets) {
    if (!socket->descriptor.is_open()) continue;
    if (socket->wants_read) wait(state, socket, Descriptor::wait_read);
    if (socket->wants_write) wait(state, socket, Descriptor::wait_write);
  }
  arm(state);
}

Result<std::unique_ptr<DnsChannel>> DnsChannel::open(const Executor& executor,
                                                     const DnsOptions& options) {
  using std::chrono::milliseconds;
  auto state = std::make_shared<State>(executor);
  ares_options wanted{};
  int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  wanted.flags = ARES_FLAG_NOALIASES;
  wanted.timeout = static_cast<int>(duration_cast<milliseconds>(options.try_timeout).count());
  wanted.tries = options.tries;
  wanted.sock_state_cb = State::note_wish;
  wanted.sock_state_cb_data = state.get();
  if (!options.servers.empty()) given |= ARES_OPT_DOMAINS;  // none
  if (const int status = ares_init_options(&state->channel, &wanted, given))
    return dns_error(status);
  std::unique_ptr<DnsChannel> channel(new DnsChannel(std::move(state)));
  if (options.servers.empty()) return channel;
  if (const int status = ares_set_servers_ports_csv(channel->handle(), options.servers.c_str())) {
    return dns_error(status);
  }
  return channel;
}

DnsChannel::~DnsChannel() { close(); }

ares_channel DnsChannel::handle() const { return state_->channel; }

void DnsChannel::drive() { State::drive(state_); }

void DnsChannel::close() {
  state_->timer.cancel();
  ares_destroy(std::exchange(state_->channel, nullptr));
}

}  // namespace oc::net
