// ApiServer: the node's API on streams that somebody else accepted.
//
//   request → Host and Origin → route → session → role → body → handler → audit log → answer
//
// docs/api.md describes the routes; hostile-looking choices are explained where they are made
// (origin_check.hpp, login_limiter.hpp, authenticator.hpp).
#pragma once

#include "api/routes.hpp"

namespace oc::api {

struct ApiOptions {
  std::vector<std::string>
      host_names;  // under which browsers reach the node, beside localhost and IP literals
  bool secure_cookies = false;  // when it is served over TLS
  PasswordChecks password_checks = real_password_checks();
};

// Thread: the network thread. Lifetime: what it refers to must outlive it; it must outlive every
// coroutine of serve() and serve_overlay(), which its owner runs in a TaskScope and closes first.
class ApiServer {
 public:
  // Connections at the same time; more are reset. Members have a share of their own, so that
  // neither side can use up the other's.
  static constexpr std::size_t kMaxConnections = 256;
  static constexpr std::size_t kMaxConnectionsPerAddress = 64;
  static constexpr std::size_t kMaxOverlayStreams = 256;
  static constexpr std::size_t kMaxOverlayStreamsPerPeer = 16;

  ApiServer(NodeFace& node, store::Store& store, Clock& clock, Random& random,
            WorkerPool& password_workers, ApiOptions options = {});
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Answers a TCP (or TLS) client until it ends. `remote_address`: its IP address as text.
  awaitable<void> serve(std::unique_ptr<net::Stream> stream, std::string remote_address);
  // Answers a member on a stream of /http/1.1: a reader by itself; admin with an admin session of
  // this node. `peer_id` must have proved its membership.
  awaitable<void> serve_overlay(std::unique_ptr<net::Stream> stream, std::string peer_id);

  // One request, for whoever has it already (serve() uses it too).
  awaitable<net::HttpResponse> answer(net::HttpRequest request, net::RequestOrigin origin);

  const Router& router() const { return router_; }
  std::size_t connections() const { return clients_.total + members_.total; }

 private:
  // Who is connected, by address or peer id.
  struct Connections {
    std::size_t total = 0;
    std::map<std::string, std::size_t> by_source;
  };
  class Place;

  awaitable<void> serve_http(std::unique_ptr<net::Stream> stream, net::RequestOrigin origin);
  awaitable<Outcome<net::HttpResponse>> dispatch(const Router::Match& match, Call& call);
  awaitable<Outcome<bool>> authenticate(Call& call, Role needed);
  awaitable<void> audit(Call& call, const net::HttpResponse& response,
                        std::optional<FaultCode> fault);

  store::Store& store_;
  Clock& clock_;
  std::vector<std::string> host_names_;
  Authenticator authenticator_;
  Router router_;
  RouteContext context_;
  Connections clients_, members_;
};

}  // namespace oc::api
