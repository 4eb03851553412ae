#include "p2p/upgrade/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <new>

#include "crypto/tls_library.hpp"
#include "p2p/upgrade/tls_certificate.hpp"
#include "p2p/upgrade/tls_stream.hpp"

namespace oc::p2p {
namespace {

// ALPN of peers that agree on the muxer later (spec, "ALPN").
constexpr std::string_view kPlainAlpn = "libp2p";
// RFC 9266.
constexpr std::string_view kBindingLabel = "EXPORTER-Channel-Binding";
constexpr std::size_t kBindingSize = 32;
// AES first: nearly every CPU has instructions for it.
constexpr const char* kSuites =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
// The first is the one that a dialer sends its key of.
constexpr const char* kGroups = "X25519:P-256:P-384:P-521";
constexpr std::size_t kReadSize = 4096;

struct SslFree {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

void require(bool done) {
  if (!done) throw std::bad_alloc();
}

// What OpenSSL's callbacks need and find out; borrowed by the SSL object.
struct Handshake {
  SecurityOptions options;
  WallTime now;
  crypto::ProofCache& proofs;
  std::optional<crypto::PublicKey> remote;
  error_code refusal;  // why our own check failed
  crypto::SecretBytes client_secret;
  crypto::SecretBytes server_secret;
};

int handshake_index() {
  static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

Handshake& handshake_of(const SSL* ssl) {
  return *static_cast<Handshake*>(SSL_get_ex_data(ssl, handshake_index()));
}

Result<crypto::PublicKey> check_peer(X509_STORE_CTX* store, Handshake& handshake) {
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  if (sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) != 1) return P2pErrc::bad_certificate;
  TRY(crypto::PublicKey key, verify_tls_certificate(certificate, handshake.now, handshake.proofs));
  const auto& expected = handshake.options.expected;
  if (expected && key.peer_id() != *expected) return P2pErrc::wrong_peer;
  return key;
}

// Takes the place of OpenSSL's building of chains; that the peer has the certificate's key, OpenSSL
// checks afterwards.
int verify(X509_STORE_CTX* store, void*) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Handshake& handshake = handshake_of(ssl);
  auto key = check_peer(store, handshake);
  if (!key) {
    handshake.refusal = key.error();
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  handshake.remote = *std::move(key);
  return 1;
}

// The client's order decides.
int choose_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                const unsigned char* offers, unsigned offers_size, void*) {
  const Handshake& handshake = handshake_of(ssl);
  for (BytesView rest(offers, offers_size); !rest.empty();) {
    const BytesView offer = rest.subspan(1, rest[0]);
    const bool known = std::ranges::find(handshake.options.muxers, as_text(offer)) !=
                       handshake.options.muxers.end();
    if (known || as_text(offer) == kPlainAlpn) {
      *out = offer.data();
      *out_size = static_cast<unsigned char>(offer.size());
      return SSL_TLSEXT_ERR_OK;
    }
    rest = rest.subspan(1 + offer.size());
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// "<label> <client random> <secret>", in hexadecimal: OpenSSL's way to hand out traffic secrets.
void take_secret(const SSL* ssl, const char* text) {
  const std::string_view line(text);
  const auto secret = [&line] {
    auto bytes = from_hex(line.substr(line.rfind(' ') + 1));
    return bytes ? crypto::SecretBytes(*std::move(bytes)) : crypto::SecretBytes();
  };
  if (line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")) handshake_of(ssl).client_secret = secret();
  if (line.starts_with("SERVER_TRAFFIC_SECRET_0 ")) handshake_of(ssl).server_secret = secret();
}

Bytes alpn_offers(std::span<const std::string> muxers) {
  Bytes out;
  const auto add = [&out](std::string_view name) {
    out.push_back(static_cast<Byte>(name.size()));
    append(out, as_bytes(name));
  };
  for (const std::string& muxer : muxers) add(muxer);
  add(kPlainAlpn);
  return out;
}

SslPtr make_ssl(SSL_CTX* context, bool initiator, Handshake& handshake) {
  SslPtr ssl(SSL_new(context));
  require(ssl != nullptr && SSL_set_ex_data(ssl.get(), handshake_index(), &handshake) == 1);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  require(in != nullptr && out != nullptr);
  SSL_set_bio(ssl.get(), in, out);
  if (initiator) {
    const Bytes offers = alpn_offers(handshake.options.muxers);
    require(SSL_set_alpn_protos(ssl.get(), offers.data(), static_cast<unsigned>(offers.size())) ==
            0);
    SSL_set_connect_state(ssl.get());
  } else {
    SSL_set_accept_state(ssl.get());
  }
  return ssl;
}

Bytes take_all(BIO* bio) {
  Bytes out(BIO_ctrl_pending(bio));
  if (!out.empty()) (void)BIO_read(bio, out.data(), static_cast<int>(out.size()));
  return out;
}

// Runs OpenSSL's machine to the end of the handshake, or to its alert.
awaitable<Result<void>> shake_hands(net::Stream& below, SSL* ssl) {
  Bytes received(kReadSize);
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl);
    const bool more = done != 1 && SSL_get_error(ssl, done) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    const Bytes flight = take_all(SSL_get_wbio(ssl));
    if (!flight.empty()) CO_CHECK(co_await below.write(flight));
    if (done == 1) co_return success();
    if (!more) co_return P2pErrc::handshake_failed;
    CO_TRY(const std::size_t n, co_await below.read_some(received));
    require(BIO_write(SSL_get_rbio(ssl), received.data(), static_cast<int>(n)) ==
            static_cast<int>(n));
  }
}

// What both agreed on was offered by both: P2pErrc::handshake_failed when a server chose something
// else, which not every release of OpenSSL looks at.
Result<std::optional<std::string>> agreed_muxer(const SSL* ssl, std::span<const std::string> ours) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  const std::string_view agreed = as_text({name, size});
  if (agreed.empty() || agreed == kPlainAlpn) return std::optional<std::string>();
  if (std::ranges::find(ours, agreed) == ours.end()) return P2pErrc::handshake_failed;
  return std::optional(std::string(agreed));
}

Result<SecureChannel> make_channel(std::unique_ptr<net::Stream> below, SSL* ssl, bool initiator,
                                   Handshake handshake) {
  using crypto::TlsTrafficCipher;
  Bytes binding(kBindingSize);
  const bool bound =
      SSL_export_keying_material(ssl, binding.data(), binding.size(), kBindingLabel.data(),
                                 kBindingLabel.size(), nullptr, 0, 0) == 1;
  // Nothing may be left inside OpenSSL: what follows the handshake is still in its input.
  const bool taken_over = SSL_has_pending(ssl) == 0 && handshake.client_secret.size() != 0 &&
                          handshake.server_secret.size() != 0;
  if (!bound || !taken_over || !handshake.remote) return P2pErrc::handshake_failed;
  TRY(auto muxer, agreed_muxer(ssl, handshake.options.muxers));
  const auto suite =
      static_cast<crypto::TlsSuite>(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl)));
  const auto& ours = initiator ? handshake.client_secret : handshake.server_secret;
  const auto& theirs = initiator ? handshake.server_secret : handshake.client_secret;
  const Bytes rest = take_all(SSL_get_rbio(ssl));
  auto stream = std::make_unique<TlsStream>(
      std::move(below), TlsTrafficCipher(suite, TlsTrafficCipher::Use::seal, ours.view()),
      TlsTrafficCipher(suite, TlsTrafficCipher::Use::open, theirs.view()),
      rest.empty() ? Buffer() : Buffer::copy_of(rest));
  return SecureChannel{std::move(stream), *std::move(handshake.remote), std::move(binding),
                       std::move(muxer), kTlsId};
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

TlsContext::TlsContext(const crypto::PrivateKey& identity, Clock& clock)
    : clock_(clock), context_(SSL_CTX_new_ex(crypto::tls_library(), nullptr, TLS_method())) {
  SSL_CTX* context = context_.get();
  require(context != nullptr);
  const TlsCredentials credentials = make_tls_credentials(identity, clock.wall_now());
  require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
          SSL_CTX_set_ciphersuites(context, kSuites) == 1 &&
          SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
          SSL_CTX_use_certificate(context, credentials.certificate.get()) == 1 &&
          SSL_CTX_use_PrivateKey(context, credentials.key.get()) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify, nullptr);
  SSL_CTX_set_alpn_select_cb(context, choose_alpn, nullptr);
  SSL_CTX_set_keylog_callback(context, take_secret);
  SSL_CTX_set_max_cert_list(context, kMaxTlsCertificateMessage);
  // No resumption: each handshake proves the peer's key anew, and no session is kept.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_max_early_data(context, 0);
}

TlsContext::~TlsContext() = default;

awaitable<Result<SecureChannel>> TlsContext::secure(std::unique_ptr<net::Stream> below,
                                                    bool initiator, SecurityOptions options) {
  Handshake handshake{std::move(options), clock_.wall_now(), proofs_, {}, {}, {}, {}};
  const SslPtr ssl = make_ssl(context_.get(), initiator, handshake);
  auto done = co_await shake_hands(*below, ssl.get());
  if (!done) {
    // The alert goes out before the end.
    if (done.error() == P2pErrc::handshake_failed) (void)co_await below->close_write();
    co_return handshake.refusal ? handshake.refusal : done.error();
  }
  co_return make_channel(std::move(below), ssl.get(), initiator, std::move(handshake));
}

}  // namespace oc::p2p
