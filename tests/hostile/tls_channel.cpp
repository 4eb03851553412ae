#include "tls_channel.hpp"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <stdexcept>

#include "p2p/upgrade/upgrade.hpp"

namespace oc::hostile {
namespace {

constexpr const char* kLibp2p = "libp2p";
// Bytes that are sealed before any of them is sent.
constexpr std::size_t kRecords = 256 * 1024;

Bytes protocol_list() {
  Bytes out;
  for (const std::string_view name : {std::string_view(p2p::kYamuxId), std::string_view(kLibp2p)}) {
    out.push_back(static_cast<Byte>(name.size()));
    append(out, as_bytes(name));
  }
  return out;
}

// As server: our first wish that the client has; there is none that it lacks.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned in_size, void*) {
  static const Bytes ours = protocol_list();
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, size, ours.data(),
                                          static_cast<unsigned>(ours.size()), in, in_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void use(SSL_CTX* context, const Credentials& credentials) {
  if (credentials.chain.empty()) return;
  if (SSL_CTX_use_certificate(context, credentials.chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, credentials.key.get()) != 1) {
    throw std::runtime_error("OpenSSL does not take the certificate");
  }
  for (std::size_t i = 1; i < credentials.chain.size(); ++i) {
    SSL_CTX_add1_chain_cert(context, credentials.chain[i].get());
  }
}

// An OCSP status request whose extensions hold so many bytes.
void ask_status(SSL* ssl, std::size_t size) {
  SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
  const Bytes filling(size);
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(octets, filling.data(), static_cast<int>(filling.size()));
  X509_EXTENSIONS* list = sk_X509_EXTENSION_new_null();
  X509_EXTENSION* extension =
      X509_EXTENSION_create_by_NID(nullptr, NID_id_pkix_OCSP_Nonce, 0, octets);
  sk_X509_EXTENSION_push(list, extension);
  ASN1_OCTET_STRING_free(octets);
  SSL_set_tlsext_status_exts(ssl, list);  // owned by it from now on
}

}  // namespace

TlsChannel::TlsChannel(Socket socket, const Credentials& credentials, const TlsWish& wish)
    : socket_(std::move(socket)),
      context_(SSL_CTX_new(wish.server ? TLS_server_method() : TLS_client_method()), &SSL_CTX_free),
      ssl_(nullptr, &SSL_free) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_security_level(context, 0);
  const int version = wish.old_version ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &TlsChannel::on_session);
  const Bytes protocols = protocol_list();
  SSL_CTX_set_alpn_protos(context, protocols.data(), static_cast<unsigned>(protocols.size()));
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
  use(context, credentials);
  ssl_.reset(SSL_new(context));
  SSL_set_app_data(ssl_.get(), this);
  // Owned by it from now on.
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (wish.status_request != 0) ask_status(ssl_.get(), wish.status_request);
  if (wish.server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

int TlsChannel::on_session(SSL* ssl, SSL_SESSION* session) {
  auto* self = static_cast<TlsChannel*>(SSL_get_app_data(ssl));
  ++self->tickets_;
  self->early_data_ = std::max(self->early_data_, SSL_SESSION_get_max_early_data(session));
  return 0;
}

bool TlsChannel::flush(TimePoint until) {
  BIO* out = SSL_get_wbio(ssl_.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  if (size <= 0) return true;
  const BytesView view{reinterpret_cast<const Byte*>(bytes), static_cast<std::size_t>(size)};
  const bool sent = socket_.send(view, until);
  (void)BIO_reset(out);
  return sent;
}

bool TlsChannel::fill(TimePoint until) {
  const Received got = socket_.receive(until);
  end_ = got.end;
  if (got.bytes.empty()) return false;
  BIO_write(SSL_get_rbio(ssl_.get()), got.bytes.data(), static_cast<int>(got.bytes.size()));
  return true;
}

bool TlsChannel::again(int result, TimePoint until) {
  const int why = SSL_get_error(ssl_.get(), result);
  // An alert of ours goes out, too.
  const bool flushed = flush(until);
  if (why == SSL_ERROR_WANT_READ) return flushed && fill(until);
  end_ = why == SSL_ERROR_ZERO_RETURN ? End::eof : End::reset;
  if (const auto code = ERR_get_error(); code != 0) {
    const char* reason = ERR_reason_error_string(code);
    error_ = reason == nullptr ? "unknown" : reason;
  }
  ERR_clear_error();
  return false;
}

bool TlsChannel::shake_hands(TimePoint until) {
  for (;;) {
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) return flush(until);
    if (!again(done, until)) return false;
  }
}

bool TlsChannel::ask_for_new_keys(TimePoint until) {
  return SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1 && shake_hands(until);
}

bool TlsChannel::send(BytesView bytes, TimePoint until) {
  while (!bytes.empty()) {
    const std::size_t most = std::min(bytes.size(), kRecords);
    const int n = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(most));
    if (n <= 0 || !flush(until)) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

Received TlsChannel::receive(TimePoint until, std::size_t most) {
  Received out;
  if (end_ != End::open) {
    out.end = end_;
    return out;
  }
  out.bytes.resize(most);
  for (;;) {
    const int n = SSL_read(ssl_.get(), out.bytes.data(), static_cast<int>(most));
    out.bytes.resize(n > 0 ? static_cast<std::size_t>(n) : most);
    if (n > 0) return out;
    if (!again(n, until)) break;
  }
  out.bytes.clear();
  out.end = end_;
  return out;
}

std::string TlsChannel::application() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

}  // namespace oc::hostile
