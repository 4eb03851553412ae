// The TLS 1.3 security protocol of libp2p (libp2p/specs tls/tls.md), id /tls/1.0.0.
//
//   client (dialed)                                   server
//     ClientHello, ALPN: muxers, "libp2p"       ──▶
//                                               ◀──  ServerHello … ALPN, Certificate, Finished
//     Certificate, Finished                     ──▶
//   certificates: see tls_certificate.hpp; no SNI, no tickets, no early data, no resumption
//
// OpenSSL shakes hands; the data phase is TlsStream's, with the traffic secrets of the handshake.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "crypto/proof_cache.hpp"
#include "p2p/upgrade/secure_channel.hpp"

struct ssl_ctx_st;

namespace oc::p2p {

inline constexpr const char* kTlsId = "/tls/1.0.0";
// The peer's certificate message at most. The largest that is taken (RSA of 8192 bits, for both
// keys) has about 5 KiB.
inline constexpr long kMaxTlsCertificateMessage = 16 * 1024;

// A certificate of this process and OpenSSL's settings, for all handshakes of one identity, in
// either role. Lifetime: longer than the handshakes. Thread: the network thread.
class TlsContext {
 public:
  // Throws std::bad_alloc when OpenSSL has no memory.
  TlsContext(const crypto::PrivateKey& identity, Clock& clock);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Errors: P2pErrc::handshake_failed, ::bad_certificate, ::wrong_peer, and the stream's; a peer
  // that refuses our certificate shows as an error of the first read. Time-outs are the caller's.
  // On error the stream below is destroyed, the alert having been sent.
  awaitable<Result<SecureChannel>> secure(std::unique_ptr<net::Stream> below, bool initiator,
                                          SecurityOptions options);

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const noexcept;
  };

  Clock& clock_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  crypto::ProofCache proofs_;  // of peers' certificates
};

}  // namespace oc::p2p
