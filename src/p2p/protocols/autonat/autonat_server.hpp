// AutonatServer: dials peers back at addresses that they want to know to be reachable.
//
// Version 2 (libp2p/specs autonat/autonat-v2.md), on a stream that the client opens:
//
//   client                                            server
//     DialRequest {addresses, nonce}             ──▶
//                                                ◀──  DialDataRequest  only for another IP address
//     DialData …                                 ──▶                   than the one we see
//                                                     a new connection to the first address that
//                                                     may be dialed (DialBackRules), from a port of
//                                                     its own; on it, a stream /dial-back:
//                                                ◀──  DialBack {nonce}
//     DialBackResponse                           ──▶
//                                                ◀──  DialResponse {status, which, how it went}
//
// Version 1 (autonat-v1.md): Dial ──▶, ◀── DialResponse; no nonce, and never another IP address.
#pragma once

#include <cstdint>

#include "p2p/protocols/autonat/autonat_message.hpp"
#include "p2p/protocols/autonat/dial_back_rules.hpp"
#include "p2p/protocols/autonat/request_log.hpp"
#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

inline constexpr const char* kAutonatDialRequestId = "/libp2p/autonat/2/dial-request";
inline constexpr const char* kAutonatDialBackId = "/libp2p/autonat/2/dial-back";
inline constexpr const char* kAutonatV1Id = "/libp2p/autonat/1.0.0";

// All figures are go-libp2p's. Requests served at once:
inline constexpr StreamLimits kAutonatLimits{.all = 64, .of_peer = 2};
// Requests in a minute: of all, of one peer, and those that dial another IP address than we see. Of
// version 2 for members and for strangers each, so that these do not use up what those need; only
// strangers speak version 1.
inline constexpr std::size_t kMaxAutonatRequests = 60;
inline constexpr std::size_t kMaxAutonatRequestsOfPeer = 12;
inline constexpr std::size_t kMaxAutonatDataRequests = 12;
inline constexpr std::size_t kMaxAutonatV1Requests = 30;
inline constexpr std::size_t kMaxAutonatV1RequestsOfPeer = 3;
// A request, and then the bytes that were demanded, have to come within this time each.
inline constexpr Duration kAutonatReadTimeout = std::chrono::seconds(15);
inline constexpr Duration kDialBackTimeout = std::chrono::seconds(10);
inline constexpr Duration kDialBackStreamTimeout = std::chrono::seconds(5);
// One address of a v1 request: kMaxV1Dials of them take as long as go gives a request.
inline constexpr Duration kV1DialTimeout = std::chrono::seconds(5);
// Before another IP address is dialed, a random time up to this passes, so that many servers that
// are told to dial one victim do not do it in the same moment.
inline constexpr Duration kMaxDialBackWait = std::chrono::seconds(3);
// Less in one message only makes work; the last one may have less.
inline constexpr std::size_t kLeastDialDataChunk = 100;

struct AutonatServerOptions {
  bool allow_local = false;  // see DialBackGround
};

struct AutonatServerCounters {
  std::uint64_t requests = 0;  // taken, of both versions
  std::uint64_t rejected = 0;  // too many
  std::uint64_t refused = 0;   // no address that may be dialed
  std::uint64_t dials = 0, dials_failed = 0;
};

// Registers both versions at the swarm and serves them to every peer that is connected directly.
// Lifetime: as long as the swarm, which is closed first.
class AutonatServer {
 public:
  AutonatServer(Swarm& swarm, Clock& clock, Random& random, AutonatServerOptions options = {});

  const AutonatServerCounters& counters() const { return counters_; }

 private:
  using StreamPtr = std::unique_ptr<net::Stream>;

  awaitable<void> serve(ConnectionPtr connection, StreamPtr stream);
  awaitable<Result<void>> answer(ConnectionPtr connection, net::Stream& stream);
  awaitable<Result<void>> respond(net::Stream& stream, DialResponse response);
  awaitable<Result<void>> finish(net::Stream& stream, Bytes message);
  // Waits until the asker paid for a dial to an IP address that is not the one we see.
  awaitable<Result<void>> collect_data(net::Stream& stream, std::uint32_t address);
  // How the dial went; an error when that says nothing of the address, but of us.
  awaitable<Result<DialStatus>> dial_back(codec::PeerId peer, codec::Multiaddr address,
                                          std::uint64_t nonce);
  awaitable<Result<ConnectionPtr>> dial(codec::PeerId peer, codec::Multiaddr address,
                                        Duration limit);

  awaitable<void> serve_v1(ConnectionPtr connection, StreamPtr stream);
  awaitable<Result<void>> answer_v1(ConnectionPtr connection, net::Stream& stream);
  // The response to a request, once its dials are over.
  awaitable<Bytes> dial_v1(codec::PeerId peer, std::vector<codec::Multiaddr> addresses);

  DialBackAsker asker_of(const Connection& connection) const;
  DialBackGround ground() const;

  Swarm& swarm_;
  Clock& clock_;
  Random& random_;
  AutonatServerOptions options_;
  struct Requests {
    RequestLog all{kMaxAutonatRequests, kMaxAutonatRequestsOfPeer};
    RequestLog data{kMaxAutonatDataRequests, kMaxAutonatDataRequests};
  };
  Requests& requests_of(const Connection& connection);

  Requests of_members_;
  Requests of_strangers_;
  RequestLog v1_requests_{kMaxAutonatV1Requests, kMaxAutonatV1RequestsOfPeer};
  AutonatServerCounters counters_;
};

}  // namespace oc::p2p
