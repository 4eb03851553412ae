// The TLS handshake: bytes in its place; one between honest peers with somebody between them; and
// one with a peer that keeps to TLS, but shows what certificate and asks for what protocol it
// likes.
#include <openssl/ssl.h>

#include "crypto/der.hpp"
#include "fuzzing.hpp"
#include "p2p/upgrade/tls.hpp"
#include "p2p/upgrade/tls_certificate.hpp"
#include "p2p/upgrade/upgrade.hpp"

using namespace oc;

namespace {

using fuzz::StreamPtr;

const std::array<std::string, 1> kMuxers{p2p::kYamuxId};

const crypto::PrivateKey& identity(bool initiator) {
  static const auto ours = crypto::PrivateKey::from_seed(Bytes(32, 7));
  static const auto theirs = crypto::PrivateKey::from_seed(Bytes(32, 8));
  return initiator ? ours : theirs;
}

FakeClock& the_clock() {
  static FakeClock clock;
  return clock;
}

p2p::TlsContext& context(bool initiator) {
  static p2p::TlsContext initiators(identity(true), the_clock());
  static p2p::TlsContext responders(identity(false), the_clock());
  return initiator ? initiators : responders;
}

struct Proven {
  crypto::PublicKey key;
  Bytes binding;
};

// Agrees on no muxer that it did not offer.
awaitable<void> honest_side(StreamPtr stream, bool initiator, std::optional<Proven>& proven) {
  p2p::SecurityOptions options;
  options.muxers = kMuxers;
  auto channel =
      co_await context(initiator).secure(std::move(stream), initiator, std::move(options));
  if (!channel) co_return;
  fuzz::require(!channel->muxer || *channel->muxer == kMuxers[0]);
  proven = Proven{channel->remote_key, channel->binding};
  (void)co_await channel->stream->close_write();  // or its last flight may be lost
}

awaitable<void> garbage(BytesView bytes, fuzz::Cuts cuts, bool initiator) {
  StreamPtr stream = std::make_unique<fuzz::GivenStream>(bytes, cuts);
  std::optional<Proven> proven;
  co_await honest_side(std::move(stream), initiator, proven);
  fuzz::require(!proven);
}

// Whoever is content knows the other one; when both are, they are on the same channel.
void tampered(fuzz::Input input, bool at_the_initiator) {
  std::optional<Proven> first, second;
  fuzz::run_tampered(
      [&](StreamPtr stream) { return honest_side(std::move(stream), at_the_initiator, first); },
      [&](StreamPtr stream) { return honest_side(std::move(stream), !at_the_initiator, second); },
      input);
  if (first) fuzz::require(first->key == identity(!at_the_initiator).public_key());
  if (second) fuzz::require(second->key == identity(at_the_initiator).public_key());
  if (first && second) fuzz::require(first->binding == second->binding);
  if (input.empty()) fuzz::require(first && second);
}

// ---- the odd peer

struct Odd {
  bool client = true;
  bool shows_certificate = true;
  bool shows_two = false;
  bool own_extension = false;  // instead of the true one
  bool tickets = false;
  bool old = false;  // TLS 1.2 at most
  Byte suite = 0;
  BytesView protocols;  // offered, or the one that is chosen
  BytesView extension;
};

Odd odd_peer(fuzz::Input& input, bool client) {
  const Byte how = input.byte();
  Odd odd;
  odd.client = client;
  odd.own_extension = how % 2 != 0;
  odd.tickets = how / 2 % 2 != 0;
  odd.suite = how / 4 % 4;
  odd.shows_two = how / 16 % 4 == 1;
  odd.shows_certificate = how / 16 % 4 != 2;
  odd.old = how / 64 == 3;
  odd.protocols = input.bytes(input.byte() % 64);
  odd.extension = input.bytes(input.two_bytes());
  return odd;
}

const p2p::TlsCredentials& credentials(bool client) {
  static const auto dialers = p2p::make_tls_credentials(identity(true), the_clock().wall_now());
  static const auto listeners = p2p::make_tls_credentials(identity(false), the_clock().wall_now());
  return client ? dialers : listeners;
}

using X509Ptr = std::unique_ptr<X509, p2p::X509Free>;

X509Ptr certificate_of(const Odd& odd) {
  const p2p::TlsCredentials& own = credentials(odd.client);
  X509Ptr certificate(X509_dup(own.certificate.get()));
  if (!odd.own_extension) return certificate;
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(octets, odd.extension.data(), static_cast<int>(odd.extension.size()));
  X509_EXTENSION_set_data(X509_get_ext(certificate.get(), 0), octets);
  ASN1_OCTET_STRING_free(octets);
  X509_sign(certificate.get(), own.key.get(), EVP_sha256());
  return certificate;
}

int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
           void* odd) {
  const BytesView protocol = static_cast<const Odd*>(odd)->protocols;
  *out = protocol.data();
  *size = static_cast<unsigned char>(protocol.size());
  return protocol.empty() ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

using ContextPtr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

ContextPtr context_of(Odd& odd) {
  static constexpr const char* kSuites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                            "TLS_CHACHA20_POLY1305_SHA256",
                                            "TLS_AES_128_CCM_SHA256"};
  ContextPtr made(SSL_CTX_new(TLS_method()), SSL_CTX_free);
  SSL_CTX* context = made.get();
  if (odd.shows_certificate) {
    SSL_CTX_use_certificate(context, certificate_of(odd).get());
    SSL_CTX_use_PrivateKey(context, credentials(odd.client).key.get());
  }
  if (odd.shows_two) SSL_CTX_add1_chain_cert(context, credentials(!odd.client).certificate.get());
  if (odd.old) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_ciphersuites(context, kSuites[odd.suite]);
  SSL_CTX_set_num_tickets(context, odd.tickets ? 2 : 0);
  SSL_CTX_set_alpn_protos(context, odd.protocols.data(),
                          static_cast<unsigned>(odd.protocols.size()));
  SSL_CTX_set_alpn_select_cb(context, choose, &odd);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  return made;
}

// Shakes hands as OpenSSL does, then waits for the end.
awaitable<void> act(StreamPtr stream, Odd& odd) {
  const ContextPtr context = context_of(odd);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  odd.client ? SSL_set_connect_state(ssl.get()) : SSL_set_accept_state(ssl.get());
  Bytes into(4096);
  for (;;) {
    Byte byte = 0;
    const int done = SSL_is_init_finished(ssl.get()) ? SSL_read(ssl.get(), &byte, 1)
                                                     : SSL_do_handshake(ssl.get());
    const bool more = done == 1 || SSL_get_error(ssl.get(), done) == SSL_ERROR_WANT_READ;
    Bytes out(BIO_ctrl_pending(SSL_get_wbio(ssl.get())));
    if (!out.empty()) BIO_read(SSL_get_wbio(ssl.get()), out.data(), static_cast<int>(out.size()));
    if (auto sent = co_await stream->write(out); !sent || !more) co_return;
    if (done == 1) continue;
    auto n = co_await stream->read_some(into);
    if (!n) co_return;
    BIO_write(SSL_get_rbio(ssl.get()), into.data(), static_cast<int>(*n));
  }
}

// Only one that shows one certificate, with the true extension, is anybody.
void odd_handshake(Odd odd) {
  std::optional<Proven> proven;
  fuzz::run_tampered(
      [&](StreamPtr stream) { return act(std::move(stream), odd); },
      [&](StreamPtr stream) { return honest_side(std::move(stream), !odd.client, proven); },
      fuzz::Input(BytesView()));
  if (!proven) return;
  fuzz::require(odd.shows_certificate && !odd.shows_two && !odd.own_extension && !odd.old);
  fuzz::require(proven->key == identity(odd.client).public_key());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, std::min<std::size_t>(size, 20'000));
  const Byte choice = input.byte();
  const bool initiator = choice / 32 % 2 == 0;
  switch (choice / 64) {
    case 0:
      fuzz::run_to_end([&] { return garbage(input.rest(), fuzz::Cuts(choice), initiator); });
      break;
    case 1: tampered(input, initiator); break;
    default: odd_handshake(odd_peer(input, initiator)); break;
  }
  return 0;
}
