// TLS 1.3 as libp2p uses it, by OpenSSL over the bare socket, with any credentials.
#pragma once

#include <openssl/ssl.h>

#include "certificate.hpp"
#include "channel.hpp"

namespace oc::hostile {

inline constexpr const char* kTlsProtocol = "/tls/1.0.0";

struct TlsWish {
  bool server = false;
  bool old_version = false;        // TLS 1.2 and nothing newer
  std::size_t status_request = 0;  // bytes of extensions in an OCSP status request
};

// A handshake that may fail, and the channel after it.
class TlsChannel final : public Channel {
 public:
  TlsChannel(Socket socket, const Credentials& credentials, const TlsWish& wish);

  // Whether it was over on our side. The node's refusal of our certificate may come after that, as
  // the end of the channel.
  bool shake_hands(TimePoint until);
  // Asks the node for new keys, once. False as send().
  bool ask_for_new_keys(TimePoint until);

  bool send(BytesView bytes, TimePoint until) override;
  Received receive(TimePoint until, std::size_t most) override;
  Socket& socket() override { return socket_; }
  BytesView binding() const override { return {}; }
  BytesView remote_key() const override { return {}; }

  // What OpenSSL said last of the other side's alert or our own error; empty when all was well.
  const std::string& error() const { return error_; }
  // The application protocol that was agreed on.
  std::string application() const;
  // Session tickets that came, and the most early data that one of them allows.
  int tickets() const { return tickets_; }
  std::uint32_t early_data() const { return early_data_; }

 private:
  // Sends what OpenSSL wrote; gives it what came.
  bool flush(TimePoint until);
  bool fill(TimePoint until);
  // Whether the call is to be made again.
  bool again(int result, TimePoint until);
  static int on_session(SSL* ssl, SSL_SESSION* session);

  Socket socket_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  End end_ = End::open;
  std::string error_;
  int tickets_ = 0;
  std::uint32_t early_data_ = 0;
};

}  // namespace oc::hostile
