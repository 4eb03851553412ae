// A channel of bytes to the node: the bare socket, or a secured one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "socket.hpp"

namespace oc::hostile {

// Time for one step that an honest node takes at once.
inline constexpr Duration kPatience = std::chrono::seconds(10);

class Channel {
 public:
  virtual ~Channel() = default;
  // As Socket's.
  virtual bool send(BytesView bytes, TimePoint until) = 0;
  virtual Received receive(TimePoint until, std::size_t most = 64 * 1024) = 0;
  virtual Socket& socket() = 0;
  // What names the channel on both sides; empty for the bare socket.
  virtual BytesView binding() const = 0;
  // The marshalled public key that the node proved; empty for the bare socket.
  virtual BytesView remote_key() const = 0;
};

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(Socket socket) : socket_(std::move(socket)) {}

  bool send(BytesView bytes, TimePoint until) override { return socket_.send(bytes, until); }
  Received receive(TimePoint until, std::size_t most) override {
    return socket_.receive(until, most);
  }
  Socket& socket() override { return socket_; }
  BytesView binding() const override { return {}; }
  BytesView remote_key() const override { return {}; }

 private:
  Socket socket_;
};

// Nothing when the channel came to its end, or the time, before all were there.
std::optional<Bytes> read_exactly(Channel& channel, std::size_t size, TimePoint until);

// Reads and forgets until the channel's end, or the time's.
End drain(Channel& channel, TimePoint until);

// multistream-select, one message at a time.
//
// A message without its newline; nothing as with read_exactly, or when it is no message.
std::optional<std::string> read_message(Channel& channel, TimePoint until);
// The dialer's side: header and proposal in one, then both answers. The second answer.
std::optional<std::string> propose(Channel& channel, std::string_view protocol, TimePoint until);
// The listener's side: `na` to everything but this protocol. Whether it was proposed.
bool accept_only(Channel& channel, std::string_view protocol, TimePoint until);

}  // namespace oc::hostile
