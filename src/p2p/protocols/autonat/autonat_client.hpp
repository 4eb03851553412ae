// AutonatClient: asks a server of AutoNAT v2 whether addresses of ours can be reached. The flow is
// in autonat_server.hpp.
#pragma once

#include <cstdint>
#include <map>

#include "p2p/protocols/autonat/autonat_server.hpp"

namespace oc::p2p {

// From opening the stream to the response: what a server may take for data, waiting, dialing and
// handing over the nonce, and a little for the way.
inline constexpr Duration kAutonatAskTimeout = std::chrono::seconds(35);
// Requests under way at once; a reason would be needed for more.
inline constexpr std::size_t kMaxAutonatAsks = 16;

enum class DialVerdict {
  reachable,    // the nonce came back on a new connection
  unreachable,  // the server says that the address does not answer
  refused,      // the server dials none of these addresses
  rejected      // the server does not take the request now
};

struct DialAnswer {
  DialVerdict verdict = DialVerdict::rejected;
  std::size_t index = 0;  // of the address that was dialed, when one was
};

// Lifetime: as long as the swarm, which is closed first.
class AutonatClient {
 public:
  // Registers /dial-back at the swarm.
  AutonatClient(Swarm& swarm, Clock& clock, Random& random);

  // Whether the server speaks v2, by what it said in identify.
  static bool is_server(const Connection& connection);

  // Asks about the first of these addresses that the server is willing to dial; pays with as many
  // bytes as the spec allows a server to demand. Errors: those of the stream; Errc::timed_out;
  // Errc::protocol_violation, also for a server that claims to have dialed and has not handed over
  // the nonce; Errc::limit_exceeded when kMaxAutonatAsks are under way. When cancelled it resets
  // the stream.
  awaitable<Result<DialAnswer>> ask(ConnectionPtr server, std::vector<codec::Multiaddr> addresses);

 private:
  using StreamPtr = std::unique_ptr<net::Stream>;

  // A request under way.
  struct Asked {
    std::vector<codec::Multiaddr> addresses;
    TimePoint since;
    std::optional<codec::Multiaddr> came_to;  // our end of the connection the nonce came on
    Event came;
  };

  awaitable<Result<DialAnswer>> exchange(ConnectionPtr server, std::uint64_t nonce);
  awaitable<Result<DialResponse>> talk(net::Stream& stream, std::uint64_t nonce);
  awaitable<Result<DialAnswer>> judge(DialResponse response, std::uint64_t nonce);
  awaitable<void> serve(ConnectionPtr connection, StreamPtr stream);
  awaitable<Result<void>> hear(ConnectionPtr connection, net::Stream& stream);
  // Whether this connection can be a dial-back to a request of that time.
  static bool can_be_dial_back(const Connection& connection, const Asked& asked);
  std::uint64_t new_nonce();

  Swarm& swarm_;
  Clock& clock_;
  Random& random_;
  std::map<std::uint64_t, Asked> asked_;  // by nonce
};

}  // namespace oc::p2p
