// identify (libp2p/specs identify/README.md), id /ipfs/id/1.0.0: each side asks the other who it is
// right after connecting; the answer is one message, then the end of the stream.
#pragma once

#include <functional>
#include <string>

#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

inline constexpr const char* kIdentifyId = "/ipfs/id/1.0.0";
// Rust takes one message of at most 4096 bytes; we send no more, and read what go may send.
inline constexpr std::size_t kMaxIdentifySent = 4096;
inline constexpr std::size_t kMaxIdentifyMessage = 8192;
inline constexpr int kMaxIdentifyMessages = 10;
inline constexpr std::size_t kMaxIdentifyAddresses = 64;
inline constexpr std::size_t kMaxIdentifyProtocols = 256;
inline constexpr Duration kIdentifyTimeout = std::chrono::seconds(5);

struct IdentifyOptions {
  std::string agent_version;
  std::string protocol_version = "ipfs/0.1.0";
  // Addresses to tell, without /p2p.
  std::function<std::vector<codec::Multiaddr>()> addresses;
  // A sequence number for the signed peer record that never falls behind an earlier one.
  std::function<std::uint64_t()> record_seq;
  // Called when a connection's info() was filled in.
  std::function<void(const ConnectionPtr&)> identified = [](const ConnectionPtr&) {};
};

// Registers the protocol at the swarm and asks every new connection. Lifetime: as long as the
// swarm.
class Identify {
 public:
  Identify(Swarm& swarm, Clock& clock, IdentifyOptions options);

 private:
  awaitable<void> answer(ConnectionPtr connection, std::unique_ptr<net::Stream> stream);
  awaitable<void> ask(ConnectionPtr connection);
  awaitable<Result<PeerInfo>> query(ConnectionPtr connection);
  Bytes message_for(const Connection& connection) const;

  Swarm& swarm_;
  Clock& clock_;
  IdentifyOptions options_;
};

// Adds what one message says to `info`: present fields replace or extend, absent ones change
// nothing. Errc::malformed when it does not parse or its public key is not the peer's.
Result<void> merge_identify(PeerInfo& info, BytesView message, const codec::PeerId& peer);

}  // namespace oc::p2p
