// How the hostile peer comes to the node.
#pragma once

#include <string>
#include <vector>

#include "base/random.hpp"
#include "noise_channel.hpp"
#include "session.hpp"

namespace oc::hostile {

enum class Security { noise, tls };

class Visit {
 public:
  // `sources` are this machine's addresses that connections come from, in turn; may be empty.
  Visit(Address node, Security security, std::vector<asio::ip::address> sources)
      : node_(std::move(node)), security_(security), sources_(std::move(sources)) {}

  // How many bytes the kernel takes for us while we do not read, on connections from now on.
  void receive_little(int bytes) { receive_buffer_ = bytes; }

  const Address& node() const { return node_; }
  Security security() const { return security_; }
  const char* security_id() const;
  Random& random() { return random_; }

  // Each null (or nothing) when the node refused.
  std::optional<Socket> dial();
  std::unique_ptr<Channel> secure(const Identity& identity);
  std::unique_ptr<Channel> secure_on(Socket socket, const Identity& identity);
  std::unique_ptr<Session> session(const Identity& identity);
  std::unique_ptr<Session> session() { return session(fresh_identity(random_)); }
  // Noise with a forged payload.
  std::unique_ptr<Channel> secure_forged(Socket socket, const Forgery& payload);

 private:
  Address node_;
  Security security_;
  std::vector<asio::ip::address> sources_;
  std::size_t next_source_ = 0;
  int receive_buffer_ = 0;
  SystemRandom random_;
};

}  // namespace oc::hostile
